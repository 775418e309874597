"""The REST API: takes submissions and answers queries. Every decision is made in core."""
