"""Authenticates requests: tokens, passwords, OpenID Connect; finds the client's address."""
