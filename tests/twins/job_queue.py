"""The doorbell in memory: the twin of DramatiqQueue for tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class MemoryJobQueue:
    """JobQueuePort that counts unanswered rings."""

    rings: Counter[str] = field(default_factory=Counter)

    def ring(self, resource_class: str) -> None:
        self.rings[resource_class] += 1

    def silent(self, resource_class: str) -> bool:
        return not self.rings[resource_class]

    def answer(self, resource_class: str) -> None:
        """Hear one ring, as a runner would."""
        self.rings[resource_class] -= 1
