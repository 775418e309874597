"""The `leadersboard` command, one room per subject."""
