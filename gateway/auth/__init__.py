"""Who sends a request: tokens, passwords, OpenID Connect, and the client's address."""
