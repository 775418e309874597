"""Words numbers, sizes, times and short names for people, on the command line and on the pages."""

from datetime import UTC, datetime

LARGE = 10_000
MINUTE = 60


def number(value: float | None) -> str:
    """A metric with four digits after the point, as on boards; large values without."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= LARGE else f"{value:.4f}"


def duration(seconds: float) -> str:
    """A duration for people; with tenths of a second below a minute."""
    if round(seconds, 1) < MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    if hours:
        return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"
    return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"


def between(low: float, high: float) -> str:
    """A range of seconds, rounded to what an estimate can know."""
    longest = duration(_rounded(high))
    return f"at most {longest}" if low < 1 else f"{duration(_rounded(low))} to {longest}"


def _rounded(seconds: float) -> float:
    """From five minutes on rounded to whole minutes, below to seconds."""
    return round(seconds / MINUTE) * MINUTE if seconds >= 5 * MINUTE else round(seconds)


def ago(moment: datetime | None) -> str:
    """How long ago this time was."""
    if moment is None:
        return "-"
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return "just now"


def size(count: int) -> str:
    """A number of bytes for people."""
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def memory(count: float) -> str:
    """Memory in GiB or MiB, the units in which it is allocated."""
    return f"{count / 2**30:.3g} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def queue_place(position: int) -> str:
    """Where a waiting job is."""
    return f"place {position} in the queue"


def plain(code: str) -> str:
    """The API's short name for something, as words."""
    return code.replace("_", " ")
