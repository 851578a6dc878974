"""What rows do besides starting and killing: name providers, let time pass, look at the queue."""

from django.db import connection
from django.utils import timezone

from notifications.models import Delivery, Message, State
from notifications.queue.choices import retry_now
from tests.conftest import wait_until
from tests.faults.proxy import Proxy
from tests.faults.row import Row
from tests.faults.sink import SinkProcess
from tests.peers import HttpPeer, SmtpPeer

_NAMES = ("first", "second", "third")


def by_smtp(*sinks: SmtpPeer | SinkProcess | Proxy) -> str:
    """`LIMBO_PROVIDERS`: the sinks as providers `first`, `second`, `third`."""
    pairs = zip(_NAMES, sinks, strict=False)
    return ",".join(f"{name}=smtp://127.0.0.1:{sink.port}" for name, sink in pairs)


def by_postmark(peer: HttpPeer) -> str:
    """`LIMBO_PROVIDERS`: the peer as the provider `postmark`."""
    return f"postmark=anymail-postmark://TOKEN@/?api_url={peer.url}"


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
