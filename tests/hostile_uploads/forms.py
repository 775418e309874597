"""Forms that cost far more than their size; each is an upload of at most 1 MB."""

from __future__ import annotations

from collections.abc import Callable

from tests.hostile_uploads.tars import MAIN, TARS, Files
from tests.hostile_uploads.zips import ZIPS

MOST_BYTES = 1_000_000
BOUNDARY = "b" * 32


def part(name: str, content: bytes = b"", *, more: bytes = b"") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'.encode()
    return head + more + b"\r\n" + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
METADATA = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'.encode()
FORMS: dict[str, Callable[[], bytes]] = {
    "nothing but line ends": lambda: part("main.py", b"\r\n" * 490_000) + END,
    "nothing but carriage returns": lambda: part("main.py", b"\r" * 990_000) + END,
    "beginnings of boundaries": lambda: part("main.py", (b"\r\n--" + b"b" * 31) * 28_000) + END,
    "200 files with headers of 4 KB": lambda: b"".join(
        part(f"{n}.py", more=b"X: " + b"y" * 4000 + b"\r\n") for n in range(200)
    ) + END,
    "7,000 parts": lambda: b"".join(part(f"{n}.py") for n in range(7000)) + END,
    "a header without end": lambda: part("main.py", more=b"X: " + b"y" * 900_000),
    "nothing but boundaries": lambda: f"--{BOUNDARY}\r\n".encode() * 27_000,
    "metadata of deep JSON": lambda: part("main.py", MAIN) + METADATA + b"[" * 65_000 + b"\r\n" + END,
    "metadata of numbers": lambda: part("main.py", MAIN) + METADATA + b'{"a":[' + b"1e5," * 16_000 + b"1]}\r\n" + END,
    "a name of quotes": lambda: part('\\"' * 1900 + ".py", MAIN) + END,
    "a requirements.txt of one long line": lambda: part("requirements.txt", b"a" * 990_000) + END,
}  # fmt: skip


def form_of(files: Files) -> bytes:
    """A whole form with these files."""
    return b"".join(part(name, content) for name, content in files) + END


def every() -> dict[str, Callable[[], bytes]]:
    """Each upload as the body of its form."""
    archives = {f"tar: {name}": make for name, make in TARS.items()} | {
        f"zip: {name}": make for name, make in ZIPS.items()
    }
    bodies: dict[str, Callable[[], bytes]] = {
        name: lambda make=make: form_of(make()) for name, make in archives.items()
    }  # type: ignore[misc]
    return bodies | {f"form: {name}": make for name, make in FORMS.items()}
