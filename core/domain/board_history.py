"""How the best score of a board grew: each entry that was better than all before it (SCO-5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.domain.benchmark import Direction
from core.domain.board_rows import Ranking, competing
from core.domain.entry_marks import EntryMarks
from core.domain.standings import Entry, Standing, usable

MOST_STEPS = 500


def best_over_time(entries: Iterable[Entry], ranking: Ranking, marks: Mapping[str, EntryMarks]) -> Sequence[Standing]:
    """The entries that were the best when they ended, oldest first; the last MOST_STEPS of them.

    Of what competes now: what is hidden, disqualified or a baseline counts as if it had never been there.
    """
    sign = -1.0 if ranking.metric.direction is Direction.MAXIMIZE else 1.0
    steps: list[Standing] = []
    for entry in sorted(competing(entries, marks), key=lambda entry: (entry.finished_at, entry.job_id)):
        value = usable(entry, ranking.metric, ranking.category)
        if value is not None and (not steps or sign * value < sign * (steps[-1].value or 0.0)):
            steps.append(Standing(rank=1, value=value, entry=entry))
    return tuple(steps[-MOST_STEPS:])
