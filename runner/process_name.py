"""The name of a runner process, in the ledger, in reports and in dead letters."""

from __future__ import annotations

import os
import socket


def process_name() -> str:
    """This machine's name and this process's id."""
    return f"{socket.gethostname()}:{os.getpid()}"
