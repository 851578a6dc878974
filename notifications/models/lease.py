"""The lease: who may work on a claimed message, and for how long.

A lease is a random token in the message's row with a time in the database's clock. Each step that
needs it is a compare-and-set on the token, so that a worker that lost it can do no harm.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import connection

from notifications.models.errors import LimboError
from notifications.models.ids import AnyId, Id

LEASE_SECONDS = 60
"""How long a claim or a renewal holds."""

RENEWED = f"now() + {LEASE_SECONDS} * interval '1 second'"
"""Until when one holds that is claimed or renewed now, by the database's clock."""

RENEW_SECONDS = 10
"""How often the worker renews what it still works on."""

HANDOFF_SECONDS = 40
"""The absolute bound of one hand-off; none begins with less of its lease left."""


class LeaseLostError(LimboError):
    """Another worker may hold the message now: nothing more may be sent under this lease."""


boottime = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
"""Seconds of the clock that also counts a suspended machine's time."""


@dataclass(slots=True)
class Lease:
    """A worker's view of its lease: the token, and until when it surely holds."""

    token: UUID
    until: float = 0.0

    def remaining(self) -> float:
        """Seconds for which it surely holds, on this machine's clock."""
        return self.until - boottime()

    @property
    def is_to_be_renewed(self) -> bool:
        """Whether so much of it is used up that the worker renews it; one that is lost, never."""
        return 0 < self.until <= boottime() + LEASE_SECONDS - RENEW_SECONDS

    def renew(self, message_ids: Sequence[AnyId]) -> list[Id]:
        """Extend the lease on those of `message_ids` that still carry it, and return them."""
        # taken before the statement: the answer's way back must not lengthen the lease
        asked_at = boottime()
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                UPDATE notifications_message SET lease_until = {RENEWED}
                WHERE id = ANY(%s) AND lease_token = %s
                RETURNING id::text
                """,  # noqa: S608 - made of constants
                [list(message_ids), self.token],
            )
            held = [row[0] for row in cursor.fetchall()]
        if held:
            self.hold_from(asked_at)
        return held

    def hold_from(self, moment: float) -> None:
        """Note that it is held by a statement that began at `moment` of `boottime()`."""
        self.until = moment + LEASE_SECONDS

    def lose(self) -> None:
        """Take it for lost: nothing more may begin under it."""
        self.until = 0.0

    def release(self, message_ids: Sequence[AnyId]) -> None:
        """Give up the lease on `message_ids`; where it is already lost nothing changes.

        A message with an attempt in flight keeps it: such a message must meet the sweeper when
        its worker does not record the outcome. What is not due any more loses its turn, which a
        worker of an older version may have left to it: the claim would take it again and again.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE notifications_message m SET lease_token = NULL, lease_until = NULL,
                    turn = CASE WHEN due_at <= now() THEN turn END
                WHERE id = ANY(%s) AND lease_token = %s AND NOT EXISTS (
                    SELECT 1 FROM notifications_delivery d
                    WHERE d.message_id = m.id AND d.state = 'sending'
                )
                """,
                [list(message_ids), self.token],
            )

    def release_all(self) -> None:
        """Give up the lease on whatever carries it, for a worker that will never take it up."""
        with connection.cursor() as cursor:
            # the first condition is the index's
            cursor.execute(
                """
                SELECT id FROM notifications_message
                WHERE lease_until IS NOT NULL AND lease_token = %s
                """,
                [self.token],
            )
            message_ids = [row[0] for row in cursor.fetchall()]
        self.release(message_ids)
