"""What people and programs can ask for, one module each."""
