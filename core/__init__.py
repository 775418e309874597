"""What the processes agree on: values, ports, use cases and adapters."""

__version__ = "0.1.0"
