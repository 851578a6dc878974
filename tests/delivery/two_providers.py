"""Two providers, of which the first is asked first: what becomes of a message when it fails."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from pytest_django import Settings

from notifications.delivery.batch import deliver_batch
from notifications.delivery.providers import sync_rows
from notifications.models import Provider
from notifications.models.lease import boottime
from notifications.queue.claim import claim_next
from tests.peers.actions import Action
from tests.peers.certificate import make_certificate
from tests.peers.http_peer import Answer, HttpPeer
from tests.peers.smtp_peer import SmtpPeer

ALWAYS = 30_000
"""A weight beside which the other provider's, 1, is as good as nothing."""


def configure(settings: Settings, providers: Mapping[str, str]) -> None:
    """Set the providers, and make their rows."""
    settings.LIMBO_PROVIDERS = ",".join(f"{name}={url}" for name, url in providers.items())
    sync_rows()


def smtp(peer: SmtpPeer) -> str:
    """The URL of a peer."""
    return f"smtp://127.0.0.1:{peer.port}"


def ask_first(settings: Settings, first: str, second: str) -> None:
    """Two providers by their URLs, of which the first is asked first."""
    configure(settings, {"first": first, "second": second})
    Provider.objects.filter(name="first").update(weight=ALWAYS)


def deliver() -> None:
    """Claim what is due and deliver it, as a worker does."""
    claim = claim_next()
    assert claim is not None
    ids = claim.message_ids
    deliver_batch(str(claim.token), ids, claimed_at=boottime(), cluster="test")


def closed_port() -> int:
    """A port on which nothing listens."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class First:
    """The first provider: opens what is to fail, and keeps it open for the test."""

    stack: ExitStack
    folder: Path

    def smtp(self, moment: str, action: Action) -> str:
        """An SMTP server that fails at a moment."""
        peer = self.stack.enter_context(
            SmtpPeer(
                on={moment: action}, credentials=("ann", "right") if moment == "auth" else None
            )
        )
        user = "ann:right@" if moment == "auth" else ""
        return f"smtp://{user}127.0.0.1:{peer.port}"

    def refusing(self, scheme: str = "smtp") -> str:
        """Nobody: the connection is refused."""
        if scheme == "http":
            return f"anymail-postmark://KEY@/?api_url=http://127.0.0.1:{closed_port()}/"
        return f"smtp://127.0.0.1:{closed_port()}"

    def nowhere(self) -> str:
        """A host that has no address."""
        return "smtp://smtp.invalid"

    def untrusted(self, scheme: str) -> str:
        """A server whose certificate nobody vouches for."""
        certificate = make_certificate(self.folder)
        if scheme == "https":
            http = self.stack.enter_context(HttpPeer(certificate=certificate))
            return f"anymail-postmark://KEY@/?api_url={http.url}"
        implicit = scheme == "smtps"
        peer = self.stack.enter_context(SmtpPeer(certificate=certificate, implicit_tls=implicit))
        tail = "" if implicit else "?starttls=1"
        return f"{scheme}://127.0.0.1:{peer.port}{tail}"

    def without_starttls(self) -> str:
        """A server that has to encrypt, and does not offer it."""
        peer = self.stack.enter_context(SmtpPeer())
        return f"smtp://127.0.0.1:{peer.port}?starttls=1"

    def http(self, answer: Answer, *, esp: str = "postmark") -> str:
        """An HTTP provider that answers so, in the dialect of `esp`."""
        peer = self.stack.enter_context(HttpPeer(answer))
        options = {"mailgun": "sender_domain=mg.example.com&"}.get(esp, "")
        return f"anymail-{esp}://KEY@/?{options}api_url={peer.url}"

    def http_that(self, action: Action) -> str:
        """An HTTP provider that does this once it has read the request."""
        peer = self.stack.enter_context(HttpPeer(on_request=action))
        return f"anymail-postmark://KEY@/?api_url={peer.url}"
