"""`scripts/benchmark prepare` and `check`: the commands of organisers, and the words that they end with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from core.domain.visible_text import visible
from organiser.check import add_check, check
from organiser.prepare import add_prepare, prepare
from organiser.samples import Refused

REFUSED = 1
MAKES = "Makes a verified benchmark of a data set: MVTec AD, VisA, or plain folders."
TRIES = "Holds labels against a benchmark's data, and says what constant and perfect predictions get of its scorer."
ENDINGS = {
    prepare: "Nothing was made. Mend this and start it again.",
    check: "This benchmark cannot be scored as it is: docs/scoring.md",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: all is well; 1: something is wrong, and nothing was made; 2: the command is wrong."""
    parser = argparse.ArgumentParser(prog="scripts/benchmark")
    commands = parser.add_subparsers(required=True)
    made = commands.add_parser("prepare", help="make a verified benchmark of a data set", description=MAKES)
    add_prepare(made)
    made.set_defaults(run=prepare)
    tried = commands.add_parser("check", help="hold labels against the data, and try the scorer", description=TRIES)
    add_check(tried)
    tried.set_defaults(run=check)
    asked = parser.parse_args(arguments)
    try:
        asked.run(asked, _say)
    except Refused as error:
        print(visible(str(error)), file=sys.stderr)
    except OSError as error:
        print(visible(f"{error.filename or 'a file'}: {error.strerror or error}"), file=sys.stderr)
    else:
        return 0
    print(ENDINGS[asked.run], file=sys.stderr)
    return REFUSED


def _say(line: str) -> None:
    print(visible(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
