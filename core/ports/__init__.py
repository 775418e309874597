"""What the use cases and the runner need from the outside, as Protocols."""
