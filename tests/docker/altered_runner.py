"""A runner with other constants than the product's: `dramatiq tests.docker.altered_runner:build`.

ALTERED is JSON: `{"runner.job.attempt.ASIDE_SECONDS": 1}`.
"""

from __future__ import annotations

import importlib
import json
import os

from dramatiq.brokers.redis import RedisBroker

import runner.main


def altered(**constants: float) -> str:
    """The value of ALTERED that gives `runner__job__attempt__ASIDE_SECONDS=1` to the runner."""
    return json.dumps({name.replace("__", "."): value for name, value in constants.items()})


def alter_constants() -> None:
    """Raises AttributeError for a name that is no constant of its module."""
    for name, value in json.loads(os.environ.get("ALTERED", "{}")).items():
        place, _, constant = name.rpartition(".")
        module = importlib.import_module(place)
        getattr(module, constant)
        setattr(module, constant, value)


def build() -> RedisBroker:
    alter_constants()
    return runner.main.build()
