"""The `leadersboard` command: what it asks with `client.api`, and what it prints."""
