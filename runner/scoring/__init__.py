"""Scores predictions in a second container, which alone sees the labels."""
