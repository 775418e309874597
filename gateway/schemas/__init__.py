"""Pydantic models of the API's requests and answers; one module for each group of routes."""
