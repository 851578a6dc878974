"""The way out by SMTP: phase by phase, recipient by recipient.

The line between "surely not accepted" and "nobody knows" is the final dot (RFC 5321, 4.1.1.4): the
message is written without it, then `commit` is called, then the dot is written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from notifications.delivery.addresses import wire_address
from notifications.delivery.classify import (
    Phase,
    all_by_policy,
    clip,
    fault_text,
    is_positive,
    queue_id,
    read_smtp,
)
from notifications.delivery.handoff import NO_REPEAT, HandoffRequest, HandoffResult, Verdict
from notifications.delivery.mime import build_mime
from notifications.delivery.provider_config import ProviderConfig
from notifications.delivery.reading import Reading
from notifications.delivery.transports.patience import Patience
from notifications.delivery.transports.smtp_session import (
    CLOSING,
    BrokenConnectionError,
    NotAcceptedError,
    SmtpSession,
)
from notifications.models.lease import boottime

IDLE_SECONDS = 20.0
"""A connection that was idle for longer is not used again; servers close theirs soon after."""

CHECK_AFTER_SECONDS = 1.0
"""One that was idle for longer is asked whether it is still there."""

MESSAGES_PER_CONNECTION = 100
"""Servers limit it, often to a hundred."""

_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Letter:
    """A hand-off as it goes over the wire."""

    sender: str
    recipients: tuple[tuple[UUID, str], ...]
    """Each delivery's address."""
    data: bytes
    """The message, dots doubled, without the final one."""

    @property
    def smtputf8(self) -> bool:
        """Whether an address or a header has no ASCII form."""
        addresses = (self.sender, *(address for _, address in self.recipients))
        return not (self.data.isascii() and all(address.isascii() for address in addresses))


def write_letter(request: HandoffRequest) -> Letter:
    """Build what is sent for `request`; the Handoff's id travels in front of the message.

    Raises ValueError, UnicodeError among them, when the message cannot be written.
    """
    mark = f"X-Limbo-Handoff: {request.handoff_id}\r\n".encode()
    content = mark + build_mime(request.outgoing)
    recipients = tuple((r.delivery_id, _bare(r.address)) for r in request.envelope)
    sender = _bare(request.outgoing.sender_address)
    return Letter(sender, recipients, _LEADING_DOT.sub(b"..", content))


def _bare(address: str) -> str:
    # within <> a space or a > would begin what the server reads as parameters
    if re.search(r"[\x00-\x20\x7f<>]", address):
        raise ValueError("an address holds a space, a bracket or a control character")
    return wire_address(address)


class Transaction:
    """One letter over one session, up to the reply to its final dot."""

    def __init__(self, session: SmtpSession, letter: Letter, commit: Callable[[], None]) -> None:
        self._session = session
        self._letter = letter
        self._commit = commit
        self._verdicts: dict[UUID, Verdict] = {}
        self._queue_id = ""

    def run(self) -> None:
        """Go through the phases; raises NotAcceptedError, and whatever `commit` raises."""
        session, letter = self._session, self._letter
        session.announce(
            letter.sender,
            [address for _, address in letter.recipients],
            size=len(letter.data),
            smtputf8=letter.smtputf8,
        )
        session.go_on(Phase.MAIL)
        self._hear_recipients()
        if len(self._verdicts) == len(letter.recipients):
            session.reset()
            return
        session.go_on(Phase.DATA)
        session.write(letter.data)
        early = session.early_reply()
        if early is None:
            self._finish()
        else:
            self._end_early(*early)

    def settle(self, verdict: Verdict) -> None:
        """Give `verdict` to every recipient that has none of its own."""
        for delivery_id, _ in self._letter.recipients:
            self._verdicts.setdefault(delivery_id, verdict)

    def result(self, config: ProviderConfig) -> HandoffResult:
        """How it ended, with the provider's secrets kept out of its answers."""
        for delivery_id, verdict in self._verdicts.items():
            answer = config.without_secrets(verdict.answer)
            if answer != verdict.answer:
                self._verdicts[delivery_id] = replace(verdict, answer=answer)
        return HandoffResult(self._verdicts, provider_message_id=self._queue_id)

    def _hear_recipients(self) -> None:
        refusals = []
        for delivery_id, _ in self._letter.recipients:
            code, text = self._session.answer(Phase.RCPT)
            if not is_positive(Phase.RCPT, code):
                refusals.append((code, text))
                reading = read_smtp(Phase.RCPT, code)
                self._verdicts[delivery_id] = Verdict(reading, code, clip(text))
        if len(refusals) == len(self._letter.recipients) and all_by_policy(refusals):
            # it will not relay for us at all, which says nothing about the recipients
            for delivery_id, verdict in self._verdicts.items():
                self._verdicts[delivery_id] = replace(verdict, reading=Reading.REFUSED_HERE)

    def _finish(self) -> None:
        try:
            self._commit()
        except BaseException:
            # the message stands there without its dot: closing takes it back
            self._session.close()
            raise
        try:
            code, text = self._session.finish()
        except OSError as error:
            self._session.close()
            answer = clip(f"no reply to the final dot: {error}")
            self.settle(Verdict(Reading.AMBIGUOUS, answer=answer))
            return
        reading = read_smtp(Phase.DOT, code)
        if reading is Reading.SENT:
            self._queue_id = queue_id(text)
        if code == CLOSING or reading is Reading.AMBIGUOUS:
            self._session.close()
        self.settle(Verdict(reading, code, clip(text)))

    def _end_early(self, code: int, text: str) -> None:
        """The server spoke before the dot: a refusal counts, anything else leaves us in doubt."""
        self._session.close()
        reading = read_smtp(Phase.DOT, code)
        if reading is Reading.SENT:
            reading = Reading.AMBIGUOUS
        self.settle(Verdict(reading, code, clip(text)))


