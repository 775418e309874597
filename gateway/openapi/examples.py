"""One example of each value that the API takes or answers, for the OpenAPI document; each is tested."""

from __future__ import annotations

from typing import Any

from gateway.openapi import admin_examples

SUBMISSION = "3f0e6f1c2b9d4f5e8a7c6b5d4e3f2a1b"
JOB = "9a1b2c3d4e5f60718293a4b5c6d7e8f9"
RUN = "c0ffee11c0ffee11c0ffee11c0ffee11"
POSTED, STARTED, FINISHED = "2026-03-01T09:00:00Z", "2026-03-01T09:00:01Z", "2026-03-01T09:02:31Z"
SHA256 = "5b1d7c1f0f6f6a0e1f0d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0f9e8d"

PARAMETERS: dict[str, Any] = {
    "job_id": JOB,
    "submission_id": SUBMISSION,
    "tail": 100,
    "metric": "image_auc",
    "benchmark": "synthetic",
    "runner": admin_examples.RUNNER_NAME,
    "letter_id": admin_examples.LETTER,
    "action": "job.cancel",
    "target": JOB,
}

_FILES = [{"path": "config.yaml", "size_bytes": 112}, {"path": "main.py", "size_bytes": 2048}]
_RUN_PAGE = f"http://localhost:5010/#/experiments/1/runs/{RUN}"
_METRICS = {"image_auc": 0.98, "pixel_auc": 0.97, "inference_time_ms": 12.5}
_NOTE = "metrics['loss'] = NaN was left out: it is not finite. Write a finite number, or leave the name out."
_METRIC = {"name": "image_auc", "direction": "maximize", "minimum": 0.0, "maximum": 1.0, "unit": None,
           "other_names": ["image_AUROC"]}  # fmt: skip

_JOB: dict[str, Any] = {
    "job_id": JOB, "submission_id": SUBMISSION, "user_id": "ann", "status": "completed", "phase": "done",
    "benchmark": "synthetic", "resource_class": "small", "attempt": 1, "queue_position": None, "created_at": POSTED,
    "started_at": STARTED, "finished_at": FINISHED, "updated_at": FINISHED, "run_id": RUN, "failure_reason": None,
    "error_message": None, "device": "cpu", "cancel_requested": False, "rerun_of": None,
    "notice": None, "estimate": None,
    "peaks": {"wall_seconds": 150.2, "memory_bytes": 812000000.0, "cpu_seconds": 201.7},
    "notes": [_NOTE], "ranked": True, "unranked_because": None,
    "trial": False, "would_be_ranked": None,
}  # fmt: skip
_SUBMISSION: dict[str, Any] = {
    "submission_id": SUBMISSION, "user_id": "ann", "entrypoint": "main.py", "config_file": "config.yaml",
    "files": _FILES, "sha256": SHA256, "metadata": {"note": "first try"}, "created_at": POSTED, "duplicate_of": None,
    "notes": [],
}  # fmt: skip
_BENCHMARK: dict[str, Any] = {
    "name": "synthetic", "title": "Synthetic surfaces", "description": "Small pictures with drawn defects.",
    "scoring": "reported", "primary_metric": "image_auc", "categories": ["stripes", "dots"], "metrics": [_METRIC],
}  # fmt: skip
_CLASS: dict[str, Any] = {
    "name": "small", "cpus": 2.0, "memory_bytes": 4294967296, "gpus": "auto", "timeout_seconds": 1800,
    "output_bytes": 536870912,
}  # fmt: skip
_WEIGHTS: dict[str, Any] = {
    "name": "timm/resnet18.a1_in1k", "kind": "huggingface", "size_bytes": 46807446,
    "place": "/weights/hub/models--timm--resnet18.a1_in1k",
    "use": 'timm.create_model("resnet18.a1_in1k", pretrained=True)',
}  # fmt: skip
_TRACKING: dict[str, Any] = {
    "state": "changed", "differences": ["metric image_auc is 0.9999, recorded 0.98"],
}  # fmt: skip
_RERUN: dict[str, Any] = {
    "of": "1b2c3d4e5f60718293a4b5c6d7e8f9a0", "holds": True,
    "words": "The result holds: every metric of the benchmark is equal or within its tolerance.",
    "metrics": [{"name": "image_auc", "old": 0.9801, "new": 0.98, "difference": -0.0001, "agreement": "within",
                 "tolerance": 0.001}],
    "origins": [{"part": "libraries.torch", "old": "2.14.0", "new": "2.15.0"}],
}  # fmt: skip
_RECORDED_FILE: dict[str, Any] = {"path": "curves/roc.png", "size_bytes": 18230, "sha256": SHA256}
_STANDING: dict[str, Any] = {
    "rank": 1, "value": 0.98, "user_id": "ann", "job_id": JOB, "submission_id": SUBMISSION, "run_id": RUN,
    "method": "PaDiM", "title": "PaDiM, 100 features", "note": "", "metrics": _METRICS, "unranked_because": None,
    "disqualified": False, "baseline": False,
    "costs": {"wall_seconds": 150.2, "memory_bytes": 812000000.0}, "on_front": True,
    "mine": True, "is_verified": False, "is_rescored": False, "finished_at": FINISHED, "mlflow_ui_url": _RUN_PAGE,
    "tracking": _TRACKING,
}  # fmt: skip

