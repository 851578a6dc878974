"""The way out by SMTP: one connection of one thread, kept from message to message."""

from collections.abc import Callable
from dataclasses import replace

from notifications.delivery.classify import fault_text
from notifications.delivery.handoff import (
    NO_REPEAT,
    Following,
    HandoffRequest,
    HandoffResult,
    Verdict,
    nobody_knows,
)
from notifications.delivery.provider_config import ProviderConfig
from notifications.delivery.reading import Reading
from notifications.delivery.transports.letter import Letter, write_letter
from notifications.delivery.transports.patience import Patience
from notifications.delivery.transports.smtp_session import (
    BrokenConnectionError,
    NotAcceptedError,
    SmtpSession,
)
from notifications.delivery.transports.smtp_transaction import Transaction
from notifications.models.lease import boottime

IDLE_SECONDS = 20.0
"""A connection that was idle for longer is not used again; servers close theirs soon after."""

CHECK_AFTER_SECONDS = 1.0
"""One that was idle for longer is asked whether it is still there."""

MESSAGES_PER_CONNECTION = 500
"""A new one takes the time of half a dozen messages. A server that limits it to fewer says so by a
4xx to MAIL, or hangs up, and the message goes over a new connection at once."""

CONNECTION_SECONDS = 300.0
"""A connection is kept for no longer, as by Postfix, so that a server that moves is followed."""

QUICK_SECONDS = 0.5
"""Only to a server that has taken the last message within this time is the next one announced with
a message's end: it would wait for a slow one, though other connections may be free by then."""


class SmtpTransport:
    """One thread's way to one SMTP server; keeps its connection from message to message."""

    separates_envelope = True

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config
        self._session: SmtpSession | None = None
        self._used_at = 0.0
        self._opened_at = 0.0
        self._messages = 0  # over this connection
        self._is_used_up = False  # no further message goes over it
        self._seconds = float("inf")  # that the last message took, if it came to its end

    def send(
        self,
        request: HandoffRequest,
        *,
        commit: Callable[[], None],
        deadline: float,
        following: Following = nobody_knows,
    ) -> HandoffResult:
        """Hand the message over; see `Transport.send`."""
        if request.is_repeat:
            return HandoffResult.for_all(request, NO_REPEAT)
        try:
            letter = self._announced_for(request) or write_letter(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it cannot be sent
            verdict = Verdict(Reading.UNBUILDABLE, answer=fault_text(error))
            return HandoffResult.for_all(request, verdict)
        patience = Patience.until(deadline)
        kept = self._kept_session(patience)
        if kept is not None:
            try:
                return self._hand_over(kept, letter, commit, following, is_kept=True)
            except BrokenConnectionError:
                # it went stale while it was kept; nothing was accepted
                pass
        try:
            session = self._connect(patience)
        except NotAcceptedError as error:
            answer = self._config.without_secrets(error.verdict.answer)
            return HandoffResult.for_all(request, replace(error.verdict, answer=answer))
        return self._hand_over(session, letter, commit, following, is_kept=False)

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
        self,
        session: SmtpSession,
        letter: Letter,
        commit: Callable[[], None],
        following: Following,
        *,
        is_kept: bool,
    ) -> HandoffResult:
        def upcoming() -> Letter | None:
            return self._upcoming(session, following)

        self._messages += 1
        age = boottime() - self._opened_at
        self._is_used_up = self._messages >= MESSAGES_PER_CONNECTION or age > CONNECTION_SECONDS
        transaction = Transaction(session, letter, commit=commit, upcoming=upcoming)
        try:
            transaction.run()
        except BrokenConnectionError as error:
            session.close()
            if is_kept:
                raise
            transaction.settle(error.verdict)
        except NotAcceptedError as error:
            if is_kept and self._may_be_used_up(error.verdict):
                session.close()
                raise BrokenConnectionError(error.verdict) from error
            session.reset()
            transaction.settle(error.verdict)
        self._used_at = boottime()
        self._seconds = transaction.seconds
        return transaction.result(self._config)

    def _may_be_used_up(self, verdict: Verdict) -> bool:
        """Whether a refusal may be about the connection, over which another message just went."""
        return verdict.reading is Reading.TEMPORARY and self._seconds < float("inf")

    def _announced_for(self, request: HandoffRequest) -> Letter | None:
        """The letter that the server has been told of, if it is this one."""
        letter = self._session.announced if self._session else None
        if letter is None or letter.handoff_id == request.handoff_id:
            return letter
        # it waits for the other one, and only closing takes that back
        self.close()
        return None

    def _upcoming(self, session: SmtpSession, following: Following) -> Letter | None:
        """What to announce with a message's end."""
        if self._is_used_up or not session.pipelines or self._seconds > QUICK_SECONDS:
            return None
        request = following()
        if request is None or request.is_repeat:
            return None
        try:
            letter = write_letter(request)
        except Exception:  # noqa: BLE001 - it fails again when it is sent, and then is recorded
            return None
        return letter if session.takes(letter) else None

    def _connect(self, patience: Patience) -> SmtpSession:
        self._session = None
        self._session = SmtpSession(self._config, patience)
        self._opened_at = boottime()
        self._messages = 0
        self._seconds = float("inf")
        return self._session

    def _kept_session(self, patience: Patience) -> SmtpSession | None:
        """The connection of the last message, where it still works."""
        session = self._session
        if session is None or session.sock is None:
            return None
        idle = boottime() - self._used_at
        if idle > IDLE_SECONDS or self._is_used_up:
            self.close()
            return None
        session.renew(patience)
        if idle > CHECK_AFTER_SECONDS and not session.is_alive():
            session.close()
            return None
        return session
