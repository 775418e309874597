"""Checks at upload whether this site has the weights that a submission asks for (FLD-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.errors import Fault, Unavailable
from core.domain.submission import Findings, path_faults, shown
from core.domain.weights import LONGEST_NAME, NAME, Weights, is_there
from core.ports.weights import WeightsPort

KEY = "weights"
MOST_NAMES = 50
MOST_SHOWN = 10
"""Names in one sentence."""
EXAMPLE = '["timm/resnet18.a1_in1k"]'
OWN_MEANING = "If it means something else to your program, call it otherwise"

AskedInConfig = Callable[[bytes], list[str | None] | str | None]
"""Reads a config file: the list of what it asks for, None for each item that is no text; or a single text; or None."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightsCheck:
    """What `weights` in the config file and in the metadata asks for, against what the site has.

    In the metadata it must be a list of names. A config file is the program's own: only a list with text in it asks.
    """

    weights: WeightsPort
    asked_in_config: AskedInConfig

    def at_upload(self, folder: Path, config: tuple[str, bytes], metadata: Mapping[str, Any]) -> Findings:
        """`config`: the file's name and content. A file of the submission counts as being there, too."""
        name, raw = config
        asked = self.asked_in_config(raw)
        is_request = isinstance(asked, list) and any(item is not None for item in asked)
        faults = [Fault(field="metadata", rule=f"{KEY} {rule}") for rule in self._broken(metadata, folder)]
        if isinstance(asked, list) and is_request:
            told = f"{KEY} in {shown(name)}"
            faults += [
                Fault(field="config_file", rule=f"{told} {rule}. {OWN_MEANING}") for rule in self._rules(asked, folder)
            ]
        return Findings(faults=faults, notes=[_note(name, asked)] if isinstance(asked, str) else [])

    def _broken(self, metadata: Mapping[str, Any], folder: Path) -> Iterator[str]:
        if KEY not in metadata:
            return
        asked = metadata[KEY]
        if isinstance(asked, list):
            yield from self._rules(asked, folder)
        else:
            yield f"must be a list of names, for example {EXAMPLE}"

    def _rules(self, asked: Sequence[object], folder: Path) -> Iterator[str]:
        if len(asked) > MOST_NAMES:
            yield f"has more than {MOST_NAMES} names: name fewer"
            return
        for number, item in enumerate(asked, 1):
            if not isinstance(item, str):
                yield f"must be a list of names, and item {number} is no text: write for example {EXAMPLE}"
                return
        names = [str(item) for item in asked if not _is_own_file(folder, str(item))]
        bad = [name for name in names if len(name) > LONGEST_NAME or not NAME.fullmatch(name)]
        if bad:
            yield (
                f"has {shown(bad[0])}, which is no name of weights: those have letters, digits, '_', '.', '+' and '-', "
                "and at most one '/'; `GET /weights` and `leadersboard weights` list them"
            )
        yield from self._missing([name for name in names if name not in bad])

    def _missing(self, names: Sequence[str]) -> Iterator[str]:
        try:
            found = self.weights.list_weights() if names else ()
        except Unavailable:  # the run finds out
            return
        missing = [name for name in dict.fromkeys(names) if not is_there(name, found)]
        if missing:
            yield (
                f"asks for {_listed([shown(name) for name in missing])}, which this site does not have. "
                f"{_offered(found)}. Ask its admin to add what is missing (scripts/weights add), or bring it in the "
                "submission"
            )


def _is_own_file(folder: Path, name: str) -> bool:
    """Whether it is the path of a file of the submission."""
    path = name.removeprefix("./")
    return not path_faults("", path) and (folder / path).is_file()


def _offered(found: Sequence[Weights]) -> str:
    if not found:
        return "It has none of its own yet; the sandbox image has tf_efficientnet_lite0"
    return f"It has {_listed([one.name for one in found])}; the sandbox image has tf_efficientnet_lite0"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_SHOWN
    return ", ".join(names[:MOST_SHOWN]) + (f" and {more} more (`GET /weights` lists all)" if more > 0 else "")


def _note(name: str, asked: str) -> str:
    return (
        f"{KEY} in {shown(name)} is {shown(asked)} and no list, so it was not looked up among the site's weights: "
        f"to have that done, write {KEY}: [NAME]."
    )
