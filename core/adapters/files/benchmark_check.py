"""Looks at a benchmark's folder as its readers will: benchmark.yaml, the folders of each category, every picture."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.adapters.files.benchmark_layout import GOOD, MASKS, TEST, TRAIN, Category, Enough, entries_below, listed
from core.adapters.files.benchmark_pictures import READ, Picture, Unreadable, look_at
from core.adapters.files.benchmark_rules import category_faults, mask_of
from core.adapters.files.benchmark_verified import ids_faults, listed_verified
from core.adapters.files.benchmark_yaml import NAME, read_yaml
from core.domain.benchmark_check import MOST_FINDINGS, BenchmarkCheck, Finding

MOST_ENTRIES = 500_000
MOST_SECONDS = 3600.0


@dataclass(kw_only=True)
class Budget:
    """What one check may use: entries of folders and seconds."""

    entries: int = MOST_ENTRIES
    seconds: float = MOST_SECONDS
    clock: Callable[[], float] = time.monotonic
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.clock() + self.seconds

    def spend(self) -> None:
        """Count one entry or picture. Raises Enough."""
        self.entries -= 1
        if self.entries < 0:
            raise Enough("the folder has too many entries")
        if self.clock() > self._until:
            raise Enough(f"the check was to take at most {self.seconds:g} s")


def check_settings(folder: Path) -> BenchmarkCheck:
    """What is wrong with benchmark.yaml alone."""
    settings = read_yaml(folder / NAME)
    return BenchmarkCheck(
        name=folder.name,
        findings=settings.findings,
        is_listed=settings.benchmark is not None,
        unseen="only benchmark.yaml was looked at",
    )


def check_folder(folder: Path, *, budget: Budget | None = None, with_pictures: bool = True) -> BenchmarkCheck:
    """Everything that is wrong in the folder of a benchmark; `with_pictures=False` reads none of its pictures."""
    settings = read_yaml(folder / NAME)
    check = _Check(
        folder=folder, budget=budget or Budget(), with_pictures=with_pictures, findings=list(settings.findings)
    )
    if settings.data is not None:
        check.data_of(settings.data, settings.categories, is_verified=settings.is_verified)
    shown = check.findings[:MOST_FINDINGS]
    return BenchmarkCheck(
        name=folder.name,
        findings=shown,
        more=len(check.findings) - len(shown),
        is_listed=settings.benchmark is not None,
        pictures=check.read,
        unseen=check.unseen if settings.data else f"{NAME} cannot be read, so the data was not looked at",
    )


@dataclass(kw_only=True)
class _Check:
    """One look at one folder."""

    folder: Path
    budget: Budget
    with_pictures: bool
    findings: list[Finding]
    read: int = 0
    unseen: str = ""

    def data_of(self, data: str, categories: Sequence[str], *, is_verified: bool) -> None:
        root = self.folder / data
        try:
            if root.is_symlink() or not root.is_dir():
                self._no_data(data, root)
                return
            if is_verified:
                self._verified(data, categories, root)
            else:
                self._categories(data, categories, root)
        except Enough as error:
            self.unseen = f"{error}, so not everything was looked at"
        except OSError as error:
            self._say(data, f"cannot be read ({error.strerror}); make it readable for all: chmod -R a+rX")

    def _no_data(self, data: str, root: Path) -> None:
        if root.is_symlink():
            self._say(
                data, "is a link, which the sandbox does not follow; put the folder itself there, or mount it there"
            )
        elif (self.folder / "make.py").is_file():
            self._say(data, "is drawn by make.py at the installation, and not there yet: run make.py first", note=True)
        else:
            self._say(
                data, "is not there: put the pictures into this folder, or name theirs as `data` in benchmark.yaml"
            )

    def _categories(self, data: str, categories: Sequence[str], root: Path) -> None:
        there = _folders(root)
        holding = [name for name in there if any((root / name / split).is_dir() for split in (TRAIN, TEST, MASKS))]
        if not categories:
            listing = f": categories: [{', '.join(holding)}]" if holding else ", each with train, test and ground_truth"
            self._say(NAME, f"names no categories; write the folders of {data}{listing}")
        for name in self._present(data, categories, there):
            self._category(f"{data}/{name}", root / name)
        for name in sorted(set(holding) - set(categories)):
            self._say(f"{data}/{name}", f"is no category of {NAME}: add it there, or remove it", note=True)

    def _present(self, data: str, categories: Sequence[str], there: Sequence[str]) -> Iterator[str]:
        """The categories that have a folder; of the others it says what was perhaps meant."""
        for name in categories:
            if name in there:
                yield name
            else:
                meant = difflib.get_close_matches(name, there, n=1)
                hint = f" There is {meant[0]!r}: rename one of them." if meant else " Add it, or leave it out there."
                self._say(f"{data}/{name}", f"is a category of {NAME}, and there is no such folder.{hint}")

    def _verified(self, data: str, categories: Sequence[str], root: Path) -> None:
        """A verified benchmark without categories is of another task: whatever its own scorer's runs read."""
        if not categories:
            for path, is_plain in entries_below(root, "", self.budget.spend):
                if not is_plain:
                    self._say(f"{data}/{path}", "is a link or no plain file; put the file itself there")
            return
        present = self._present(data, categories, _folders(root))
        found = {name: listed_verified(root / name, self.budget.spend) for name in present}
        for path, rule in ids_faults(root, found):
            self._say(f"{data}/{path}", rule)
        for name, category in found.items():
            for path, rule in category.faults:
                self._say(f"{data}/{name}/{path}", rule)
            if self.with_pictures:
                for _path, _picture in self._apart(f"{data}/{name}", root / name, category.train, category.test):
                    pass

    def _category(self, place: str, folder: Path) -> None:
        category = listed(folder, self.budget.spend)
        for path, rule in category_faults(category, folder):
            self._say(f"{place}/{path}", rule)
        if self.with_pictures:
            self._pictures(place, category, folder)

    def _pictures(self, place: str, category: Category, folder: Path) -> None:
        for path, found in self._apart(place, folder, _files(category, TRAIN), _files(category, TEST)):
            self._mask_of(found, path, place, category, folder)

    def _apart(
        self, place: str, folder: Path, train: Iterable[str], test: Iterable[str]
    ) -> Iterator[tuple[str, Picture | None]]:
        """Look at each picture; those to test on are handed out, and none of them may be trained on."""
        trained_on: dict[str, str] = {}
        for path in train:
            if found := self._look(f"{place}/{path}", folder / path, is_mask=False):
                trained_on.setdefault(found.sha256, path)
        for path in test:
            found = self._look(f"{place}/{path}", folder / path, is_mask=False)
            if found and found.sha256 in trained_on:
                self._say(f"{place}/{path}", f"is the same file as {trained_on[found.sha256]}: remove one of them")
            yield path, found

    def _mask_of(self, picture: Picture | None, path: str, place: str, category: Category, folder: Path) -> None:
        _split, label, name = path.split("/")
        own = mask_of(category, label, name) if label != GOOD else None
        if own is None:
            return
        where = f"{MASKS}/{label}/{own}"
        mask = self._look(f"{place}/{where}", folder / where, is_mask=True)
        if mask and picture and (mask.width, mask.height) != (picture.width, picture.height):
            sizes = f"{mask.width} x {mask.height} pixels, and its picture {picture.width} x {picture.height}"
            self._say(f"{place}/{where}", f"has {sizes}; make it as large, by nearest neighbour")

    def _look(self, place: str, path: Path, *, is_mask: bool) -> Picture | None:
        if path.suffix.lower() not in READ:
            return None
        self.budget.spend()
        self.read += 1
        try:
            found = look_at(path, is_mask=is_mask)
        except Unreadable as error:
            self._say(place, str(error))
            return None
        for rule in found.faults:
            self._say(place, rule)
        for rule in found.notes:
            self._say(place, rule, note=True)
        return found

    def _say(self, path: str, rule: str, *, note: bool = False) -> None:
        self.findings.append(Finding(path=path, rule=rule, is_note=note))


def _folders(root: Path) -> list[str]:
    return sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.is_symlink())


def _files(category: Category, split: str) -> Iterator[str]:
    for label, names in sorted(category.pictures[split].items()):
        yield from (f"{split}/{label}/{name}" for name in sorted(names))
