"""`python -m benchmarks.limbo_side.fill N`: N messages that are due, as `submit()` stores them.

One goes through `submit()` itself; the others are copies of its rows.
"""

import sys

import django

django.setup()

from benchmarks.letter import BODY, SENDER, SUBJECT, recipient  # noqa: E402 - after the setup
from benchmarks.limbo_side.copies import copy_due  # noqa: E402
from notifications.history.requests import RequestOrigin  # noqa: E402
from notifications.intake.mail_request import read_mail_request  # noqa: E402
from notifications.intake.submission import submit  # noqa: E402
from notifications.models import User  # noqa: E402


def fill(count: int) -> None:
    """Store `count` messages."""
    fields = {"from": SENDER, "to": [recipient(0)], "subject": SUBJECT, "message": BODY}
    sample = submit(
        owner=User.objects.get(username="bench"),
        request=read_mail_request(fields),
        log=RequestOrigin("POST", "/v1/mail", "127.0.0.1"),
    )
    copy_due(sample.message_id, count - 1)


if __name__ == "__main__":
    fill(int(sys.argv[1]))
