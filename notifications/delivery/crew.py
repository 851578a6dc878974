"""The threads that talk to providers. They hold persistent connections and no database."""

import os
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

from django.conf import settings

from notifications.delivery.handoff import HandoffRequest, HandoffResult, Transport, Verdict
from notifications.delivery.providers import ProviderConfig, open_transport
from notifications.delivery.reading import Reading
from notifications.models.lease import HANDOFF_SECONDS, Lease, LeaseLostError, boottime

_NOT_BEGUN = Verdict(Reading.NOT_BEGUN)


@dataclass(frozen=True, slots=True)
class Job:
    """One hand-off that is committed as in flight."""

    request: HandoffRequest
    config: ProviderConfig
    lease: Lease


@dataclass(frozen=True, slots=True)
class Ended:
    """A job and how it ended."""

    job: Job
    result: HandoffResult


class Crew:
    """A fixed number of threads with their transports, one of each provider a thread."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="handoff")
        self._own = threading.local()

    def start(self, job: Job, results: SimpleQueue[Ended]) -> None:
        """Hand `job` over as soon as a thread is free; its end is put into `results`."""
        self._executor.submit(lambda: results.put(Ended(job, self._run(job))))

    def _run(self, job: Job) -> HandoffResult:
        """Hand over, whatever happens: every job that was started must end."""
        if job.lease.remaining() < HANDOFF_SECONDS:
            return HandoffResult.for_all(job.request, _NOT_BEGUN)
        committed = threading.Event()

        def commit() -> None:
            if job.lease.remaining() <= 0:
                raise LeaseLostError
            committed.set()

        try:
            return self._transport(job.config).send(
                job.request, commit=commit, deadline=boottime() + HANDOFF_SECONDS
            )
        except LeaseLostError:
            return HandoffResult.for_all(job.request, _NOT_BEGUN)
        except Exception:  # noqa: BLE001 - a transport's own fault must not lose the hand-off
            reading = Reading.AMBIGUOUS if committed.is_set() else Reading.UNBUILDABLE
            verdict = Verdict(reading, answer=traceback.format_exc())
            return HandoffResult.for_all(job.request, verdict)

    def _transport(self, config: ProviderConfig) -> Transport:
        transports: dict[ProviderConfig, Transport] = self._own.__dict__.setdefault("open", {})
        if config not in transports:
            transports[config] = open_transport(config)
        return transports[config]


_crews: dict[int, Crew] = {}


def crew() -> Crew:
    """This process's crew, made on first use: threads do not survive a fork."""
    pid = os.getpid()
    if pid not in _crews:
        _crews.clear()
        _crews[pid] = Crew(settings.LIMBO_THREADS)
    return _crews[pid]
