"""`python -m benchmarks.peers.load PEER N`: N messages into a peer's queue, by its own door."""

import sys
from collections.abc import Callable

import django

django.setup()

from django.db import transaction  # noqa: E402 - Django must be set up first

from benchmarks.letter import BODY, SENDER, SUBJECT, recipient  # noqa: E402


def _post_office(count: int) -> None:
    from post_office import mail

    mail.send_many(
        [
            {
                "sender": SENDER,
                "recipients": [recipient(number)],
                "subject": SUBJECT,
                "message": BODY,
            }
            for number in range(count)
        ]
    )


# one transaction each: how fast a peer takes messages in is not what is measured
@transaction.atomic
def _mailer(count: int) -> None:
    from mailer import send_mail

    for number in range(count):
        send_mail(SUBJECT, BODY, SENDER, [recipient(number)])


@transaction.atomic
def _q2(count: int) -> None:
    from django_q.tasks import async_task

    for number in range(count):
        send = "django.core.mail.send_mail"
        async_task(send, SUBJECT, BODY, SENDER, [recipient(number)])


def _celery(count: int) -> None:
    from benchmarks.peers.celery_app import send

    for number in range(count):
        send.delay(SUBJECT, BODY, SENDER, [recipient(number)])


_DOORS: dict[str, Callable[[int], None]] = {
    "post-office": _post_office,
    "mailer": _mailer,
    "q2": _q2,
    "celery": _celery,
}


if __name__ == "__main__":
    _DOORS[sys.argv[1]](int(sys.argv[2]))
