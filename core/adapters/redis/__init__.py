"""The ports on Redis; each change of the ledger is one atomic script in `scripts/`."""
