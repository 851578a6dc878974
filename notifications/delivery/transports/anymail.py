"""The way out by HTTP: one of Anymail's backends, one request for all recipients of a message.

Before the request is written nothing can have been accepted; after it, only an answer that says so
settles anything.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import requests
from anymail.exceptions import AnymailUnsupportedFeature
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection

from notifications.delivery.addresses import mailbox
from notifications.delivery.classify import (
    clip,
    fault_text,
    read_http,
    read_recipient_status,
    read_retry_after,
)
from notifications.delivery.esps import Esp, Mark
from notifications.delivery.handoff import (
    NO_REPEAT,
    Following,
    HandoffRequest,
    HandoffResult,
    Outgoing,
    Verdict,
    nobody_knows,
)
from notifications.delivery.provider_config import ProviderConfig
from notifications.delivery.reading import Reading
from notifications.delivery.recipient import Recipient
from notifications.delivery.transports.anymail_extras import add_extras
from notifications.delivery.transports.http_session import Call, HandoffSession, under_way
from notifications.delivery.transports.patience import Patience

HANDOFF_KEY = "limbo_handoff"
"""The metadata key under which a Handoff's id travels, to come back in tracking webhooks."""

_PARTIAL = "it cannot send to some of the recipients under unchanged headers"


class Backend(Protocol):
    """As much of Anymail's backends as is used here."""

    session: requests.Session

    def create_session(self) -> requests.Session: ...

    def send_messages(self, email_messages: list[EmailMessage]) -> int: ...


