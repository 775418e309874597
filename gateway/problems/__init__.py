"""Refusals and errors as HTTP answers (RFC 9457)."""
