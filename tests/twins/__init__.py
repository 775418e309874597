"""The ports in memory, for tests; each is held to the same contract as its real adapter."""
