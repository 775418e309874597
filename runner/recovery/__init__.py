"""Finds and mends what a crash left, while other jobs run."""
