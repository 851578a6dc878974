"""An SMTP server that takes messages, or fails in the way and at the moment it is told to.

    with SmtpPeer() as peer:                                    # takes everything
    with SmtpPeer(on={"dot": drop()}) as peer:                  # takes it and hangs up
    with SmtpPeer(on={"mail": [reply("451 later"), None]}):     # refuses the first, then well
    with SmtpPeer(refuse={"bad@example.org": "550 5.1.1 no such user"}):

The moments: `greeting`, `ehlo`, `starttls`, `auth`, `mail`, `rcpt`, `data` (the command), `body`
(after the first bytes of the body), `dot`, `rset`, `noop`, `quit`.
"""

import base64
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.peers.actions import Action, GoneError, Line, reply
from tests.peers.certificate import Certificate, server_context
from tests.peers.server import PeerServer

Script = Action | None | Sequence[Action | None]
"""What to do at a moment: always the same, or one after the other; None is to behave well."""

_BEHAVIOUR: dict[str, str] = {
    "greeting": "220 peer.example ESMTP",
    "starttls": "220 2.0.0 go ahead",
    "mail": "250 2.1.0 sender ok",
    "rcpt": "250 2.1.5 recipient ok",
    "data": "354 end with a dot",
    "dot": "250 2.0.0 ok, queued as PEER1",
    "rset": "250 2.0.0 reset",
    "noop": "250 2.0.0 ok",
    "quit": "221 2.0.0 bye",
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message as the peer got it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    mail_options: tuple[str, ...]
    at: float = field(default_factory=time.time)
    """When it had come, by the wall clock."""

    @property
    def message(self) -> EmailMessage:
        """The content, parsed."""
        return message_from_bytes(self.content, policy=policy.SMTP)

    @property
    def handoff_id(self) -> str:
        """The Handoff that brought it."""
        return str(self.message["X-Limbo-Handoff"])


@dataclass(slots=True)
class _Transaction:
    sender: str = ""
    options: tuple[str, ...] = ()
    recipients: list[str] = field(default_factory=list)


class SmtpPeer(PeerServer):
    """A scriptable SMTP server.

    `on` says what to do at which moment; `refuse` answers a recipient with a reply of its own;
    `credentials` are demanded by AUTH when given; `certificate` offers STARTTLS, or, with
    `implicit_tls`, speaks TLS from the first byte; `extensions` are further EHLO lines.
    """

    def __init__(
        self,
        *,
        on: Mapping[str, Script] | None = None,
        refuse: Mapping[str, str] | None = None,
        credentials: tuple[str, str] | None = None,
        certificate: Certificate | None = None,
        implicit_tls: bool = False,
        extensions: Sequence[str] = ("SIZE 20000000", "8BITMIME", "SMTPUTF8"),
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self._scripts = dict(on or {})
        self._refuse = dict(refuse or {})
        self._credentials = credentials
        self._extensions = list(extensions)
        self._implicit_tls = implicit_tls
        self._tls = server_context(certificate) if certificate else None
        self._turns: dict[str, int] = {}
        self.taken: list[Envelope] = []
        """What it took: not refused after the final dot, answered or not."""
        self.ended: list[Envelope] = []
        """Every message whose final dot it read, whatever it answered."""
        self.cut_short: list[Envelope] = []
        """Those whose connection ended within the message."""
        self.commands: list[str] = []
        """Every command line it read, on any connection."""

    def converse(self, line: Line) -> None:
        """Serve one connection."""
        if self._implicit_tls:
            self._begin_tls(line)
        _Conversation(self, line).run()

    def action_at(self, moment: str) -> Action | None:
        """What the script says to do at `moment`; None to behave well."""
        with self._lock:
            turn = self._turns.get(moment, 0)
            self._turns[moment] = turn + 1
        script = self._scripts.get(moment)
        if isinstance(script, Sequence):
            return script[turn] if turn < len(script) else None
        return script

    def act(self, moment: str, line: Line) -> bool:
        """Do what the script says for `moment`; False when it says to behave well."""
        action = self.action_at(moment)
        if action is None:
            return False
        action.do(line)
        return True

    def greet(self, line: Line, name: str) -> None:
        """Answer EHLO."""
        extensions = list(self._extensions)
        if self._tls and not isinstance(line.sock, ssl.SSLSocket):
            extensions.append("STARTTLS")
        if self._credentials:
            extensions.append("AUTH PLAIN LOGIN")
        lines = [f"peer.example greets {name}", *extensions]
        marked = [f"250-{text}" for text in lines[:-1]] + [f"250 {lines[-1]}"]
        reply("\n".join(marked)).do(line)

    def starttls(self, line: Line) -> None:
        """Answer STARTTLS and begin TLS."""
        if not self._tls:
            reply("502 5.5.1 no TLS here").do(line)
            return
        if not self.act("starttls", line):
            reply(_BEHAVIOUR["starttls"]).do(line)
            self._begin_tls(line)

    def _begin_tls(self, line: Line) -> None:
        assert self._tls is not None
        try:
            line.sock = self._tls.wrap_socket(line.sock, server_side=True)
        except OSError as error:
            raise GoneError from error

    def is_known(self, user: str, password: str) -> bool:
        """Whether the credentials are the ones it was given."""
        return (user, password) == self._credentials

    def refusal_of(self, address: str) -> str | None:
        """The reply of its own that a recipient gets."""
        return self._refuse.get(address)

    def note_end(self, envelope: Envelope, *, takes: bool) -> None:
        """Keep a message that came whole."""
        with self._lock:
            self.ended.append(envelope)
            if takes:
                self.taken.append(envelope)

    def note_cut(self, envelope: Envelope) -> None:
        """Keep what came of a message that was not ended."""
        with self._lock:
            self.cut_short.append(envelope)


class _Conversation:
    """One connection's dialogue."""

    def __init__(self, peer: SmtpPeer, line: Line) -> None:
        self._peer = peer
        self._line = line
        self._buffer = b""
        self._transaction = _Transaction()

    def run(self) -> None:
        """Greet, and answer commands until either side is gone."""
        self._behave("greeting")
        while True:
            text = self._read_line().decode("utf-8")
            self._peer.commands.append(text)
            verb, _, argument = text.partition(" ")
            self._answer(verb.lower(), argument)

    def _answer(self, verb: str, argument: str) -> None:
        match verb:
            case "ehlo" | "helo":
                if not self._peer.act("ehlo", self._line):
                    self._peer.greet(self._line, argument)
            case "starttls":
                self._peer.starttls(self._line)
                self._buffer = b""
            case "auth":
                self._auth(argument)
            case "mail":
                sender, *options = argument.split(" ")
                self._transaction = _Transaction(_address(sender), tuple(options))
                self._behave("mail")
            case "rcpt":
                self._rcpt(_address(argument))
            case "data":
                self._data()
            case "rset" | "noop" | "quit":
                self._behave(verb)
                if verb == "quit":
                    raise GoneError
            case _:
                reply("500 5.5.1 what?").do(self._line)

    def _behave(self, moment: str) -> None:
        if not self._peer.act(moment, self._line):
            reply(_BEHAVIOUR[moment]).do(self._line)

    def _auth(self, argument: str) -> None:
        if self._peer.act("auth", self._line):
            return
        mechanism, _, initial = argument.partition(" ")
        if mechanism.upper() == "PLAIN":
            _, user, password = base64.b64decode(initial).decode().split("\0")
        else:
            user = base64.b64decode(initial).decode() if initial else self._ask("Username:")
            password = self._ask("Password:")
        known = self._peer.is_known(user, password)
        reply("235 2.7.0 welcome" if known else "535 5.7.8 wrong credentials").do(self._line)

    def _ask(self, question: str) -> str:
        reply("334 " + base64.b64encode(question.encode()).decode()).do(self._line)
        return base64.b64decode(self._read_line()).decode()

    def _rcpt(self, address: str) -> None:
        refusal = self._peer.refusal_of(address)
        if refusal:
            reply(refusal).do(self._line)
            return
        action = self._peer.action_at("rcpt") or reply(_BEHAVIOUR["rcpt"])
        if not action.refuses:
            self._transaction.recipients.append(address)
        action.do(self._line)

    def _data(self) -> None:
        if self._peer.act("data", self._line):
            return
        reply(_BEHAVIOUR["data"]).do(self._line)
        try:
            if not self._buffer:
                self._fill()
            self._peer.act("body", self._line)
            content = self._read_body()
        except (GoneError, OSError):
            self._peer.note_cut(self._envelope(self._buffer.removeprefix(b"\r\n")))
            raise
        self._end(self._envelope(content))

    def _envelope(self, content: bytes) -> Envelope:
        done = self._transaction
        return Envelope(done.sender, tuple(done.recipients), content, done.options)

    def _end(self, envelope: Envelope) -> None:
        self._transaction = _Transaction()
        action = self._peer.action_at("dot") or reply(_BEHAVIOUR["dot"])
        self._peer.note_end(envelope, takes=not action.refuses)
        action.do(self._line)

    def _read_line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._fill()
        text, _, self._buffer = self._buffer.partition(b"\r\n")
        return text

    def _read_body(self) -> bytes:
        # only CRLF.CRLF ends a message: anything laxer is what smuggling lives on
        self._buffer = b"\r\n" + self._buffer
        while b"\r\n.\r\n" not in self._buffer:
            self._fill()
        body, _, self._buffer = self._buffer.partition(b"\r\n.\r\n")
        return (body + b"\r\n").replace(b"\r\n..", b"\r\n.").removeprefix(b"\r\n")

    def _fill(self) -> None:
        data = self._line.sock.recv(65536)
        if not data:
            raise GoneError
        self._buffer += data


def _address(argument: str) -> str:
    return argument.partition("<")[2].partition(">")[0]
