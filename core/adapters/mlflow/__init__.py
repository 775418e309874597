"""The ports on an MLflow server, over its REST API."""
