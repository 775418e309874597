"""Addresses of MLflow pages that open directly (the plain experiment page redirects elsewhere)."""

from __future__ import annotations

KIND = "workflowType=machine_learning"
"""Without this parameter MLflow shows its pages for language models."""


def run_page(mlflow_url: str, experiment_id: str, run_id: str) -> str:
    """A run's page in the MLflow UI; `mlflow_url` is the public address."""
    return f"{mlflow_url.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}?{KIND}"


def run_resource(mlflow_url: str, run_id: str) -> str:
    """A run in MLflow's REST API."""
    return f"{mlflow_url.rstrip('/')}/api/2.0/mlflow/runs/get?run_id={run_id}"
