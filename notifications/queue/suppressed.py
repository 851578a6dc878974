"""Whether a delivery's address has been suppressed since its message was accepted."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from notifications.history.changes import Change
from notifications.models.ids import AnyId
from notifications.models.state import State

SUPPRESSIONS = """
SELECT s.reason FROM notifications_suppression s
WHERE s.owner_id = d.owner_id AND s.address IN (d.address, lower(d.address))
"""
"""Of the delivery `d`, looked up as submission does: by its address as given, and in lower case."""

_FIND = f"""
SELECT d.id, s.reason FROM notifications_delivery d
LEFT JOIN LATERAL ({SUPPRESSIONS} LIMIT 1) s ON true
WHERE d.message_id = ANY(%(ids)s) AND d.state = ANY(%(states)s)
    AND (d.due_at > now() OR NOT %(waits)s)
"""  # noqa: S608 - made of constants


class Candidate(NamedTuple):
    """A delivery that something could be done with."""

    id: UUID
    suppressed: str | None
    """Why its address gets no mail; None: it does."""

    def stop(self) -> Change:
        """The step that keeps mail from an address that gets none."""
        return Change(self.id, State.SUPPRESSED, data={"reason": self.suppressed})


def candidates(
    message_ids: Sequence[AnyId], states: Sequence[State], *, waits: bool = False
) -> list[Candidate]:
    """The messages' deliveries in one of `states`; with `waits` those that are due later only."""
    parameters: dict[str, Any] = {
        "ids": list(message_ids),
        "states": [state.value for state in states],
        "waits": waits,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND, parameters)
        return [Candidate(*row) for row in cursor.fetchall()]
