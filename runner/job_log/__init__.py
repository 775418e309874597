"""Writes what a run prints to disk: once, bounded, and continued where another runner left it."""