_SUMMARY: dict[str, Any] = {
    "submission_id": SUBMISSION, "user_id": "ann", "entrypoint": "main.py", "config_file": "config.yaml",
    "sha256": SHA256, "created_at": POSTED, "file_count": 2, "size_bytes": 2160,
}  # fmt: skip
_ACCOUNT: dict[str, Any] = {"name": "bob", "role": "user", "kind": "password", "created_at": POSTED}
_STEP: dict[str, Any] = {
    "at": FINISHED, "value": 0.98, "user_id": "ann", "job_id": JOB, "method": "PaDiM", "title": "PaDiM, 100 features",
}  # fmt: skip

SCHEMAS: dict[str, Any] = {
    **admin_examples.SCHEMAS,
    "Health": {
        "status": "ok", "dependencies": {"redis": "ok", "mlflow": "ok", "storage": "ok"}, "runners": "2 ready",
    },
    "EstimateView": {"starts_in": [40, 310], "runs_for": [95, 160], "measured_runs": 58},
    "Credentials": {"username": "ann", "password": "correct horse battery"},
    "PasswordChange": {"current_password": "correct horse battery", "new_password": "another horse battery"},
    "LoginView": {
        "token": "lbs_…", "user_id": "ann", "role": "user", "expires_at": "2026-01-02T15:04:05Z",
    },
    "MeView": {"user_id": "ann", "role": "user", "method": "password"},
    "NewUser": {"name": "bob", "role": "user"},
    "AccountView": _ACCOUNT,
    "NewAccountView": {**_ACCOUNT, "password": "m3uY0pZJc6u2oTq9wXk1b4Rd"},
    "AccountList": {"items": [_ACCOUNT], "next_cursor": None},
    "FileView": _FILES[1],
    "SubmissionView": _SUBMISSION,
    "SubmissionSummaryView": _SUMMARY,
    "SubmissionList": {"items": [_SUMMARY], "next_cursor": None},
    "ArtifactList": {"job_id": JOB, "items": [_RECORDED_FILE], "total": 1, "available": True},
    "RecordedFileView": _RECORDED_FILE,
    "TrackingView": _TRACKING,
    "EarlierView": {"metrics": {"image_auc": 0.97}, "scorer": "anomaly 1", "labels_sha256": SHA256},
    "RescoreView": {"job_id": JOB},
    "ProofView": {
        "scorer": "anomaly 1", "predictions_sha256": SHA256, "labels_sha256": SHA256,
        "categories": {"stripes": {"image_auc": 0.98}}, "notes": [],
    },
    "NewJob": {"submission_id": SUBMISSION, "config": {"benchmark": "synthetic", "epochs": 3}},
    "JobView": _JOB,
    "JobList": {"items": [_JOB], "next_cursor": None},
    "LogView": {"job_id": JOB, "logs": "[leadersboard] Attempt 1\nepoch 1\n", "platform": [[0, 25]], "next_offset": 34},
    "ResultsView": {
        "job_id": JOB, "run_id": RUN, "experiment_id": "1", "mlflow_ui_url": _RUN_PAGE,
        "mlflow_api_url": f"http://localhost:5010/api/2.0/mlflow/runs/get?run_id={RUN}",
        "params": {"method": "PaDiM"}, "metrics": _METRICS, "claims": {}, "proof": None, "earlier": [],
        "artifacts": [_RECORDED_FILE], "artifacts_total": 1, "artifacts_available": True, "tracking": _TRACKING,
        "sha256": SHA256, "sealed_from": "run", "left_out": [],
        "notes": [_NOTE], "ranked": True, "unranked_because": None, "trial": False, "would_be_ranked": None,
        "rerun": _RERUN,
    },
    "RerunView": _RERUN,
    "MetricChangeView": _RERUN["metrics"][0],
    "OriginChangeView": _RERUN["origins"][0],
    "ProvenanceView": {
        "job_id": JOB, "result_sha256": SHA256, "code_sha256": SHA256, "image_digest": f"sha256:{SHA256}",
        "requirements": None, "device": "cpu", "config": {"epochs": "3", "model.layers": "[2, 3]"},
        "overrides": {"epochs": 3}, "config_sha256": SHA256, "config_file_sha256": SHA256, "seed": None,
        "data_sha256": SHA256, "libraries": {"python": "3.11.9", "torch": "2.15.0"},
        "versions": {"Engine": "29.5.1", "runc": "1.3.6"}, "limits": {"class": "small", "cpus": "2.0"},
        "runner_version": "0.1.0", "scorer": None, "labels_sha256": None, "predictions_sha256": None,
        "unknown": {"seed": "the config names none"},
    },
    "BenchmarkView": _BENCHMARK,
    "BenchmarkList": {"items": [_BENCHMARK]},
    "ResourceClassView": _CLASS,
    "WeightsView": _WEIGHTS,
    "WeightsList": {"items": [_WEIGHTS]},
    "ResourceClassList": {"items": [_CLASS], "default": "small"},
    "StandingView": _STANDING,
    "StepView": _STEP,
    "HistoryView": {
        "benchmark": "synthetic", "metric": "image_auc", "direction": "maximize", "category": None, "items": [_STEP],
    },
    "EntryView": {
        "job_id": JOB, "user_id": "ann", "benchmark": "synthetic", "title": "PaDiM, 100 features", "note": "",
        "hidden": False, "disqualified_because": None, "baseline": False,
    },
    "EntryChange": {"title": "PaDiM, 100 features", "hidden": False},
    "Reason": {"reason": "It read the labels from the names of the files."},
    "BoardView": {
        "benchmark": "synthetic", "metric": "image_auc", "direction": "maximize", "scoring": "reported",
        "entries": "best", "category": None, "by": "value", "categories": [], "cost": "wall_seconds",
        "items": [_STANDING], "total": 1,
    },
}  # fmt: skip
