"""The pages: Gradio in a FastAPI of its own; everything they know comes from the REST API through the client."""

import os

# Gradio and its parts read these while they are imported: nothing of ours may call a vendor's host.
os.environ.update({"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "GRADIO_RUN_HISTORY": "False"})
