"""For the schemathesis run: most uploads are ones that are taken, so that it reaches the calls that need one."""

from __future__ import annotations

import itertools
from typing import Any

import schemathesis
from schemathesis.transport.requests import REQUESTS_TRANSPORT, multipart_serializer

TAKEN = [("files", ("main.py", b"print(1)\n")), ("files", ("config.yaml", b"{}\n"))]

_count = itertools.count()


@REQUESTS_TRANSPORT.serializer("multipart/form-data")
def upload(context: schemathesis.SerializationContext, value: Any) -> dict[str, Any]:
    """Two of three that were meant well get names and contents of a submission, which no JSON schema can ask for.

    Below the case, since schemathesis judges a case anew whose body a hook has changed.
    """
    meta = context.case.meta
    if meta is not None and meta.generation.mode.is_positive and next(_count) % 3:
        return {"files": TAKEN}
    return multipart_serializer(context, value)
