"""What the gateway does beside its requests."""
