"""ASGI middlewares and uvicorn's protocol, one behaviour per module; no module here imports a route."""
