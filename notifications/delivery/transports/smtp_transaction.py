"""One message over one SMTP connection: phase by phase, recipient by recipient.

The line between "surely not accepted" and "nobody knows" is the final dot (RFC 5321, 4.1.1.4): the
message is written without it, then `commit` is called, then the dot is written.
"""

from collections.abc import Callable
from dataclasses import replace

from notifications.delivery.classify import (
    Phase,
    all_by_policy,
    clip,
    is_positive,
    queue_id,
    read_smtp,
)
from notifications.delivery.handoff import HandoffResult, Verdict
from notifications.delivery.provider_config import ProviderConfig
from notifications.delivery.reading import Reading
from notifications.delivery.transports.letter import Letter
from notifications.delivery.transports.smtp_session import CLOSING, SmtpSession
from notifications.models.ids import Id
from notifications.models.lease import boottime

_DOT, _SENT = Phase.DOT, Reading.SENT
"""What is looked up in an enum each time takes ten times as long."""


class Transaction:
    """One letter over one session, up to the reply to its final dot."""

    def __init__(
        self,
        session: SmtpSession,
        letter: Letter,
        *,
        commit: Callable[[], None],
        upcoming: Callable[[], Letter | None],
    ) -> None:
        self.seconds = float("inf")
        """How long the server took over the whole message."""
        self._session = session
        self._letter = letter
        self._commit = commit
        self._upcoming = upcoming
        self._verdicts: dict[Id, Verdict] = {}
        self._queue_id = ""

    def run(self) -> None:
        """Go through the phases; raises NotAcceptedError, and whatever `commit` raises."""
        session, letter = self._session, self._letter
        if session.announced is not letter:
            session.announce(letter)
        session.announced = None
        if not session.is_agreed() and not self._is_to_go_on():
            session.reset()
            return
        session.write(letter.data)
        following = self._upcoming()
        early = session.early_reply()
        if early is None:
            self._finish(following)
        else:
            self._end_early(*early)

    def _is_to_go_on(self) -> bool:
        """Hear reply by reply; False when no recipient is left, and raises NotAcceptedError."""
        self._session.go_on(Phase.MAIL)
        self._hear_recipients()
        if len(self._verdicts) == len(self._letter.recipients):
            return False
        self._session.go_on(Phase.DATA)
        return True

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

    def _finish(self, following: Letter | None) -> None:
        try:
            self._commit()
        except BaseException:
            # the message stands there without its dot: closing takes it back
            self._session.close()
            raise
        if following is not None:
            self._session.announce(following)
        written_at = boottime()
        try:
            code, text = self._session.finish()
        except OSError as error:
            self._session.close()
            answer = clip(f"no reply to the final dot: {error}")
            self.settle(Verdict(Reading.AMBIGUOUS, answer=answer))
            return
        self.seconds = boottime() - written_at
        reading = read_smtp(_DOT, code)
        if reading is _SENT:
            self._queue_id = queue_id(text)
        elif code == CLOSING or reading is Reading.AMBIGUOUS:
            self._session.close()
        self.settle(Verdict(reading, code, clip(text)))

    def _end_early(self, code: int, text: str) -> None:
        """The server spoke before the dot: a refusal counts, anything else leaves us in doubt."""
        self._session.close()
        reading = read_smtp(_DOT, code)
        if reading is _SENT:
            reading = Reading.AMBIGUOUS
        self.settle(Verdict(reading, code, clip(text)))
