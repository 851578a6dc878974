"""The sandbox: where the messages of test tokens go, and nobody's mail.

They walk the whole path to a provider of ours that sends nothing, and reports later as providers
do. It has a row for the hand-offs to name, but is none of the providers that mail is spread over.
"""

from collections.abc import Collection, Sequence
from functools import partial

from notifications.delivery.handoff import Outgoing
from notifications.delivery.provider_config import SANDBOX, ProviderConfig
from notifications.delivery.routing import Route, Wish
from notifications.delivery.steadfast import steadfast
from notifications.delivery.transports.sandbox import script_for
from notifications.history.tracking import Report, apply_tracking_event
from notifications.models import Attempt, Outcome, Provider
from notifications.models.ids import Id

CONFIG = ProviderConfig(
    name=SANDBOX, scheme=SANDBOX, host="", port=0, user="", password="", options=(), weight=1
)

IN_SANDBOX = Wish(SANDBOX, failover=False)
"""Each test message's, whatever its sender wants."""


class WrongWayError(AssertionError):
    """A test message was about to reach a provider, or a real one the sandbox."""


def sandbox_route() -> Route:
    """The way into the sandbox; its row is made when the first test message needs it."""
    row, _ = Provider.objects.get_or_create(name=SANDBOX)
    return Route(CONFIG, row.id, row.weight)


def check_way(outgoing: Outgoing, config: ProviderConfig) -> None:
    """Raise WrongWayError unless test messages, and they alone, go into the sandbox."""
    if outgoing.is_test != (config.name == SANDBOX):
        raise WrongWayError(f"message {outgoing.message_id} must not go to {config.name}")


def report(handoffs: Collection[Id]) -> None:
    """Tell the history what the sandbox reports of `handoffs`, whose outcomes are recorded.

    A worker that dies before leaves them as they were sent: reports can be lost outside, too.
    """
    for attempt in _accepted(handoffs):
        for state, words in script_for(attempt.delivery.address).reports:
            data = {"provider": SANDBOX, "answer": words}
            told = Report(attempt, state, f"{attempt.handoff_id}-{state}", data)
            steadfast(partial(apply_tracking_event, told))


def _accepted(handoffs: Collection[Id]) -> Sequence[Attempt]:
    if not handoffs:
        return ()
    accepted = Attempt.objects.filter(handoff_id__in=handoffs, outcome=Outcome.ACCEPTED)
    return steadfast(lambda: list(accepted.select_related("delivery").order_by("pk")))
