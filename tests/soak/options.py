"""What the person at the terminal may choose."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one soak, from the environment."""

    minutes: float
    """How long faults are made, under load (`MINUTES`)."""
    rate: float
    """Messages a second that are submitted (`RATE`)."""
    seed: int
    """What load, faults and providers' moods are drawn from (`SEED`)."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment. Raises ValueError for a number that is none."""
        return cls(
            minutes=float(environ.get("MINUTES") or 15),
            rate=float(environ.get("RATE") or 30),
            seed=int(environ.get("SEED") or random.SystemRandom().randrange(10**6)),
        )

    def draw(self, name: str) -> random.Random:
        """The random numbers of one part: its own, so that the parts do not disturb each other."""
        return random.Random(f"{self.seed}/{name}")
