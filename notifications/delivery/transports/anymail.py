"""The way out by HTTP: one of Anymail's backends, one request for all recipients of a message.

Before the request is written nothing can have been accepted; after it, only an answer that says so
settles anything.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import requests
from anymail.exceptions import AnymailUnsupportedFeature
from django.core.mail import EmailMessage, get_connection

from notifications.delivery.addresses import mailbox
from notifications.delivery.classify import (
    clip,
    fault_text,
    read_http,
    read_recipient_status,
    read_retry_after,
)
from notifications.delivery.esps import Esp, Mark
from notifications.delivery.handoff import HandoffRequest, HandoffResult, Recipient, Verdict
from notifications.delivery.provider_config import ProviderConfig
from notifications.delivery.reading import Reading
from notifications.delivery.transports.http_session import Call, HandoffSession, under_way

HANDOFF_KEY = "limbo_handoff"
"""The metadata key under which a Handoff's id travels, to come back in tracking webhooks."""

_PARTIAL = "it cannot send to some of the recipients under unchanged headers"


class _Backend(Protocol):
    """As much of Anymail's backends as is used here."""

    session: requests.Session

    def create_session(self) -> requests.Session: ...

    def send_messages(self, email_messages: list[EmailMessage]) -> int: ...


class AnymailTransport:
    """One thread's way to one provider's HTTP API."""

    separates_envelope = False

    def __init__(self, config: ProviderConfig, esp: Esp) -> None:
        self._config = config
        self._esp = esp
        credentials = zip(esp.credentials, (config.user, config.password), strict=False)
        options: dict[str, Any] = {**dict(credentials), **dict(config.options)}
        # every recipient's status is read, so the backend need not raise for them
        options["ignore_recipient_status"] = True
        path = f"anymail.backends.{esp.backend}.EmailBackend"
        self._backend = cast("_Backend", get_connection(path, **options))
        self._session = HandoffSession()
        self._session.headers.update(self._backend.create_session().headers)
        # a backend with an open session uses it, and leaves it open
        self._backend.session = self._session

    def send(
        self, request: HandoffRequest, *, commit: Callable[[], None], deadline: float
    ) -> HandoffResult:
        """Hand the message over; see `Transport.send`."""
        if request.is_partial:
            return HandoffResult.for_all(request, Verdict(Reading.REFUSED_HERE, answer=_PARTIAL))
        header = self._esp.idempotency_header
        headers = {header: request.idempotency_key} if header else {}
        call = Call(deadline, commit, headers)
        try:
            message = self._message(request)
            with under_way(call):
                self._backend.send_messages([message])
        except Exception as error:  # noqa: BLE001 - read below; what was not expected is a verdict too
            if call.stopped_by is not None:
                raise call.stopped_by from None
            return self._read_error(request, error, call)
        return self._read_acceptance(request, message.anymail_status)

    def close_if_idle(self) -> None:
        """Let go of the connection if it was idle for longer than it may be used again."""
        self._session.close_if_idle()

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    # -- building ----------------------------------------------------------------------------

    def _message(self, request: HandoffRequest) -> Any:
        """The message in Django's form, with the attributes that Anymail adds to it."""
        outgoing = request.outgoing
        headers = {}
        if self._esp.message_id_headers is not None:
            kept = dict(self._esp.message_id_headers)
            headers = {"Message-ID": outgoing.header_message_id, **kept}
        message: Any = EmailMessage(
            subject=outgoing.subject,
            body=outgoing.text,
            from_email=outgoing.sender,
            to=self._mailboxes(request, "to"),
            cc=self._mailboxes(request, "cc"),
            bcc=self._mailboxes(request, "bcc"),
            headers=headers,
        )
        if self._esp.mark is Mark.METADATA:
            message.metadata = {HANDOFF_KEY: str(request.handoff_id)}
        else:
            message.tags = [str(request.handoff_id)]
        return message

    @staticmethod
    def _mailboxes(request: HandoffRequest, kind: str) -> list[str]:
        return [mailbox(r.name, r.address) for r in request.envelope if r.kind == kind]

    # -- reading -----------------------------------------------------------------------------

    def _read_error(self, request: HandoffRequest, error: Exception, call: Call) -> HandoffResult:
        response = getattr(error, "response", None)
        if isinstance(response, requests.Response):
            return self._read_refusal(request, response)
        if call.has_begun:
            verdict = self._read_broken_answer(error, call)
        elif isinstance(error, AnymailUnsupportedFeature):
            verdict = Verdict(Reading.REFUSED_HERE, answer=self._kept(str(error)))
        elif isinstance(error, requests.RequestException):
            verdict = Verdict(Reading.UNREACHABLE, answer=self._kept(_told(error)))
        else:
            text = self._config.without_secrets(fault_text(error))
            verdict = Verdict(Reading.UNBUILDABLE, answer=text)
        return HandoffResult.for_all(request, verdict)

    def _read_broken_answer(self, error: Exception, call: Call) -> Verdict:
        """The request was written, and then the connection or the answer broke off."""
        body = call.body.decode("utf-8", "replace")
        answer = self._kept(f"{_told(error)}\n{body}".strip())
        if call.status is None:
            return Verdict(Reading.AMBIGUOUS, answer=answer)
        return Verdict(read_http(call.status, body), call.status, answer)

    def _read_refusal(self, request: HandoffRequest, response: requests.Response) -> HandoffResult:
        reading = read_http(response.status_code, _body(response))
        verdict = Verdict(reading, response.status_code, self._kept(_body(response)))
        wait = None
        if reading is Reading.EXHAUSTED:
            header = response.headers.get("Retry-After")
            wait = read_retry_after(header, now=datetime.now(UTC))
        return HandoffResult.for_all(request, verdict, retry_after=wait)

    def _read_acceptance(self, request: HandoffRequest, status: Any) -> HandoffResult:
        """An answer that the backend could read, which may still refuse some recipients."""
        response = status.esp_response
        if not isinstance(response, requests.Response):
            verdict_of_all = Verdict(Reading.UNBUILDABLE, answer="the backend sent no request")
            return HandoffResult.for_all(request, verdict_of_all)
        answer = self._kept(_body(response))
        is_refusal = response.status_code >= 400
        whole = Reading.MESSAGE_REFUSED if is_refusal else Reading.AMBIGUOUS
        by_address = {address.lower(): one for address, one in status.recipients.items()}

        def verdict(recipient: Recipient) -> Verdict:
            one = by_address.get(recipient.address.lower())
            reading = read_recipient_status(one.status if one else None, whole=whole)
            return Verdict(reading, response.status_code, answer)

        ids = (one.message_id for one in status.recipients.values() if one.message_id)
        return HandoffResult(
            {recipient.delivery_id: verdict(recipient) for recipient in request.envelope},
            provider_message_id=str(next(ids, "")),
        )

    def _kept(self, answer: str) -> str:
        return clip(self._config.without_secrets(answer))


def _body(response: requests.Response) -> str:
    return response.content.decode("utf-8", "replace")


def _told(error: BaseException) -> str:
    """An error of the network, in the words of what lies beneath the libraries."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error) or type(error).__name__
