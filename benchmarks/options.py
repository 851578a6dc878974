"""What `make bench` is told by its environment."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

ENOUGH_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one run."""

    only: tuple[str, ...]
    """The measures to take, in order (`ONLY=headline,latency`, or `ONLY=all`)."""
    rounds: int
    """How often each contestant runs (`ROUNDS`)."""
    scale: float
    """By which the numbers of messages are multiplied (`SCALE`)."""

    @classmethod
    def read(
        cls, environ: Mapping[str, str], *, known: Collection[str], default: Collection[str]
    ) -> Self:
        """Read the environment. Raises ValueError, with what is wrong."""
        named = environ.get("ONLY", "").replace(",", " ").split()
        only = tuple(known) if named == ["all"] else tuple(named or default)
        if unknown := [name for name in only if name not in known]:
            raise ValueError(f"ONLY={unknown[0]} is none of {', '.join(known)}")
        rounds, scale = int(environ.get("ROUNDS") or 3), float(environ.get("SCALE") or 1)
        if rounds < 1 or scale <= 0:
            raise ValueError("ROUNDS must be at least 1, and SCALE more than 0")
        return cls(only, rounds, scale)

    @property
    def is_trial(self) -> bool:
        """Too short to be told to anybody: it goes into var/, and the docs stay as they are."""
        return self.scale < 1 or self.rounds < ENOUGH_ROUNDS

    def scaled(self, count: int) -> int:
        """So many of `count` messages."""
        return max(10, round(count * self.scale))
