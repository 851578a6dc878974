"""The statement that stores one message with all that belongs to it."""

from collections.abc import Mapping
from typing import Any

from notifications.intake.allowance import (
    ALLOWANCE,
    ALLOWANCE_COLUMNS,
    UNLIMITED,
    WITHIN,
    Bucket,
    hold_limits_for_all,
    read_allowance,
)
from notifications.models import User
from notifications.models.prepared import LongStatement

# One statement is one round trip and one transaction of its own. It is prepared, since planning it
# takes longer than running it; integers say their width, and the rest its type, so that it is the
# same statement each time. The suppression is looked up under the address as given and in lower
# case: whoever asked for no more mail did not mean a spelling. Constraints between the tables are
# checked at the commit, so their order is free.
#
# The message gets no turn yet (see queue.turns): the user's share would stay locked until the
# commit, and his submissions would be committed one after the other.
_TABLES = """
r AS (
    SELECT t.*, (
        SELECT reason FROM notifications_suppression
        WHERE owner_id = %(owner)s AND address IN (t.address, lower(t.address)) LIMIT 1
    ) AS reason
    FROM unnest(
        %(ids)s::uuid[], %(kinds)s::text[], %(positions)s::int[], %(addresses)s::text[],
        %(names)s::text[]
    ) WITH ORDINALITY t (id, kind, position, address, name, place)
    WHERE {allowed}
),
m AS (
    INSERT INTO notifications_message
        (id, owner_id, sender, sender_address, subject, header_message_id, accepted_at,
         expires_at, state, seq, due_at, priority, reply_to, headers, tags, metadata,
         send_at, on_uncertain, preferred_provider, failover, template_version_id, is_test)
    SELECT %(id)s, %(owner)s, %(sender)s::text, %(sender_address)s::text, %(subject)s::text,
        %(header_id)s::text, now(),
        coalesce(%(expires_at)s, coalesce(%(send_at)s, now()) + %(lifetime)s),
        CASE WHEN bool_and(reason IS NOT NULL) THEN 'suppressed' ELSE %(state)s::text END,
        1 + count(reason),
        CASE WHEN bool_or(reason IS NULL) THEN coalesce(%(send_at)s, now()) END,
        %(priority)s::text, %(reply_to)s::text[],
        %(headers)s::jsonb, %(tags)s::text[], %(metadata)s::jsonb, %(send_at)s,
        %(on_uncertain)s::text, %(provider)s::text, %(failover)s, %(template_version)s::bigint,
        %(is_test)s
    FROM r HAVING count(*) > 0
    RETURNING state
),
c AS (
    INSERT INTO notifications_content (message_id, text, html, attached_octets)
    SELECT %(id)s, %(text)s::text, %(html)s::text, %(attached_octets)s FROM m
),
d AS (
    INSERT INTO notifications_delivery
        (id, message_id, owner_id, kind, position, address, name, state, generation, rounds,
         backoffs, due_at, finalized_at)
    SELECT id, %(id)s, %(owner)s, kind, position, address, name,
        CASE WHEN reason IS NOT NULL THEN 'suppressed' ELSE %(state)s::text END, 1, 0, 0,
        CASE WHEN reason IS NULL THEN coalesce(%(send_at)s, now()) END,
        CASE WHEN reason IS NOT NULL THEN now() END
    FROM r ORDER BY place
),
e AS (
    INSERT INTO notifications_event (message_id, delivery_id, seq, kind, at, data)
    SELECT %(id)s, NULL::uuid, 1, 'accepted', now(), %(accepted)s::jsonb FROM m
    UNION ALL
    SELECT %(id)s, id, 1 + row_number() OVER (ORDER BY place), 'suppressed', now(),
        jsonb_build_object('reason', reason)
    FROM r WHERE reason IS NOT NULL
    ORDER BY 3
),
l AS (
    INSERT INTO notifications_requestlog
        (owner_id, method, path, status, address, duration_ms, message_id, request_id, token_id)
    SELECT %(owner)s, %(method)s::text, %(path)s::text, %(status)s, %(client)s::inet, %(duration)s,
        %(id)s, %(request_id)s::uuid, %(token_id)s::uuid
    FROM m WHERE %(method)s::text IS NOT NULL
)
"""

_KEY = """,
k AS (
    UPDATE notifications_idempotencykey
    SET answer = (SELECT jsonb_build_object('id', %(id)s::uuid, 'state', state) FROM m)
    WHERE id = %(key_id)s AND EXISTS (SELECT FROM m)
)
"""


def _statement(*, is_limited: bool, is_keyed: bool) -> LongStatement:
    """What is not asked for is left out: PostgreSQL would set it up each time."""
    tables = _TABLES.format(allowed=WITHIN if is_limited else UNLIMITED)
    with_key = _KEY if is_keyed else ""
    if is_limited:
        told = f"SELECT m.state, {ALLOWANCE_COLUMNS} FROM (SELECT) one"  # noqa: S608 - constants
        outer = "LEFT JOIN m ON true LEFT JOIN b ON true"
        return LongStatement(f"WITH {ALLOWANCE}, {tables} {with_key} {told} {outer}")
    told = "SELECT m.state FROM m"
    return LongStatement(f"WITH {tables} {with_key} {told}")


_STATEMENTS = {
    (is_limited, is_keyed): _statement(is_limited=is_limited, is_keyed=is_keyed)
    for is_limited in (False, True)
    for is_keyed in (False, True)
}

_limited: set[int] = set()
"""Who had limits of his own at his last submission here: a hint for where to begin."""


def store_message(
    owner: User, parameters: Mapping[str, Any], *, is_keyed: bool
) -> tuple[str, tuple[Bucket, ...]]:
    """Store a message; returns its state and the owner's limits. Raises LimitReachedError.

    Without limits for all, those who had none the last time are first taken to have none now;
    where that is wrong, nothing is stored by it.
    """
    if owner.pk not in _limited and not hold_limits_for_all():
        for (state,) in _STATEMENTS[False, is_keyed].run(parameters):
            return state, ()
    ((state, *allowance),) = _STATEMENTS[True, is_keyed].run(parameters)
    _limited.add(owner.pk)
    limits = read_allowance(tuple(allowance), count=1)
    if not limits:
        _limited.discard(owner.pk)
    return state, limits
