"""Answers that are shared by many requests: boards, logs as they grow, forecasts, files that are being sent."""
