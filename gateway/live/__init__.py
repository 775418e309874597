"""State shared by many requests: cached boards, log streams, forecasts, open downloads."""
