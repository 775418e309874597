"""The table of hostile cases as Markdown, with the versions that it was measured with."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import docker

from tests.docker.hostile.arena import Row

BEGIN, END = "<!-- hostile table: begin -->", "<!-- hostile table: end -->"


def table(rows: Sequence[Row]) -> str:
    lines = ["| case | what it tries | outcome | bound by |", "|---|---|---|---|"]
    for row in sorted(rows, key=_order):
        cells = (row.case, row.attempt, row.outcome, row.bound_by)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _order(row: Row) -> tuple[bool, int]:
    found = re.search(r"\d+", row.case)
    return (not row.case.startswith("H"), int(found[0]) if found else 0)


def versions() -> str:
    client = docker.DockerClient(base_url=os.environ["LEADERSBOARD_TEST_ENGINE"])
    try:
        told = client.version()
    finally:
        client.close()
    parts = {part["Name"]: part["Version"] for part in told["Components"]}
    cgroups = "v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "v1"
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}; engine {told['Version']}, runc {parts.get('runc', '?')}, "
        f"kernel {platform.release()}, cgroup {cgroups}."
    )


def write_into(path: Path, rows: Sequence[Row]) -> None:
    """Put the table between its marks in a page; only after a run in which every case held."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{versions()} {len(rows)} rows.\n\n{table(rows)}\n{END}{after}")
