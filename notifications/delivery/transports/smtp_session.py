"""One connection to an SMTP server, kept under a deadline and read by its phases."""

import smtplib
import socket
from contextlib import suppress

from notifications import failpoints
from notifications.delivery.classify import Phase, clip, is_positive, read_smtp
from notifications.delivery.handoff import Verdict
from notifications.delivery.provider_config import SMTPS, ProviderConfig
from notifications.delivery.reading import Reading
from notifications.delivery.transports.deadline import (
    DeadlineSocket,
    DeadlineTlsSocket,
    dial,
    seconds_left,
    secured,
)
from notifications.delivery.transports.letter import Letter
from notifications.delivery.transports.patience import Patience
from notifications.delivery.transports.smtp_replies import Replies
from notifications.models.lease import boottime

QUIT_SECONDS = 2.0
"""A server that does not answer QUIT is not waited for longer."""

RESET_SECONDS = 5.0
"""A connection that does not answer RSET within this time is taken for dead."""

DONE, GO_AHEAD = b"250", b"354"
"""RFC 5321, 4.2.3: what MAIL and RCPT are answered with, and DATA."""

CLOSING = 421
"""RFC 5321, 3.8: the server closes the connection, whatever was asked."""


_MORE = getattr(socket, "MSG_MORE", 0)
"""Linux's flag for "there is more to come"."""

PIPELINED = 100
"""So many commands are written ahead of their replies; more could fill both sides' buffers."""


class NotAcceptedError(Exception):
    """The conversation ended before the final dot: surely nothing was accepted.

    The connection still works.
    """

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.answer)
        self.verdict = verdict


class BrokenConnectionError(NotAcceptedError):
    """The same, and the connection is of no more use."""


def _broken(problem: object) -> BrokenConnectionError:
    return BrokenConnectionError(Verdict(Reading.UNREACHABLE, answer=clip(str(problem))))


def _refused(phase: Phase, code: int, text: str) -> NotAcceptedError:
    verdict = Verdict(read_smtp(phase, code), code, clip(text))
    if code == CLOSING or verdict.reading is Reading.UNREACHABLE:
        return BrokenConnectionError(verdict)
    return NotAcceptedError(verdict)


