"""What the crew is given, and gives back."""

from typing import Protocol

from notifications.delivery.handoff import HandoffRequest, HandoffResult, Verdict
from notifications.delivery.journal import Journal
from notifications.delivery.provider_config import ProviderConfig
from notifications.delivery.reading import Reach, Reading, reach_of
from notifications.models.lease import Lease
from notifications.models.record import record


@record
class Job:
    """One hand-off that is committed as in flight."""

    request: HandoffRequest
    config: ProviderConfig
    lease: Lease
    journal: Journal
    share: int
    """How many hands its provider may hold at once."""


@record
class Ended:
    """A job and how it ended."""

    job: Job
    result: HandoffResult
    reach: Reach
    """What it says about whether its provider works at all."""

    @classmethod
    def with_result(cls, job: Job, result: HandoffResult) -> "Ended":
        """Read the verdicts once."""
        readings = [verdict.reading for verdict in result.verdicts.values()]
        return cls(job, result, reach_of(readings))


class Results(Protocol):
    """Where hand-offs' ends go."""

    def put(self, ended: Ended, /) -> None:
        """Take one; called by the hands, in their threads."""


def unbegun(job: Job, reading: Reading) -> Ended:
    """The end of a job of which nothing has reached its provider."""
    return Ended.with_result(job, HandoffResult.for_all(job.request, Verdict(reading)))
