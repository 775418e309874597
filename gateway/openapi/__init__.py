"""The description of the API, its examples, and the page that shows it."""