class SmtpSession(smtplib.SMTP):
    """A connection that is greeted, encrypted and authenticated as configured: ready for MAIL.

    The standard library's client, with absolute limits in place of its time-outs. Before the
    final dot what goes wrong raises NotAcceptedError.
    """

    def __init__(self, config: ProviderConfig, patience: Patience) -> None:
        self.announced: Letter | None = None
        """The message for which a transaction was opened, until it is sent."""
        self.pipelines = False
        """Whether the server takes commands before it has answered earlier ones (RFC 2920)."""
        self._takes_size = False
        self._config = config
        self._patience = patience
        self._own_name = ""
        self._replies = Replies()
        self._commands: list[str] = []  # that are still to be written
        self._unanswered = 0  # so many are written
        try:
            # the name is known once the connection is; given, smtplib does not look one up
            super().__init__(config.host, config.port, local_hostname="localhost")
            self.local_hostname = self._own_name
        except smtplib.SMTPConnectError as error:
            text = _text(error.smtp_error)
            raise _refused(Phase.GREETING, error.smtp_code, text) from error
        except OSError as error:
            self.close()
            raise _broken(error) from error
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    # -- connecting --------------------------------------------------------------------------

    def _get_socket(self, host: str, port: int, timeout: object) -> socket.socket:
        """Connect; smtplib calls this, with a time-out that the limits replace."""
        sock: socket.socket = dial(host, port, deadline=self._patience.commit_deadline)
        self._own_name = _name_at(sock)
        if self._config.scheme == SMTPS:
            sock = self._encrypted(sock)
        # what smtplib reads next is the greeting
        if isinstance(sock, DeadlineSocket):
            sock.deadline = self._patience.limit(Phase.GREETING)
        return sock

    def _encrypted(self, plain: socket.socket) -> socket.socket:
        limit = self._patience.limit(Phase.STARTTLS)
        return secured(plain, host=self._config.host, until=limit)

    def _give_time(self, until: float) -> None:
        if isinstance(self.sock, DeadlineSocket):
            self.sock.deadline = until

    def _prepare(self) -> None:
        self._say_hello()
        if self._config.starttls:
            self._start_tls()
        if self._config.user:
            self._authenticate()

    def _say_hello(self) -> None:
        self._give_time(self._patience.limit(Phase.EHLO))
        try:
            code, raw = self.ehlo()
            if code in range(500, 600):
                code, raw = self.helo()
        except OSError as error:
            raise _broken(error) from error
        if not is_positive(Phase.EHLO, code):
            raise _refused(Phase.EHLO, code, _text(raw))
        self.pipelines = self.has_extn("pipelining")
        self._takes_size = self.has_extn("size")

    def _start_tls(self) -> None:
        if not self.has_extn("starttls"):
            raise _broken("STARTTLS is required, and the server does not offer it")
        self.ask(Phase.STARTTLS, "STARTTLS")
        # whatever came in plain text behind the reply must not be taken for secure (RFC 3207, 6)
        self._replies = Replies()
        try:
            if self.sock is not None:
                self.sock = self._encrypted(self.sock)
        except OSError as error:
            raise _broken(error) from error
        self._say_hello()

    def _authenticate(self) -> None:
        offered = self.esmtp_features.get("auth", "").upper().split()
        self.user, self.password = self._config.user, self._config.password
        self._give_time(self._patience.limit(Phase.AUTH))
        # one mechanism only: servers count what they refuse, and some hang up after the first
        try:
            if "PLAIN" in offered:
                self.auth("PLAIN", self.auth_plain)
            elif "LOGIN" in offered:
                self.auth("LOGIN", self.auth_login)
            elif "CRAM-MD5" in offered:
                self.auth("CRAM-MD5", self.auth_cram_md5)
            else:
                problem = "the server offers no authentication that Limbo knows"
                raise BrokenConnectionError(Verdict(Reading.MISCONFIGURED, answer=problem))
        except smtplib.SMTPAuthenticationError as error:
            raise _refused(Phase.AUTH, error.smtp_code, _text(error.smtp_error)) from error
        except OSError as error:
            raise _broken(error) from error

    # -- one message after the other ---------------------------------------------------------

    def ask(self, phase: Phase, command: str) -> None:
        """Send a command that must be answered by "go on"; raises NotAcceptedError otherwise."""
        self._commands = [f"{command}\r\n"]
        self.go_on(phase)

    def takes(self, letter: Letter) -> bool:
        """Whether the server can take such addresses and headers."""
        return not letter.smtputf8 or self.has_extn("smtputf8")

    def announce(self, letter: Letter) -> None:
        """Open a transaction for `letter`: MAIL, an RCPT for each address, DATA.

        All at once where the server takes it (RFC 2920), else each when the reply to the one before
        is read. `answer` gives the replies, in this order. Raises NotAcceptedError when the server
        does not take such a message.
        """
        if not self.takes(letter):
            problem = "the server takes no internationalised addresses (SMTPUTF8)"
            raise NotAcceptedError(Verdict(Reading.REFUSED_HERE, answer=problem))
        options = f" SIZE={len(letter.data)}" if self._takes_size else ""
        if letter.smtputf8:
            options += " SMTPUTF8 BODY=8BITMIME"
        self._commands = [
            f"MAIL FROM:<{letter.sender}>{options}\r\n",
            *[f"RCPT TO:<{address}>\r\n" for _, address in letter.recipients],
            "DATA\r\n",
        ]
        self.announced = letter

    def is_agreed(self) -> bool:
        """Whether the server has said yes to all that was announced, in the usual words.

        It is read then. Otherwise nothing is, and `answer` gives the replies one by one.
        """
        usual = [*[DONE] * (self._unanswered - 1), GO_AHEAD]
        if self._commands or not self._replies.skip(usual):
            return False
        self._unanswered = 0
        return True

    def answer(self, phase: Phase) -> tuple[int, str]:
        """The reply to the next command that was announced, which is of `phase`.

        Raises BrokenConnectionError when there is none, or one that closes the connection.
        """
        if not (self._unanswered and self._replies.are_at_hand):
            self._give_time(self._patience.limit(phase))
        try:
            if not self._unanswered:
                self._write(self._next_commands())
            code, text = self._reply()
        except OSError as error:
            raise _broken(error) from error
        self._unanswered -= 1
        if code == CLOSING:
            raise BrokenConnectionError(Verdict(Reading.TEMPORARY, code, clip(text)))
        if not 200 <= code < 600:
            raise _broken(f"no SMTP reply: {text}")
        return code, text

    def go_on(self, phase: Phase) -> None:
        """Read a reply that must let the conversation go on; raises NotAcceptedError otherwise."""
        code, text = self.answer(phase)
        if not is_positive(phase, code):
            raise _refused(phase, code, text)

    def _next_commands(self) -> bytes:
        """What may be written now of what was announced; replies to all of it are due then."""
        count = PIPELINED if self.pipelines else 1
        commands, self._commands = self._commands[:count], self._commands[count:]
        self._unanswered += len(commands)
        return "".join(commands).encode()

    def write(self, data: bytes) -> None:
        """Write the message, without the dot that ends it.

        What of it does not fill a packet may wait for the dot, which spares the server a turn.
        """
        self._give_time(self._patience.commit_deadline)
        try:
            self._write(data, 0 if isinstance(self.sock, DeadlineTlsSocket) else _MORE)
        except OSError as error:
            raise _broken(error) from error

    def _write(self, data: bytes, flags: int = 0) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        # mostly that is all: a view of what is left costs as much as the rest of this
        sent = self.sock.send(data, flags)
        if sent < len(data):
            self.sock.sendall(memoryview(data)[sent:], flags)

    def early_reply(self) -> tuple[int, str] | None:
        """What the server has said before the dot, when it has; raises when it has hung up."""
        try:
            if not self._replies.has_heard(self.sock):
                seconds_left(self._patience.commit_deadline)
                return None
            return self._reply()
        except OSError as error:
            raise _broken(error) from error

    def finish(self) -> tuple[int, str]:
        """Write the final dot and return the reply. Raises OSError: nobody knows.

        Another transaction that was announced meanwhile begins in the same packet: a message's end
        may be followed by commands (RFC 2920, 3.1).
        """
        self._give_time(self._patience.deadline)
        self._write(b".\r\n" + self._next_commands())
        failpoints.hit("dot_sent")
        return self._reply()

    def _reply(self) -> tuple[int, str]:
        code, raw = self._replies.read(self.sock)
        return code, raw.decode("utf-8", "replace")

    # -- keeping it --------------------------------------------------------------------------

    def renew(self, patience: Patience) -> None:
        """Put the connection under the limits of another hand-off."""
        self._patience = patience

    def is_alive(self) -> bool:
        """Ask a connection that was idle whether it is still there."""
        return not self._replies.has_heard(self.sock) and self.reset()

    def reset(self) -> bool:
        """Give up the transaction; False, and closed, when the connection is of no more use."""
        self._give_time(min(self._patience.commit_deadline, boottime() + RESET_SECONDS))
        try:
            self._skip_answers()
            code, _ = self.docmd("RSET")
        except OSError:
            code = 0
        if not is_positive(Phase.MAIL, code):
            self.close()
            return False
        return True

    def _skip_answers(self) -> None:
        """Read what is still to come of a transaction that is given up. Raises OSError."""
        self._commands.clear()
        while self._unanswered:
            code, _ = self._reply()
            self._unanswered -= 1
            if is_positive(Phase.DATA, code):
                # it waits for a message; to end it by a dot would be to send one
                raise ConnectionError("the server wants the message all the same")

    def leave(self) -> None:
        """Say QUIT and close, whatever the server makes of it.

        Where it waits for a message, it would take the word for one's first line.
        """
        self._give_time(boottime() + QUIT_SECONDS)
        if self.announced is None:
            with suppress(OSError):
                self.docmd("QUIT")
        self.close()

    def getreply(self) -> tuple[int, bytes]:
        """Read a whole reply; smtplib calls this too. Raises OSError."""
        return self._replies.read(self.sock)


def _text(raw: bytes | str) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


def _name_at(sock: socket.socket) -> str:
    """What to call ourselves: the machine's full name, or the address (RFC 5321, 4.1.4).

    Not by the resolver, as smtplib would: it keeps no deadline.
    """
    name = socket.gethostname()
    if "." in name:
        return name
    address = str(sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
