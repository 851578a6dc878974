"""What a hand-off's answer says about the provider itself."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from notifications.delivery.breaker import FAILURES_IN_A_ROW, End, note_ends
from notifications.delivery.handoff import HandoffResult, Verdict
from notifications.delivery.jobs import Ended
from notifications.delivery.providers import close_provider, switch_off
from notifications.delivery.reading import FOR_ALL, RULES, Reach, Reading
from notifications.delivery.steadfast import steadfast

EXHAUSTED_SECONDS = 60.0
"""How long a provider that is out of quota rests when it does not say so itself."""


def note_provider_faults(ended: Iterable[Ended]) -> set[str]:
    """Note what the ends of hand-offs, in their order, say about their providers.

    One that refused our credentials is switched off, one that asked us to wait is closed, and one
    that fails too often has its breaker opened. Returns the names of those that must get nothing
    more now. To be called outside a transaction, see `breaker`.
    """
    by_provider: dict[str, list[Ended]] = defaultdict(list)
    for end in ended:
        if end.job.request.outgoing.is_test:
            continue  # the sandbox says what it was asked to say
        by_provider[end.job.config.name].append(end)
    return {name for name, ends in by_provider.items() if not _may_get_more(name, ends)}


def call_for_action(ended: Sequence[Ended]) -> bool:
    """Whether the last of these ends makes it likely that its provider must get nothing more."""
    readings = _readings(ended[-1])
    if not readings.isdisjoint(FOR_ALL):
        return True
    if ended[-1].reach is not Reach.FAILED:
        return False
    return sum(end.reach is Reach.FAILED for end in ended) >= FAILURES_IN_A_ROW


def _readings(end: Ended) -> set[Reading]:
    return {verdict.reading for verdict in end.result.verdicts.values()}


def _may_get_more(name: str, ended: Sequence[Ended]) -> bool:
    is_well = steadfast(partial(note_ends, name, [_end(end) for end in ended]))
    refusals = [
        (end.result, verdict)
        for end in ended
        for verdict in end.result.verdicts.values()
        if verdict.reading in FOR_ALL
    ]
    return is_well and not (_is_switched_off(name, refusals) | _is_closed(name, refusals))


_FAILED = Reach.FAILED  # what is looked up in an enum each time takes ten times as long


def _end(end: Ended) -> End:
    """How a hand-off ended for the breaker, with the answer that makes it a failure."""
    if end.reach is not _FAILED:
        return end.reach, ""
    verdicts = end.result.verdicts.values()
    return end.reach, next(v.answer for v in verdicts if RULES[v.reading].reach is Reach.FAILED)


def _is_switched_off(name: str, refusals: Iterable[tuple[HandoffResult, Verdict]]) -> bool:
    ours = [verdict for _, verdict in refusals if verdict.reading is Reading.MISCONFIGURED]
    if ours:
        fault = f"It refused our credentials: {ours[-1].code} {ours[-1].answer}"
        steadfast(partial(switch_off, name, fault=fault))
    return bool(ours)


def _is_closed(name: str, refusals: Iterable[tuple[HandoffResult, Verdict]]) -> bool:
    waits = [
        result.retry_after or EXHAUSTED_SECONDS
        for result, verdict in refusals
        if verdict.reading is Reading.EXHAUSTED
    ]
    if waits:
        steadfast(partial(close_provider, name, seconds=max(waits)))
    return bool(waits)
