"""Scores predictions against labels: runs in the sandbox image, and imports nothing else of ours."""

VERSION = "anomaly 1"
"""Written into each `scores.json`. It changes whenever the same input could give another figure."""
