"""What a run leaves in the engine: its output volume, its stream, its usage."""
