"""Signals by which a step ends early. None is an error: nothing has failed, and no admin has to act."""

from __future__ import annotations


class Cancelled(Exception):
    """Raised when a job is cancelled while none of its containers runs. No error: the job ends as its user wants."""


class NeverStarted(Exception):
    """Raised when an earlier runner ended while it was launching the run. No error: nothing of it has run by then."""


class ResultWaits(Exception):
    """Raised when the tracking server is away. No error: the result stays on disk until the server answers."""
