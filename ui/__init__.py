"""The web UI: Gradio pages in a FastAPI app. All their data comes from the REST API through the client."""

import os

# Gradio and its dependencies read these on import: the UI must not contact a vendor's host.
os.environ.update({"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "GRADIO_RUN_HISTORY": "False"})
