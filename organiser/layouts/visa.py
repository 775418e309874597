"""Reads VisA's layout, in which a table names every picture: `split_csv/1cls.csv`.

object,split,label,image,mask
candle,train,normal,candle/Data/Images/Normal/0000.JPG,
candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png

Paths are below the folder of the data set; files that the table does not name are not looked at.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from core.adapters.files.benchmark_pictures import Unreadable, bounded_bytes
from organiser.samples import Sample, Source
from scorer.faults import Faults

TABLE = "split_csv/1cls.csv"
COLUMNS = ("object", "split", "label", "image", "mask")
Row = Mapping[str, str]


def is_visa(root: Path) -> bool:
    return (root / TABLE).is_file()


def read_visa(root: Path, wanted: Sequence[str], faults: Faults) -> list[Source]:
    """The wanted objects of the table; all of them if none is named."""
    rows: dict[str, list[Row]] = {}
    seen: set[str] = set()
    for row in _table(root / TABLE, faults):
        if row["image"] in seen:
            faults.add(f"a picture is there twice in {TABLE}", row["image"])
        seen.add(row["image"])
        rows.setdefault(row["object"], []).append(row)
    for name in wanted:
        if name not in rows:
            faults.add(f"there is no such object in {TABLE}; there are {', '.join(rows) or 'none'}", name)
    return [_source(root, name, of, faults) for name, of in rows.items() if not wanted or name in wanted]


def _table(path: Path, faults: Faults) -> list[Row]:
    try:
        text = bounded_bytes(path).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = list(reader)
    except (Unreadable, ValueError, csv.Error) as error:
        faults.add(f"{TABLE} cannot be read as a table: {error}")
        return []
    if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        faults.add(f"{TABLE} lacks the columns {', '.join(missing)}; it needs {','.join(COLUMNS)}")
        return []
    whole: list[Row] = [row for row in rows if None not in row and all(row[name] is not None for name in COLUMNS)]
    if len(whole) < len(rows):
        faults.add(f"{TABLE} has {len(rows) - len(whole):,} rows with too many or too few fields")
    return whole


def _source(root: Path, name: str, rows: Sequence[Row], faults: Faults) -> Source:
    train: list[Path] = []
    test: list[Sample] = []
    for row in rows:
        split, label = row["split"].strip(), row["label"].strip()
        if split not in {"train", "test"} or label not in {"normal", "anomaly"}:
            faults.add(
                f"{TABLE}: split must be train or test, and label normal or anomaly", f"{row['image']} {split} {label}"
            )
        elif (picture := _file(root, row["image"], faults)) is None:
            continue
        elif split == "test":
            is_anomalous, mask = label == "anomaly", row["mask"].strip()
            if mask and not is_anomalous:
                faults.add(f"{TABLE} gives a normal picture a mask", row["image"])
            found = _file(root, mask, faults) if mask and is_anomalous else None
            test.append(Sample(path=picture, is_anomalous=is_anomalous, mask=found))
        elif label == "normal":
            train.append(picture)
        else:
            faults.add(f"{TABLE} has an anomalous picture to train on; only normal ones are trained on", row["image"])
    return Source(name=name, train=train, test=test)


def _file(root: Path, named: str, faults: Faults) -> Path | None:
    """The file below `root`; a fault where it leads out of it, through a link, or to nothing."""
    place = PurePosixPath(named)
    if not named or "\0" in named or place.is_absolute() or ".." in place.parts:
        faults.add(f"{TABLE} names a file that is not below its folder", named)
        return None
    path = root / place
    if any(part.is_symlink() for part in (path, *path.parents) if part.is_relative_to(root) and part != root):
        faults.add("a file is a link or lies behind one; put the file itself there", named)
        return None
    if not path.is_file():
        faults.add(f"{TABLE} names a file that is not there", named)
        return None
    return path
