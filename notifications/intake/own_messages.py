"""Limbo's own messages, such as a link to a new password: submitted as everybody's are.

They belong to an account of Limbo's own, not to whom they are for: else a token that may read its
user's messages would open the user's account.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from notifications.intake.mail_request import read_mail_request
from notifications.intake.submission import Submission, submit
from notifications.models import OnUncertain, Priority, SendingLimit, User
from notifications.models.user import OWN_NAME

_MANY = 10**9


def submit_own(*, to: str, subject: str, text: str, lasts: timedelta) -> Submission:
    """Submit a message from `LIMBO_SENDER` that is of no use after `lasts`.

    Two of it do no harm, so that one in doubt is sent again. Raises InvalidRequestError for an
    address that cannot get mail, DatabaseError if the database cannot store.
    """
    fields = {
        "from": settings.LIMBO_SENDER,
        "to": [to],
        "subject": subject,
        "message": text,
        "priority": Priority.URGENT.value,
        "expires_at": (timezone.now() + lasts).isoformat(),
        "on_uncertain": OnUncertain.RESEND.value,
    }
    return submit(owner=own_account(), request=read_mail_request(fields))


def own_account() -> User:
    """Limbo's own account, inactive; made when it is first needed, with limits nobody reaches."""
    closed = {"is_active": False, "password": make_password(None)}
    account, is_new = User.objects.get_or_create(username=OWN_NAME, defaults=closed)
    if is_new:
        SendingLimit.objects.create(
            owner=account, requests_per_second=_MANY, messages_per_day=_MANY
        )
    return account
