"""What people and programs can ask of the platform, one module per use case."""
