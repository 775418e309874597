"""Renders HTML from templates that escape every value; no other module makes HTML."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from client.api.boards import Metric
from client.visible_text import visible
from client.wording import ago, between, duration, memory, plain, queue_place, size

FOLDER = Path(__file__).parent / "templates"
CONFIG = "config/"
SHORT_ID = 8
DIGITS = 4


def figure(value: float | None, metric: Metric | None = None) -> str:
    """A number with four significant digits; shares have four decimals, so that a column is aligned."""
    if value is None:
        return "–"
    is_share = metric is not None and metric.maximum == 1
    if not is_share and value == 0:
        return "0"
    if is_share or abs(value) < 1:
        return f"{value:.{DIGITS}f}"
    whole = len(str(int(abs(value))))
    return f"{value:,.{max(0, DIGITS - whole)}f}"


def exactly(value: float | None) -> str:
    """A number with all digits that tell it from every other."""
    return "–" if value is None else repr(value)


MEASURED_NAMES = {
    "cpu_seconds": "CPU time", "gpu_memory_bytes": "Peak GPU memory", "log_bytes": "Log", "memory_bytes": "Peak memory",
    "output_bytes": "Output", "output_files": "Output files", "pids": "Most processes at once", "wall_seconds": "Time",
}  # fmt: skip


def measured_name(name: str) -> str:
    """What a figure of the platform is, in words; a submission's own figure keeps its name."""
    return MEASURED_NAMES.get(name, name)


def measurement(value: float, name: str) -> str:
    """A figure that the platform measured, in the unit that its name says: memory, bytes, time, or a count."""
    if name.endswith("memory_bytes"):
        return memory(value)
    if name.endswith("_bytes"):
        return size(int(value))
    if name.endswith("_seconds"):
        return duration(value)
    return f"{value:,.0f}" if value.is_integer() else figure(value)


def configured(params: Mapping[str, str]) -> list[tuple[str, str]]:
    """The params that the platform took from the config, by their names there, sorted."""
    return sorted((name.removeprefix(CONFIG), value) for name, value in params.items() if name.startswith(CONFIG))


def reported(params: Mapping[str, str]) -> list[tuple[str, str]]:
    """The params that the run reported, sorted."""
    return sorted((name, value) for name, value in params.items() if not name.startswith(CONFIG))


def arrow(metric: Metric) -> str:
    """An arrow in the direction in which the metric gets better."""
    return "↑" if metric.direction == "maximize" else "↓"


def short(identifier: str) -> str:
    """The first SHORT_ID characters of an id."""
    return identifier[:SHORT_ID]


def breakable(name: str) -> Markup:
    """A name with line breaks allowed after its underscores."""
    return Markup("_<wbr>").join(name.split("_"))


def web_link(url: str | None) -> str:
    """The URL if it is http or https, else an empty string: no other scheme may get into a page."""
    return url if url and urlsplit(url).scheme in {"http", "https"} else ""


def file_link(path: str, job_id: str) -> str:
    """The address of a job's file in the UI."""
    return f"/jobs/{quote(job_id, safe='')}/files/{quote(path)}"


def exact(moment: datetime) -> str:
    """A moment to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from `start` to `end`, or until now; None if it has not started."""
    if start is None:
        return None
    return max(0.0, ((end or datetime.now(UTC)) - start).total_seconds())


def _shown(value: Any) -> Any:
    """Make control and format characters of foreign text visible; Markup is ours and stays as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


class Templates:
    """The templates; lives as long as the application."""

    def __init__(self, site: Mapping[str, str]) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(site=dict(site), seconds_between=seconds_between, address=urlencode)

    def fill(self, template: str, **values: Any) -> str:
        """Render a template with these values, all escaped."""
        return self._environment.get_template(f"{template}.html").render(values)


FILTERS: dict[str, Callable[..., Any]] = {
    "ago": ago,
    "arrow": arrow,
    "between": between,
    "breakable": breakable,
    "configured": configured,
    "duration": duration,
    "exact": exact,
    "exactly": exactly,
    "figure": figure,
    "file_link": file_link,
    "measured_name": measured_name,
    "measurement": measurement,
    "memory": memory,
    "plain": plain,
    "queue_place": queue_place,
    "reported": reported,
    "short": short,
    "size": size,
    "zip": zip,
    "web_link": web_link,
}
