"""What the crew is given, and gives back."""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from notifications.delivery.handoff import HandoffRequest, HandoffResult, Verdict
from notifications.delivery.journal import Journal
from notifications.delivery.provider_config import ProviderConfig
from notifications.delivery.reading import Reach, Reading, reach_of
from notifications.models.lease import Lease


class Job(NamedTuple):
    """One hand-off that is committed as in flight."""

    request: HandoffRequest
    config: ProviderConfig
    lease: Lease
    journal: Journal
    share: int
    """How many hands its provider may hold at once."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A job and how it ended."""

    job: Job
    result: HandoffResult
    reach: Reach = field(init=False)
    """What it says about whether its provider works at all."""

    def __post_init__(self) -> None:
        """Read the verdicts once."""
        reach = reach_of(verdict.reading for verdict in self.result.verdicts.values())
        object.__setattr__(self, "reach", reach)


class Results(Protocol):
    """Where hand-offs' ends go."""

    def put(self, ended: Ended, /) -> None:
        """Take one; called by the hands, in their threads."""


def unbegun(job: Job, reading: Reading) -> Ended:
    """The end of a job of which nothing has reached its provider."""
    return Ended(job, HandoffResult.for_all(job.request, Verdict(reading)))
