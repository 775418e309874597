"""The runner: claims jobs, runs them in the engine, judges and records them."""
