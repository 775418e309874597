"""Which process holds a job, and whether it still does."""
