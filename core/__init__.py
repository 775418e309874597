"""What the processes agree on: values, ports, use cases and adapters."""
