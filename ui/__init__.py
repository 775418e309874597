"""The pages: Gradio in a FastAPI of its own; everything they know comes from the REST API through the client."""
