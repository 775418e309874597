"""What a crash left, found and mended while other jobs run."""
