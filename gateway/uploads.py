"""Reads a multipart upload and counts its bytes as they arrive: beyond the limit it is refused at once (SUB-2)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from core.adapters.files.disk_space import NO_ROOM
from core.domain.errors import Fault, InvalidInput, StorageFull, TooLarge, Unavailable
from core.domain.limits import UploadLimits
from core.domain.submission import Upload, UploadedFile
from core.domain.user_text import NotText, decoded

ROOM_EVERY_BYTES = 1024 * 1024
"""Bytes of an arriving upload between two checks of the free disk space."""
LEAVE_OUT = (
    "leave out data, which runs find in /data, environments, and weights that the site has in /weights (GET /weights "
    "lists them; its admin adds others of any size: docs/weights.md)"
)
FIELDS = ("entrypoint", "config_file", "metadata")


@contextlib.asynccontextmanager
async def received(
    request: Request, user_id: str, limits: UploadLimits, check_room: Callable[[], None]
) -> AsyncIterator[Upload]:
    """Yield the upload in this request. Its files are spooled to unnamed files in TMPDIR, which vanish at the end.

    Raises TooLarge as soon as a limit is passed, StorageFull as soon as the disk is too full, Unavailable when the disk
    cannot be written, InvalidInput for any other fault.
    """
    form = await _parse(request, limits, check_room)
    try:
        yield _upload(form, user_id)
    finally:
        await form.close()


async def _parse(request: Request, limits: UploadLimits, check_room: Callable[[], None]) -> FormData:
    _check_kind(request)
    _check_declared(request, limits)
    await run_in_threadpool(check_room)
    try:
        return await _WholeForm(request, limits, check_room).parse()
    except _BadField as error:
        raise InvalidInput.of(error.field, error.message) from error
    except MultiPartException as error:
        raise InvalidInput.of("body", error.message) from error
    except ClientDisconnect as error:
        raise InvalidInput.of("body", "broke off before its end") from error
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(
                "The disk for uploads is full; nothing can be uploaded until an admin makes room."
            ) from error
        raise Unavailable("The storage (uploads)", error.strerror or type(error).__name__) from error


def _check_kind(request: Request) -> None:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise InvalidInput.of("body", "must be multipart/form-data")
    if options.get(b"charset", b"utf-8").lower() != b"utf-8":  # some of Python's other codecs raise unexpected errors
        raise InvalidInput.of("body", "must be in UTF-8")


def _check_declared(request: Request, limits: UploadLimits) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limits.request_bytes:
        raise _too_large(limits.request_bytes)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(Fault(field="files", rule=f"a request must be at most {limit} bytes in all; {LEAVE_OUT}"))


class _BadField(MultiPartException):
    """Raised for a field that is no text; the base class of the form closes its files then."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(rule)
        self.field = field[:80]


class _WholeForm(MultiPartParser):
    """Refuses a form that is too large or lacks its closing boundary, and closes all its files."""

    spool_max_size = 64 * 1024
    """Bytes of one file that are held in memory, since one request may hold a hundred files."""

    def __init__(self, request: Request, limits: UploadLimits, check_room: Callable[[], None]) -> None:
        self._ended = False
        self._check_room = check_room
        super().__init__(
            request.headers,
            self._counted(request, limits.request_bytes),
            max_files=limits.files,
            max_fields=len(FIELDS),
            max_part_size=limits.field_bytes,
        )

    def on_end(self) -> None:
        self._ended = True

    def on_part_end(self) -> None:
        """Decodes a field as a user's text; the base class would take one that is no UTF-8 for Latin-1."""
        part = self._current_part
        if part.file is not None:
            super().on_part_end()
            return
        try:
            self.items.append((part.field_name, decoded(bytes(part.data))))
        except NotText as error:
            raise _BadField(part.field_name, str(error)) from error

    async def _counted(self, request: Request, limit: int) -> AsyncGenerator[bytes, None]:
        total, looked_at = 0, 0
        async for chunk in request.stream():
            total += len(chunk)
            if total > limit:
                raise _too_large(limit)
            if total - looked_at >= ROOM_EVERY_BYTES:
                await run_in_threadpool(self._check_room)
                looked_at = total
            yield chunk
        if not self._ended:
            raise InvalidInput.of("body", "broke off before its end")


def _upload(form: FormData, user_id: str) -> Upload:
    files = []
    texts: dict[str, str] = {}
    faults = []
    for name, value in form.multi_items():
        if name == "files" and isinstance(value, UploadFile):
            files.append(UploadedFile(name=value.filename or "", content=value.file))
        elif name in FIELDS and isinstance(value, str) and name not in texts:
            texts[name] = value
        else:
            faults.append(Fault(field=name[:80], rule="is not a field of an upload, of the wrong kind, or there twice"))
    if faults:
        raise InvalidInput(*faults)
    return Upload(user_id=user_id, files=files, **texts)