class SmtpTransport:
    """One thread's way to one SMTP server; keeps its connection from message to message."""

    separates_envelope = True

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config
        self._session: SmtpSession | None = None
        self._used_at = 0.0
        self._messages = 0

    def send(
        self, request: HandoffRequest, *, commit: Callable[[], None], deadline: float
    ) -> HandoffResult:
        """Hand the message over; see `Transport.send`."""
        if request.is_repeat:
            return HandoffResult.for_all(request, NO_REPEAT)
        try:
            letter = write_letter(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it cannot be sent
            verdict = Verdict(Reading.UNBUILDABLE, answer=fault_text(error))
            return HandoffResult.for_all(request, verdict)
        patience = Patience.until(deadline)
        kept = self._kept_session(patience)
        if kept is not None:
            try:
                return self._hand_over(kept, letter, commit, is_kept=True)
            except BrokenConnectionError:
                # it went stale while it was kept; nothing was accepted
                pass
        try:
            session = self._connect(patience)
        except NotAcceptedError as error:
            answer = self._config.without_secrets(error.verdict.answer)
            return HandoffResult.for_all(request, replace(error.verdict, answer=answer))
        return self._hand_over(session, letter, commit, is_kept=False)

    def close_if_idle(self) -> None:
        """Let go of the connection if it was idle for longer than it may be used again."""
        if self._session is not None and boottime() - self._used_at > IDLE_SECONDS:
            self.close()

    def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            self._session.leave()
            self._session = None

    def _hand_over(
        self, session: SmtpSession, letter: Letter, commit: Callable[[], None], *, is_kept: bool
    ) -> HandoffResult:
        transaction = Transaction(session, letter, commit)
        try:
            transaction.run()
        except BrokenConnectionError as error:
            session.close()
            if is_kept:
                raise
            transaction.settle(error.verdict)
        except NotAcceptedError as error:
            session.reset()
            transaction.settle(error.verdict)
        self._used_at = boottime()
        self._messages += 1
        return transaction.result(self._config)

    def _connect(self, patience: Patience) -> SmtpSession:
        self._session = None
        self._session = SmtpSession(self._config, patience)
        self._messages = 0
        return self._session

    def _kept_session(self, patience: Patience) -> SmtpSession | None:
        """The connection of the last message, where it still works."""
        session = self._session
        if session is None or session.sock is None:
            return None
        idle = boottime() - self._used_at
        if idle > IDLE_SECONDS or self._messages >= MESSAGES_PER_CONNECTION:
            self.close()
            return None
        session.renew(patience)
        if idle > CHECK_AFTER_SECONDS and not session.is_alive():
            session.close()
            return None
        return session
