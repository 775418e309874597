"""Programs of ours that run in the engine, in the sandbox image, by their text alone: standard library only."""
