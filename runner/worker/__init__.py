"""Takes jobs for this process, and reports its state."""
