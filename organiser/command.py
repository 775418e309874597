"""`scripts/benchmark prepare` and `check`: the commands of organisers, and the words that they end with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from core.domain.visible_text import visible
from organiser.prepare import add_prepare, prepare
from organiser.samples import Refused

REFUSED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: refused, and nothing was made; 2: the command is wrong."""
    parser = argparse.ArgumentParser(prog="scripts/benchmark")
    commands = parser.add_subparsers(required=True)
    made = commands.add_parser("prepare", help="make a verified benchmark of a data set", description=prepare.__doc__)
    add_prepare(made)
    made.set_defaults(run=prepare)
    asked = parser.parse_args(arguments)
    try:
        asked.run(asked, _say)
    except Refused as error:
        print(visible(str(error)), file=sys.stderr)
    except OSError as error:
        print(visible(f"{error.filename or 'a file'}: {error.strerror or error}"), file=sys.stderr)
    else:
        return 0
    print("Nothing was made. Mend this and start it again.", file=sys.stderr)
    return REFUSED


def _say(line: str) -> None:
    print(visible(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
