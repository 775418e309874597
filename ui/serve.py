"""The UI's entry: one process that listens at two ports, for its own pages and for MLflow's.

`python -m ui.serve [--reload]`. Needed because uvicorn's command line can only listen at one address.
"""

import socket
import sys

import uvicorn
from uvicorn.supervisors import ChangeReload

from ui.http_protocol import PacedProtocol
from ui.settings import Settings

BACKLOG = 1024
HEAD_BYTES = 32 * 1024
"""Most bytes of a request's head."""
GRACE_SECONDS = 15
"""Time for answers in progress and for ending all sessions, when the process is stopped."""


def main(arguments: list[str]) -> None:
    """Serve until a signal stops the process."""
    settings = Settings()
    config = uvicorn.Config(
        "ui.app:build",
        factory=True,
        http=PacedProtocol,
        h11_max_incomplete_event_size=HEAD_BYTES,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        reload="--reload" in arguments,
    )
    server = uvicorn.Server(config)
    sockets = [_listening(settings.listen_on, port) for port in (settings.listen_port, settings.mlflow_listen_port)]
    if config.should_reload:
        ChangeReload(config, target=server.run, sockets=sockets).run()
    else:
        server.run(sockets=sockets)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listener.set_inheritable(True)
    return listener


if __name__ == "__main__":
    main(sys.argv[1:])
