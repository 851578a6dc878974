"""What a hand-off's answer says about the provider itself."""

from collections.abc import Iterable

from notifications.delivery.crew import Ended
from notifications.delivery.providers import close_provider, switch_off
from notifications.delivery.reading import Reading
from notifications.delivery.steadfast import steadfast

EXHAUSTED_SECONDS = 60.0
"""How long a provider that is out of quota rests when it does not say so itself."""


def note_provider_faults(ended: Iterable[Ended]) -> None:
    """Switch off providers that refused our credentials; close those that asked us to wait."""
    faults: dict[str, str] = {}
    waits: dict[str, float] = {}
    for end in ended:
        name = end.job.config.name
        for verdict in end.result.verdicts.values():
            if verdict.reading is Reading.MISCONFIGURED:
                faults[name] = f"It refused our credentials: {verdict.code} {verdict.answer}"
            elif verdict.reading is Reading.EXHAUSTED:
                wait = end.result.retry_after or EXHAUSTED_SECONDS
                waits[name] = max(wait, waits.get(name, 0.0))
    for name, fault in faults.items():
        steadfast(lambda name=name, fault=fault: switch_off(name, fault=fault))  # type: ignore[misc]
    for name, wait in waits.items():
        steadfast(lambda name=name, wait=wait: close_provider(name, seconds=wait))  # type: ignore[misc]
