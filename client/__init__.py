"""A typed client of the REST API, and the `leadersboard` command."""
