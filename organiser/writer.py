"""Writes a verified benchmark: what runs see, and the labels that they do not, in two folders.

OUTPUT/benchmark.yaml
OUTPUT/public/ids.json                       {"weave": ["00000", "00001"]}
OUTPUT/public/weave/train/good/n00000.png
OUTPUT/public/weave/test/00000.png           neutral names, in an order drawn from the seed
LABELS/labels.json, LABELS/masks/00001.png   as scorer/labels.py reads them
LABELS/prepared.json                         the source and the SHA-256 of each picture, and the seed

Files have one time, and were written in the order of their names.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from core.adapters.files.benchmark_pictures import Unreadable
from organiser.pictures import Encoded, read_mask, read_picture
from organiser.samples import Refused, Sample, Source
from organiser.settings_file import as_yaml, settings
from scorer.faults import Faults
from scorer.labels import FILE as LABELS_FILE
from scorer.labels import VERSION as LABELS_VERSION

MADE_AT = 946_684_800
"""The time of every file, in seconds since 1970: that of a copy could tell which pictures were taken together."""
DIGITS = 5
PREPARED = "prepared.json"
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be made. `map_size` is (width, height): maps that the benchmark takes besides the pictures' size."""

    name: str
    title: str
    description: str
    root: Path
    """Where the data set lies; paths of sources are told below it."""
    seed: int
    map_size: tuple[int, int] | None = None


@dataclass(kw_only=True)
class Writer:
    """Writes one benchmark into two empty folders; a fault ends the writing, and the rest is only looked at."""

    plan: Plan
    output: Path
    labels: Path
    faults: Faults
    say: Say
    _next: int = 0
    _labels: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _prepared: dict[str, dict[str, str]] = field(default_factory=dict)
    _seen: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The use and the path of each picture, by its content."""

    def write(self, sources: Sequence[Source]) -> None:
        """Raises Refused with all that is wrong with the pictures, and OSError."""
        for source in sources:
            self._category(source)
        self.faults.raise_as(Refused)
        names = [source.name for source in sources]
        document = settings(
            self.plan.name, self.plan.title, self.plan.description, names,
            has_masks=all(source.has_masks for source in sources),
        )  # fmt: skip
        (self.output / "benchmark.yaml").write_text(as_yaml(document), "utf-8")
        ids = {name: [row["id"] for row in self._labels[name]] for name in names}
        _write_json(self.output / "public" / "ids.json", ids)
        map_size = {"map_size": list(self.plan.map_size)} if self.plan.map_size else {}
        _write_json(self.labels / LABELS_FILE, {"version": LABELS_VERSION, **map_size, "categories": self._labels})
        _write_json(self.labels / PREPARED, {"seed": self.plan.seed, "files": self._prepared})
        for folder in (self.output, self.labels):
            _set_times(folder)

    def _category(self, source: Source) -> None:
        anomalous = sum(sample.is_anomalous for sample in source.test)
        counts = f"{len(source.train)} to train on, {len(source.test)} to test on, {anomalous} of them anomalous"
        self.say(f"{source.name}: {counts}")
        for number, path in enumerate(source.train):
            place = f"{source.name}/train/good/n{number:0{DIGITS}}.png"
            if picture := self._read(path, "to train on"):
                self._put(path, place, picture)
        samples = list(source.test)
        Random(f"{self.plan.seed}:{source.name}").shuffle(samples)  # noqa: S311 the seed is the secret
        rows = [row for sample in samples if (row := self._sample(source.name, sample))]
        self._labels[source.name] = rows
        self._say_what_sizes_tell(source.name, rows)

    def _sample(self, category: str, sample: Sample) -> dict[str, Any] | None:
        picture = self._read(sample.path, "anomalous" if sample.is_anomalous else "normal")
        if picture is None:
            return None
        own = f"{self._next:0{DIGITS}}"
        self._next += 1
        self._put(sample.path, f"{category}/test/{own}.png", picture)
        row = {"id": own, "size": list(picture.size), "anomalous": sample.is_anomalous}
        if sample.mask:
            try:
                mask = read_mask(sample.mask, picture.size)
            except Unreadable as error:
                self.faults.add(f"a mask {error}", self._told(sample.mask))
                return row
            row["mask"] = place = f"masks/{own}.png"
            self._save(self.labels / place, mask.png)
        return row

    def _read(self, path: Path, use: str) -> Encoded | None:
        try:
            picture = read_picture(path)
        except Unreadable as error:
            self.faults.add(f"a picture {error}", self._told(path))
            return None
        other_use, other = self._seen.setdefault(picture.content, (use, self._told(path)))
        if other_use != use:
            self.faults.add(f"one picture is both {other_use} and {use}; remove one", f"{other}, {self._told(path)}")
        return picture

    def _put(self, path: Path, place: str, picture: Encoded) -> None:
        sha256 = hashlib.sha256(picture.png).hexdigest()
        self._prepared[place] = {"source": self._told(path), "sha256": sha256}
        self._save(self.output / "public" / place, picture.png)

    def _save(self, path: Path, raw: bytes) -> None:
        if not self.faults.found:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)

    def _told(self, path: Path) -> str:
        return path.relative_to(self.plan.root).as_posix()

    def _say_what_sizes_tell(self, category: str, rows: Sequence[dict[str, Any]]) -> None:
        normal, anomalous = ({tuple(row["size"]) for row in rows if row["anomalous"] is kind} for kind in (False, True))
        if normal and anomalous and not normal & anomalous:
            self.say(f"note: in {category} the size of a picture alone tells whether it is anomalous; make them alike")


def _write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _set_times(folder: Path) -> None:
    for place, _folders, files in os.walk(folder, topdown=False):
        for name in files:
            os.utime(Path(place) / name, (MADE_AT, MADE_AT))
        os.utime(place, (MADE_AT, MADE_AT))
