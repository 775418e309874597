"""A part that answers for a while and then hangs with its connections open, as a stopped process does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager


class FreezingProxy:
    """Passes bytes between those who connect to `port` and the real part, until `freeze`."""

    def __init__(self, listener: socket.socket, target: tuple[str, int]) -> None:
        self.port: int = listener.getsockname()[1]
        self._target = target
        self._flowing = threading.Event()
        self._flowing.set()
        self._open_to_all = threading.Event()
        self._open_to_all.set()
        self._listener = listener
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """From now on nothing passes; connections stay open, new ones are taken."""
        self._flowing.clear()

    def thaw(self) -> None:
        """What was sent meanwhile arrives."""
        self._flowing.set()

    def refuse(self) -> None:
        """Away: what is open ends, and nobody is let in until `admit`."""
        self._open_to_all.clear()
        self.cut()

    def admit(self) -> None:
        self._open_to_all.set()

    def cut(self) -> None:
        """Every connection ends, as in a restart; new ones are passed on."""
        for wire in self._open:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = self._connected()
                if far is None:
                    near.close()
                    continue
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _connected(self) -> socket.socket | None:
        """To the part, unless that or the way to it is away."""
        with contextlib.suppress(OSError):
            return socket.create_connection(self._target) if self._open_to_all.is_set() else None
        return None

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError), closing(source), closing(sink):
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
            self._flowing.wait()  # nor does an end pass


@contextmanager
def freezing_proxy(target: tuple[str, int]) -> Iterator[FreezingProxy]:
    """Thaws at the end, so that its threads come to theirs."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        proxy = FreezingProxy(listener, target)
        yield proxy
        proxy.thaw()
