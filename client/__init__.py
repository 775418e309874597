"""The door for programs: a typed client of the REST API and the `leadersboard` command."""
