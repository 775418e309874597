"""What happens to every request before its route, one behaviour per module; no module here imports a route."""
