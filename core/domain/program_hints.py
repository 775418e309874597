"""Hints on how a program is started and what it is given: what runs at home, and not as a submission."""

from __future__ import annotations

import re

from core.domain.hint_signs import Hint, plain_hint

NAME = r"[A-Za-z_][A-Za-z0-9_]{0,60}"
RELATIVE = re.compile(
    rf"(?:^[ \t]{{0,20}}from \.{{1,5}}(?P<module>{NAME}(?:\.{NAME}){{0,5}})? import (?P<name>{NAME})[^\n]{{0,300}}\n"
    r"(?:[^\n]{0,300}\n){0,3}?)?ImportError: attempted relative import (?:with no known parent|beyond top-level)",
    re.MULTILINE,
)


def _relative(match: re.Match[str]) -> str:
    module, name = match["module"] or "utils", match["name"] or "X"
    here, there = (f"from .{module} import {name}", f"from {module} import {name}")
    if match["name"] and not match["module"]:
        here, there = f"from . import {name}", f"import {name}"
    return (
        "The entrypoint is a script and belongs to no package, so an import with a dot before it leads nowhere: write "
        f"{there!r} instead of {here!r}."
    )


PROGRAM_HINTS = (
    plain_hint(
        r"An attempt has been made to start a new process before the\s+current process has finished|freeze_support\(\)",
        "The program starts processes that begin by running it again. Write what shall run once below "
        "if __name__ == '__main__': so that they do not start it, too.",
    ),
    plain_hint(
        r"Cannot re-initialize CUDA in forked subprocess",
        "A process that was forked cannot use the GPU: keep data on the CPU until the training loop (num_workers=0 "
        "works, too), or start processes by 'spawn', with the main part below if __name__ == '__main__':.",
    ),
    plain_hint(
        r"Can't (?:pickle|get) local object|Can't pickle <function|PicklingError: Can't pickle",
        "What another process is given must be found there by its name: define functions and classes at the top of a "
        "module, and use no lambda.",
    ),
    Hint(sign=RELATIVE, sentence=_relative),
    plain_hint(
        r"name '(?:get_ipython|display)' is not defined|No module named '(?:IPython|google\.colab)"
        r"|^[ \t]{0,20}[!%]\w[^\n]{0,200}\n[ \t]{0,200}\^+\n(?:SyntaxError|IndentationError)",
        "This was a notebook: take out the lines that only a notebook understands (get_ipython(), !pip, %matplotlib, "
        "display, google.colab). Packages go into requirements.txt, and the data is in /data.",
    ),
    plain_hint(
        r"No matching distribution found for|Could not find a version that satisfies the requirement",
        "A program cannot install packages: name them in requirements.txt, and choose a resource class that installs "
        "them.",
    ),
    plain_hint(
        r": error: (?:unrecognized arguments|the following arguments are required|argument -)"
        r"|No such option:? ?'?--(?:config|output)|Unknown command line flag '(?:config|output)'",
        "The program is started with --config FILE --output /out and nothing else: take both, and require no others. "
        "Other settings go into the config file.",
    ),
    plain_hint(
        r"EOFError: EOF when reading a line",
        "Nobody answers a question in a run (input() finds nothing): read settings from the config file.",
    ),
    plain_hint(
        r"Found no NVIDIA driver|No supported gpu backend found|Torch not compiled with CUDA enabled"
        r"|No CUDA GPUs are available|torch\.cuda\.is_available\(\) is False",
        "This run has no GPU: take one only where there is one ('cuda' if torch.cuda.is_available() else 'cpu'; "
        "accelerator='auto'; map_location='cpu'), or choose a resource class with a GPU.",
    ),
    plain_hint(
        r"cannot connect to X server|couldn't connect to display|no \$DISPLAY|could not connect to display"
        r"|Could not load the Qt platform plugin|The function is not implemented\. Rebuild the library with",
        "There is no screen in the sandbox: save pictures below --output (savefig, cv2.imwrite) and show none.",
    ),
)

MISSING_PATH = plain_hint(
    r"FileNotFoundError: [^\n]{0,200}'(?:(?:\./|\.\./)*(?:data|datasets?|input)/|/home/|/Users/|/content/|/kaggle/"
    r"|/mnt/|~/|[A-Za-z]:\\)",
    "Paths of another machine do not exist here: the benchmark's data is in /data, one folder per category, and the "
    "submission's files are in the working directory, /job.",
)
"""Comes after all others: a folder may be missing because what should have filled it failed."""
