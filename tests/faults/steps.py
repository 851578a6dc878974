"""What rows do besides starting and killing: name providers, let time pass, look at the queue."""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from notifications.models import Delivery, Message, Provider, State
from notifications.queue.choices import retry_now
from tests.conftest import wait_until
from tests.faults.proxy import Proxy
from tests.faults.row import Row
from tests.faults.sink import SinkProcess
from tests.peers import HttpPeer, SmtpPeer

_NAMES = ("first", "second", "third")


UNDER_WAY = 16
"""So many hand-offs two workers of eight threads have under way at once."""


def by_smtp(*sinks: SmtpPeer | SinkProcess | Proxy) -> str:
    """`LIMBO_PROVIDERS`: the sinks as providers `first`, `second`, `third`."""
    pairs = zip(_NAMES, sinks, strict=False)
    return ",".join(f"{name}=smtp://127.0.0.1:{sink.port}" for name, sink in pairs)


def by_postmark(peer: HttpPeer) -> str:
    """`LIMBO_PROVIDERS`: the peer as the provider `postmark`."""
    return f"postmark=anymail-postmark://TOKEN@/?api_url={peer.url}"


def http_beside_smtp(http: HttpPeer, sink: SmtpPeer) -> str:
    """`LIMBO_PROVIDERS`: an HTTP provider `first` beside an SMTP server `second`, equal shares."""
    return (
        f"first=anymail-postmark://TOKEN@/?api_url={http.url},second=smtp://127.0.0.1:{sink.port}"
    )


def first_provider() -> Provider:
    """The row of the provider `first`."""
    return Provider.objects.get(name="first")


def leases_end() -> None:
    """Let the time pass until every lease and its grace is over."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE notifications_message SET lease_until = now() - interval '6 seconds'
            WHERE lease_until IS NOT NULL"""
        )


def are_claimed() -> bool:
    """Whether a worker has some of the messages."""
    return Message.objects.filter(lease_until__isnull=False).exists()


def waits_end(row: Row) -> None:
    """Wait until a delivery is put off with nothing under way, then let its time come."""
    wait_until(
        lambda: (
            Delivery.objects.filter(backoffs__gt=0, state=State.PENDING).exists()
            and not are_claimed()
        )
    )
    retry_now(row.accepted, by=row.owner())


def repeats_are_due() -> None:
    """Let the wait before a repeat under a provider's key be over: its columns are moved."""
    now = timezone.now()
    for table in (Delivery, Message):
        table.objects.filter(state=State.UNCERTAIN, due_at__isnull=False).update(due_at=now)


def time_passes(seconds: float) -> None:
    """Move back every time that somebody waits for, as if so many seconds had passed.

    The messages' and deliveries' `due_at`, and all that closes a provider: the processes go on, and
    find by the database's clock that what they waited for has come.
    """
    past = timedelta(seconds=seconds)
    with transaction.atomic():
        Message.objects.filter(lease_until=None).update(due_at=F("due_at") - past)
        Delivery.objects.filter(message__lease_until=None).update(due_at=F("due_at") - past)
    columns = ("closed_until", "breaker_until", "probe_until", "window_started_at")
    Provider.objects.update(**{column: F(column) - past for column in columns})


def is_at_rest() -> bool:
    """Whether nothing is due and nothing under way: whoever is not settled waits."""
    return not (are_claimed() or Message.objects.filter(due_at__lte=Now()).exists())
