"""Forms as bytes, so that a test can spoil any of them."""

from __future__ import annotations

from httpx2 import Response

FORM = {"Content-Type": "multipart/form-data; boundary=B"}


HEAD = b'--B\r\nContent-Disposition: form-data; name="files"; filename="main.py"\r\n\r\n'


END = b"\r\n--B--\r\n"


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    """One part of a form, with names as they are."""
    file = "" if filename is None else f'; filename="{filename}"'
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"


def fields_of(answer: Response) -> set[str]:
    assert answer.status_code == 422, answer.text
    assert all(fault["rule"] for fault in answer.json()["errors"])
    return {fault["field"] for fault in answer.json()["errors"]}
