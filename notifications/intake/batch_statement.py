"""The statement that stores many messages; `single_statement` tells what each part is for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from notifications.intake.allowance import ALLOWANCE, ALLOWANCE_COLUMNS, WITHIN
from notifications.intake.mail_request import MailRequest
from notifications.models.prepared import LongStatement

# The messages and their recipients come as two documents, since a row of a message has lists in it.
STORE_MANY = LongStatement(f"""
WITH {ALLOWANCE},
g AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(messages)s::json) AS t (
        place int, id uuid, sender text, sender_address text, subject text, header_id text,
        text text, html text, priority text, send_at timestamptz,
        expires_at timestamptz, accepted jsonb, octets int, reply_to text[], headers jsonb,
        tags text[], metadata jsonb, on_uncertain text, provider text, failover bool,
        template_version bigint, is_test bool
    )
    WHERE {WITHIN}
),
r AS MATERIALIZED (
    SELECT t.*, (
        SELECT reason FROM notifications_suppression
        WHERE owner_id = %(owner)s AND address IN (t.address, lower(t.address)) LIMIT 1
    ) AS reason
    FROM json_to_recordset(%(recipients)s::json) AS t (
        place int, id uuid, message_id uuid, kind text, position int, address text, name text
    )
    WHERE {WITHIN}
),
n AS (
    SELECT message_id, count(*) - count(reason) AS open, count(reason) AS stopped
    FROM r GROUP BY 1
),
p AS MATERIALIZED (
    SELECT g.*, n.stopped, n.open > 0 AS is_open,
        CASE WHEN n.open = 0 THEN 'suppressed' WHEN g.send_at IS NULL THEN 'pending'
            ELSE 'scheduled' END AS state
    FROM g JOIN n ON n.message_id = g.id
),
m AS (
    INSERT INTO notifications_message
        (id, owner_id, sender, sender_address, subject, header_message_id, accepted_at,
         expires_at, state, seq, due_at, priority, reply_to, headers, tags, metadata,
         send_at, on_uncertain, preferred_provider, failover, template_version_id, is_test)
    SELECT p.id, %(owner)s, sender, sender_address, subject, header_id, now(),
        coalesce(expires_at, coalesce(send_at, now()) + %(lifetime)s * interval '1 second'),
        state, 1 + stopped, CASE WHEN is_open THEN coalesce(send_at, now()) END, priority,
        reply_to, headers, tags, metadata, send_at, on_uncertain, provider, failover,
        template_version, is_test
    FROM p ORDER BY place
),
c AS (
    INSERT INTO notifications_content (message_id, text, html, attached_octets)
    SELECT id, text, html, octets FROM p ORDER BY place
),
d AS (
    INSERT INTO notifications_delivery
        (id, message_id, owner_id, kind, position, address, name, state, generation, rounds,
         backoffs, due_at, finalized_at)
    SELECT r.id, r.message_id, %(owner)s, r.kind, r.position, r.address, r.name,
        CASE WHEN reason IS NOT NULL THEN 'suppressed' ELSE p.state END, 1, 0, 0,
        CASE WHEN reason IS NULL THEN coalesce(p.send_at, now()) END,
        CASE WHEN reason IS NOT NULL THEN now() END
    FROM r JOIN p ON p.id = r.message_id ORDER BY r.place
),
e AS (
    INSERT INTO notifications_event (message_id, delivery_id, seq, kind, at, data)
    SELECT id, NULL::uuid, 1, 'accepted', now(), accepted FROM p
    UNION ALL
    SELECT message_id, id, 1 + row_number() OVER (PARTITION BY message_id ORDER BY place),
        'suppressed', now(), jsonb_build_object('reason', reason)
    FROM r WHERE reason IS NOT NULL
    ORDER BY 1, 3
)
SELECT p.state, {ALLOWANCE_COLUMNS}
FROM (SELECT) one LEFT JOIN b ON true LEFT JOIN p ON true ORDER BY p.place
""")  # noqa: S608 - made of constants


def message_row(place: int, message_id: UUID, request: MailRequest) -> Mapping[str, Any]:
    """A message as the statement reads it; null stands for what the request does not say."""
    return {
        "place": place,
        "id": message_id.hex,
        "sender": str(request.sender),
        "sender_address": request.sender.address,
        "subject": request.subject,
        "header_id": f"<{message_id.hex}@{request.sender.ascii_domain}>",
        "text": request.message,
        "html": request.html,
        "priority": request.priority.value,
        "send_at": request.send_at and request.send_at.isoformat(),
        "expires_at": request.expires_at and request.expires_at.isoformat(),
        "accepted": {"send_at": request.send_at.isoformat()} if request.send_at else {},
        "octets": sum(len(file.content) for file in request.attachments),
        "reply_to": [str(mailbox) for mailbox in request.reply_to] or None,
        "headers": request.headers or None,
        "tags": request.tags or None,
        "metadata": dict(request.metadata) or None,
        "on_uncertain": request.on_uncertain.value,
        "provider": request.provider,
        "failover": request.failover,
        "template_version": request.template and request.template.version_id,
        "is_test": request.is_test,
    }


def recipient_rows(messages: Iterable[tuple[UUID, MailRequest]]) -> Sequence[Mapping[str, Any]]:
    """All recipients of all messages, as the statement reads them, in the order of the headers."""
    named = [
        (message_id, kind, position, mailbox)
        for message_id, request in messages
        for kind, position, mailbox in request.recipients()
    ]
    return [
        {
            "place": place,
            "id": uuid7().hex,
            "message_id": message_id.hex,
            "kind": kind.value,
            "position": position,
            "address": mailbox.address,
            "name": mailbox.name,
        }
        for place, (message_id, kind, position, mailbox) in enumerate(named)
    ]
