"""Implementations of the ports on files, Redis, Dramatiq and MLflow."""
