"""The ports on real parts (files, Redis, Dramatiq, MLflow) and their twins in memory."""
