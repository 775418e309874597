"""A job beside the one that it repeats, as lines of text."""

from client.api.rerun import Rerun
from client.cli.terminal import one_line, strong, table


def rerun_lines(found: Rerun | None) -> list[str]:
    """Whether the result holds, each metric old and new, and what differs in where both come from."""
    if found is None:
        return []
    lines = ["", strong(f"Repeats job {one_line(found.of)}"), one_line(found.words)]
    rows = [[one.name, _exact(one.old), _exact(one.new), _exact(one.difference), one.words] for one in found.metrics]
    if rows:
        lines += table(["METRIC", "OLD", "NEW", "DIFFERENCE", ""], rows, right=frozenset({1, 2, 3}))
    if found.origins:
        lines += ["What differs in where both come from:", *(f"  {one_line(one.words)}" for one in found.origins)]
    return lines


def _exact(value: float | None) -> str:
    """All digits that tell two values apart; no sign of a rounding."""
    return "-" if value is None else repr(value)
