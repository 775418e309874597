"""A baseline app: parses the same requests with FastAPI's own means and answers constants."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Form, Query, UploadFile
from pydantic import BaseModel

LOG = {"job_id": "0" * 32, "logs": "", "next_offset": 0}
JOB = {"job_id": "0" * 32, "submission_id": "0" * 32, "status": "pending", "queue_position": 1}


class NewJob(BaseModel):
    submission_id: str
    config: dict[str, Any] = {}


def build() -> FastAPI:
    """For `uvicorn bench.bare_app:build --factory`."""
    app = FastAPI()

    @app.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/submissions", status_code=201)
    def submit(files: list[UploadFile], entrypoint: Annotated[str, Form()] = "main.py") -> dict[str, Any]:
        return {
            "submission_id": "0" * 32,
            "entrypoint": entrypoint,
            "bytes": sum(len(file.file.read()) for file in files),
        }

    @app.post("/jobs", status_code=202)
    def enqueue(new: NewJob) -> dict[str, Any]:
        return {**JOB, "submission_id": new.submission_id}

    @app.get("/jobs/{job_id}/status")
    def status(job_id: str) -> dict[str, Any]:
        return {**JOB, "job_id": job_id}

    @app.get("/jobs/{job_id}/logs")
    def logs(job_id: str, tail: Annotated[int, Query(ge=1, le=1000)] = 1000) -> dict[str, Any]:
        return {**LOG, "job_id": job_id, "tail": tail}

    return app
