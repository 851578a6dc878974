"""`python -m benchmarks.limbo_side.fill N`: N messages, stored as `submit()` stores them.

One goes through `submit()` itself; the others are copies of its rows, under ids, recipients and
turns of their own.
"""

import sys
from uuid import UUID

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - Django must be set up first

from benchmarks.letter import BODY, SENDER, SUBJECT, recipient  # noqa: E402
from notifications.history.requests import RequestOrigin  # noqa: E402
from notifications.intake.mail_request import read_mail_request  # noqa: E402
from notifications.intake.submission import submit  # noqa: E402
from notifications.models import User  # noqa: E402

# Each table's row of the sample is copied whole, whatever its columns are, and only what makes a
# message itself is new.
_NEW = """
CREATE TEMPORARY TABLE new ON COMMIT DROP AS
SELECT n, uuidv7() AS id, uuidv7() AS delivery_id FROM generate_series(1, %(count)s) n
"""

_OF = "message_id = %(id)s"
_MESSAGE_ID = (
    "format('<%%s@%%s>', replace(new.id::text, '-', ''), split_part(s.sender_address, '@', 2))"
)
_COPIES = {
    "message": (
        "id = %(id)s",
        f"'id', new.id, 'turn', s.turn + n, 'header_message_id', {_MESSAGE_ID}",
    ),
    "content": (_OF, "'message_id', new.id"),
    "delivery": (
        _OF,
        "'id', delivery_id, 'message_id', new.id, 'address', format('user%%s@example.com', n)",
    ),
    "event": (_OF, "'id', nextval('notifications_event_id_seq'), 'message_id', new.id"),
    "requestlog": (_OF, "'id', nextval('notifications_requestlog_id_seq'), 'message_id', new.id"),
}

_COPY = """
INSERT INTO notifications_{table}
SELECT made.* FROM notifications_{table} s, new,
    jsonb_populate_record(NULL::notifications_{table}, to_jsonb(s) || jsonb_build_object({new}))
        made
WHERE s.{where}
"""

_SHARE = "UPDATE notifications_fairshare SET finish = finish + %(count)s"


def fill(count: int) -> None:
    """Store `count` messages that are due."""
    owner = User.objects.get(username="bench")
    request = read_mail_request(
        {"from": SENDER, "to": [recipient(0)], "subject": SUBJECT, "message": BODY}
    )
    log = RequestOrigin("POST", "/v1/mail", "127.0.0.1")
    with transaction.atomic():
        sample = submit(owner=owner, request=request, log=log)
        parameters: dict[str, UUID | int] = {"id": sample.message_id, "count": count - 1}
        with connection.cursor() as cursor:
            cursor.execute(_NEW, parameters)
            for table, (where, new) in _COPIES.items():
                cursor.execute(_COPY.format(table=table, where=where, new=new), parameters)
            cursor.execute(_SHARE, parameters)


if __name__ == "__main__":
    fill(int(sys.argv[1]))