class AnymailTransport:
    """One thread's way to one provider's HTTP API."""

    def __init__(self, config: ProviderConfig, esp: Esp) -> None:
        self.separates_envelope = esp.separates_envelope
        self._config = config
        self._esp = esp
        self._session = HandoffSession()
        self._backend = self._open_backend()

    def send(
        self,
        request: HandoffRequest,
        *,
        commit: Callable[[], None],
        deadline: float,
        following: Following = nobody_knows,
    ) -> HandoffResult:
        """Hand the message over; see `Transport.send`."""
        if request.is_repeat and not self._esp.idempotency_header:
            return HandoffResult.for_all(request, NO_REPEAT)
        if request.is_partial and not self.separates_envelope:
            return HandoffResult.for_all(request, Verdict(Reading.REFUSED_HERE, answer=_PARTIAL))
        call = Call(Patience.until(deadline), commit, self._key(request))
        try:
            message = self._message(request)
            with under_way(call):
                self._backend.send_messages([message])
        except Exception as error:  # noqa: BLE001 - read below; what was not expected is a verdict too
            if call.stopped_by is not None:
                raise call.stopped_by from None
            return self._read_error(request, error, call)
        return self._read_acceptance(request, message.anymail_status, call)

    def close_if_idle(self) -> None:
        """Let go of the connection if it was idle for longer than it may be used again."""
        self._session.close_if_idle()

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    # -- building ----------------------------------------------------------------------------

    def _open_backend(self) -> Backend:
        """Anymail's backend for the provider, which sends through our session."""
        credentials = zip(
            self._esp.credentials, (self._config.user, self._config.password), strict=False
        )
        options: dict[str, Any] = {**dict(credentials), **dict(self._config.options)}
        backend: Backend = connect(self._esp.backend, **options)
        self._session.headers.update(backend.create_session().headers)
        # a backend with an open session uses it, and leaves it open
        backend.session = self._session
        return backend

    def _key(self, request: HandoffRequest) -> dict[str, str]:
        header = self._esp.idempotency_header
        return {header: request.idempotency_key} if header else {}

    def _message(self, request: HandoffRequest) -> Any:
        """The message in Django's form, with the attributes that Anymail adds to it.

        Raises AnymailUnsupportedFeature for what the provider cannot carry.
        """
        outgoing = request.outgoing
        message: Any = EmailMultiAlternatives(
            subject=outgoing.subject,
            body=outgoing.text,
            from_email=outgoing.sender,
            to=_mailboxes(outgoing, "to"),
            cc=_mailboxes(outgoing, "cc"),
            bcc=_mailboxes(outgoing, "bcc"),
            headers=self._headers(outgoing),
        )
        if self._esp.mark is Mark.METADATA:
            message.metadata = {HANDOFF_KEY: str(request.handoff_id)}
        else:
            message.tags = [str(request.handoff_id)]
        if outgoing.extras is not None:
            add_extras(message, outgoing.extras, self._esp)
        return message

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        if self._esp.message_id_headers is None:
            return {}
        return {"Message-ID": outgoing.header_message_id, **dict(self._esp.message_id_headers)}

    # -- reading -----------------------------------------------------------------------------

    def _read_error(self, request: HandoffRequest, error: Exception, call: Call) -> HandoffResult:
        if call.has_begun:
            return self._read_answer(request, error, call)
        if isinstance(error, AnymailUnsupportedFeature):
            verdict = Verdict(Reading.REFUSED_HERE, answer=self._kept(str(error)))
        elif isinstance(error, requests.RequestException):
            verdict = Verdict(Reading.UNREACHABLE, answer=self._kept(_told(error)))
        else:
            text = self._config.without_secrets(fault_text(error))
            verdict = Verdict(Reading.UNBUILDABLE, answer=text)
        return HandoffResult.for_all(request, verdict)

    def _read_answer(self, request: HandoffRequest, error: Exception, call: Call) -> HandoffResult:
        """The request was written; what came back was a refusal, broke off, or was nothing."""
        reading, text = self._explain(error, call)
        wait = None
        if reading is Reading.EXHAUSTED:
            wait = read_retry_after(call.retry_after, now=datetime.now(UTC))
        verdict = Verdict(reading, call.status, self._kept(text))
        return HandoffResult.for_all(request, verdict, retry_after=wait)

    def _explain(self, error: Exception, call: Call) -> tuple[Reading, str]:
        """What an answer other than an acceptance means, and what of it is kept."""
        was_read = getattr(error, "response", None) is not None
        text = call.text if was_read else f"{_told(error)}\n{call.text}".strip()
        if call.status is None:
            return Reading.AMBIGUOUS, text
        return read_http(call.status, call.text), text

    def _read_acceptance(self, request: HandoffRequest, status: Any, call: Call) -> HandoffResult:
        """An answer that the backend could read, which may still refuse some recipients."""
        if call.status is None:
            verdict_of_all = Verdict(Reading.UNBUILDABLE, answer="the backend sent no request")
            return HandoffResult.for_all(request, verdict_of_all)
        answer = self._kept(call.text)
        whole = Reading.MESSAGE_REFUSED if call.status >= 400 else Reading.AMBIGUOUS
        by_address = {address.lower(): one for address, one in status.recipients.items()}

        def verdict(recipient: Recipient) -> Verdict:
            one = by_address.get(recipient.address.lower())
            reading = read_recipient_status(one.status if one else None, whole=whole)
            return Verdict(reading, call.status, answer)

        ids = (one.message_id for one in status.recipients.values() if one.message_id)
        return HandoffResult(
            {recipient.delivery_id: verdict(recipient) for recipient in request.envelope},
            provider_message_id=str(next(ids, "")),
        )

    def _kept(self, answer: str) -> str:
        return clip(self._config.without_secrets(answer))


def connect(backend: str, **options: Any) -> Any:
    """Anymail's `backend`, which leaves the recipients' status to us instead of raising for it."""
    path = f"anymail.backends.{backend}.EmailBackend"
    return get_connection(path, ignore_recipient_status=True, **options)


def _mailboxes(outgoing: Outgoing, kind: str) -> list[str]:
    return [mailbox(r.name, r.address) for r in outgoing.recipients if r.kind == kind]


def _told(error: BaseException) -> str:
    """An error of the network, in the words of what lies beneath the libraries."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error) or type(error).__name__
