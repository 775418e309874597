"""Reading a multipart upload with its size counted while it arrives: past the limit it is refused at once (SUB-2)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from core.domain.errors import Fault, InvalidInput, TooLarge
from core.domain.limits import UploadLimits
from core.domain.submission import Upload, UploadedFile

FIELDS = ("entrypoint", "config_file", "metadata")


class _WholeParser(MultiPartParser):
    """Starlette's parser answers what it has when the bytes end; here a body counts only with its last boundary."""

    whole = False

    def on_end(self) -> None:
        self.whole = True

    async def parse(self) -> FormData:
        form = await super().parse()
        if not self.whole:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("ends before its last boundary")
        return form


@contextlib.asynccontextmanager
async def received(request: Request, user_id: str, limits: UploadLimits) -> AsyncIterator[Upload]:
    """The upload in this request. Its files are spooled to unnamed files in TMPDIR, which vanish however this ends.

    Raises TooLarge as soon as a limit is passed, InvalidInput for anything else that is wrong.
    """
    form = await _parse(request, limits)
    try:
        yield _upload(form, user_id)
    finally:
        await form.close()


async def _parse(request: Request, limits: UploadLimits) -> FormData:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise InvalidInput.of("body", "must be multipart/form-data")
    _check_declared(request, limits)
    parser = _WholeParser(
        request.headers,
        _counted(request, limits.request_bytes),
        max_files=limits.files,
        max_fields=len(FIELDS),
        max_part_size=limits.field_bytes,
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise InvalidInput.of("body", error.message) from error
    except ClientDisconnect as error:
        raise InvalidInput.of("body", "broke off before its end") from error


def _check_declared(request: Request, limits: UploadLimits) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limits.request_bytes:
        raise _too_large(limits.request_bytes)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(Fault(field="files", rule=f"a request must be at most {limit} bytes in all"))


async def _counted(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit:
            raise _too_large(limit)
        yield chunk


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
