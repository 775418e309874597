"""The external services that use cases and runners need, as Protocols."""
