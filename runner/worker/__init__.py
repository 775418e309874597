"""Which jobs this process takes, and what it reports of itself."""
