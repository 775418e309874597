"""The `leadersboard` command, one module per subject."""
