"""Code that the gateway and the runner share: values, ports, use cases and adapters."""

__version__ = "0.1.0"
