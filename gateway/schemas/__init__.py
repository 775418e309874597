"""What the API takes and answers, as documented by its OpenAPI; one module for each group of routes."""
