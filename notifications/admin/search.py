"""One search box for messages: what is typed is classified, and each class has its own index.

An address, a message's id and a provider's id are each looked for by one limited query. Joining
them by OR would make the planner read the whole table.
"""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import QuerySet

from notifications.intake.addresses import AddressError, read_mailbox
from notifications.models import Delivery, Handoff, Message

LIMIT = 1000
"""The newest matches that one class of a search answers with."""

Matches = QuerySet[Delivery, UUID] | QuerySet[Handoff, UUID] | QuerySet[Message, UUID]


def find(term: str) -> set[UUID]:
    """The ids of the newest messages that `term` names; empty if it names none."""
    return {message_id for matches in queries(term.strip()) for message_id in matches[:LIMIT]}


def found(term: str) -> QuerySet[Message, UUID]:
    """The ids of all messages that `term` names, as one query."""
    nothing = Message.objects.none().values_list("id", flat=True)
    return nothing.union(*(matches.order_by() for matches in queries(term.strip())))


def queries(term: str) -> Iterator[Matches]:
    """One query for each class that `term` may belong to, each giving messages' ids.

    A Message-ID header of ours holds the message's id, and finds it too.
    """
    bare = term.strip("<>")
    message_id = _as_uuid(bare.partition("@")[0])
    if message_id is not None:
        yield Message.objects.filter(id=message_id).values_list("id", flat=True)
    if "@" in term:
        yield (
            Delivery.objects.filter(address__in={term, _as_stored(term)})
            .order_by("-message_id")
            .values_list("message_id", flat=True)
        )
    if bare:
        # the first condition is the partial index's: without it the planner cannot use it
        yield (
            Handoff.objects.exclude(provider_message_id="")
            .filter(provider_message_id__in={bare, f"<{bare}>"})
            .values_list("message_id", flat=True)
        )


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _as_stored(address: str) -> str:
    """`address` in the spelling under which a submission stores it."""
    try:
        return read_mailbox(address).address
    except AddressError:
        return address
