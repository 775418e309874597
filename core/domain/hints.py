"""Hints beside the reason of a failed run, from the last lines that it printed; a run may print what it likes."""

from __future__ import annotations

import re

from core.domain.anomalib_hints import ANOMALIB_HINTS
from core.domain.hint_signs import Hint
from core.domain.hint_signs import plain_hint as _hint
from core.domain.program_hints import MISSING_PATH, PROGRAM_HINTS

TAIL_CHARACTERS = 8192
"""How much of the end of the output is looked at."""
MODULE = re.compile(r"No module named '?([A-Za-z_][A-Za-z0-9_.]{0,99})'?")
SUBMISSION_TOO_LARGE = "did not fit into /job ("


def _module(match: re.Match[str]) -> str:
    name, _dot, inner = match[1].partition(".")
    if inner:  # Python names the whole path only where its beginning was found
        return (
            f"There is a {name!r}, but no {match[1]!r} in it: look whether all files of the submission were uploaded, "
            "whether one of them has the name of a package, and which version the image has."
        )
    return (
        f"The sandbox has no module {name!r}: name its package in requirements.txt and choose a resource class that "
        "installs packages, or put the module into the submission."
    )


HINTS = (
    *PROGRAM_HINTS,
    *ANOMALIB_HINTS,
    _hint(
        r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|torch\.(cuda\.)?OutOfMemoryError",
        "The GPU's memory was full: use smaller batches or pictures, or a smaller model.",
    ),
    _hint(
        r"(?i)\bbus error\b|insufficient shared memory|unable to open shared memory|/dev/shm|unable to mmap \d+ bytes",
        "Data loader workers share their batches in /dev/shm, which was probably full: use fewer workers "
        "(num_workers=0 needs none) or smaller batches.",
    ),
    _hint(
        r"Read-only file system|PermissionError: \[Errno 13\] Permission denied: '/",
        "Only the working directory /job, /out and /tmp can be written; what is to be kept goes to the folder given "
        "by --output.",
    ),
    _hint(
        r"No space left on device[^\n]{0,40}/out\b|Disk quota exceeded",
        "The output folder /out was full: write fewer or smaller files there.",
    ),
    _hint(
        r"No space left on device",
        "A folder was full: /job, /tmp, /dev/shm and /out are bounded. Write less, or remove what is not needed.",
    ),
    _hint(
        r"LocalEntryNotFoundError|OfflineModeIsEnabled|HF_HUB_OFFLINE|huggingface\.co|download\.pytorch\.org"
        r"|Cannot find the requested files in the (local|disk) cache|make sure your Internet connection is on"
        r"|Downloading: \"https?://",
        "There is no network in the sandbox, by design, so weights cannot be downloaded: use those in /weights "
        "(`leadersboard weights` lists them; the site's admin can add more) or tf_efficientnet_lite0, whose weights "
        "the image has, bring the file in the submission, or do without (pre_trained=False).",
    ),
    _hint(
        r"URLError|Name or service not known|Temporary failure in name resolution|Name resolution|NameResolutionError"
        r"|Network is unreachable|Max retries exceeded|(?i:internet connection)|getaddrinfo failed",
        "There is no network in the sandbox, by design: bring what the program needs in the submission, or, if it is "
        "weights, ask the site's admin to put them into /weights.",
    ),
    Hint(sign=MODULE, sentence=_module),
    _hint(
        r"(?:ImportError|ModuleNotFoundError): [^\n]{0,300}(?:pip install|not installed|is required)",
        "The sandbox lacks the package that the last lines name: name it in requirements.txt and choose a resource "
        "class that installs packages, or do without (logger=False).",
    ),
    MISSING_PATH,
)
"""Signs of a program's own mistakes come first: what they end with may show walls, too."""


def hint(tail: str) -> str | None:
    """The sentence for what the output ends with; None when nothing in it is known. Only TAIL_CHARACTERS are read."""
    text = tail[-TAIL_CHARACTERS:]
    for known in HINTS:
        found = known.sign.search(text)
        if found is not None and not (SUBMISSION_TOO_LARGE in text and "No space" in found[0]):
            return known.sentence(found)
    return None
