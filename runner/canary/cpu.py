"""The CPU time of a probe as the kernel counts it: what a probe reads under gVisor counts its waiting, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from core.ports.sandbox import CpuUse

LEAST_SECONDS = 0.25
"""Of a shorter time the kernel's periods of a tenth of a second leave no rate to judge."""


@dataclass(kw_only=True)
class CpuSamples:
    """Samples of one container, taken while it ran."""

    taken: list[CpuUse] = field(default_factory=list)

    def add(self, use: CpuUse | None) -> None:
        if use is not None:
            self.taken.append(use)

    def finding(self) -> Mapping[str, float] | None:
        """The busiest time between two samples: `used` CPU seconds in `seconds`; and `periods` of a limit till the end.

        None without a sample; zeros for both times if they lie too close together.
        """
        if not self.taken:
            return None
        spans = [(last.used_seconds - first.used_seconds, last.at_seconds - first.at_seconds)
                 for first, last in combinations(self.taken, 2)]  # fmt: skip
        long = [(used, seconds) for used, seconds in spans if seconds >= LEAST_SECONDS]
        used, seconds = max(long, key=lambda span: span[0] / span[1], default=(0.0, 0.0))
        return {"used": round(used, 3), "seconds": round(seconds, 3), "periods": self.taken[-1].periods}
