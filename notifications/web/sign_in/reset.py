"""A link to a new password, sent by Limbo itself to whoever asks and has an account.

The page only queues a task, for every address alike; a worker looks for the account. So neither
what the page says nor how long it takes tells whether there is one.
"""

from datetime import timedelta

from allauth.account.forms import default_token_generator
from allauth.account.signals import password_reset
from allauth.account.utils import user_pk_to_url_str
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.urls import reverse
from django_q.tasks import async_task

from notifications.intake.own_messages import submit_own
from notifications.models import User

TASK = "notifications.web.sign_in.reset.send_links"


def ask_for_link(address: str) -> None:
    """Have a link sent to `address`, if somebody who can sign in has it."""
    async_task(TASK, address, save=False)


def send_links(address: str) -> None:
    """Send a link to each active account of `address`; runs as a django-q2 task.

    It goes to the address as it is stored, which may be spelled in another way than the one asked
    for. Whoever has no password gets none by this.
    """
    for user in User.objects.filter(email__iexact=address, is_active=True):
        if user.has_usable_password():
            context = {"user": user, "link": _link(user), "site": settings.LIMBO_BASE_URL}
            submit_own(
                to=user.email,
                subject="A new password for Limbo",
                text=render_to_string("account/email/new_password.txt", context),
                lasts=timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
            )


def _link(user: User) -> str:
    """Where a new password is chosen; it begins with what is set, not with what a request says."""
    key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return f"{settings.LIMBO_BASE_URL}{reverse('account_reset_password_from_key', kwargs=key)}"


@receiver(password_reset, dispatch_uid="notifications.web.sign_in")
def _let_in_again(user: User, **_kwargs: object) -> None:
    """Whoever was locked out for a password that was forgotten need not wait with the new one."""
    AxesProxyHandler.reset_attempts(username=user.get_username())
