"""What a run prints, on disk: written once, bounded, and taken over where another runner left it."""
