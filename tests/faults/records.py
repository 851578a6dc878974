"""What sinks saw of each hand-off: the record that the invariants are judged by."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path

from tests.peers import Envelope, HttpPeer, HttpRequest, SmtpPeer


class Step(IntEnum):
    """How far a hand-off came at its sink."""

    BEGAN = 1
    """Bytes of the message came, but not its end."""
    ENDED = 2
    """The final dot, or the whole request, was read."""
    TAKEN = 3
    """And the sink did not refuse it, whether or not its answer arrived."""


@dataclass(frozen=True, slots=True)
class Received:
    """One hand-off as its sink saw it."""

    handoff_id: str
    message_id: str
    """The Message-ID header; "" where the sink does not show it."""
    recipients: tuple[str, ...]
    """Of the envelope; empty: all of the hand-off's."""
    at: float
    """Wall clock, in seconds since the epoch."""
    step: Step

    def as_line(self) -> bytes:
        """One line of a sink's file."""
        return json.dumps(asdict(self)).encode() + b"\n"


def read_lines(file: Path) -> Iterator[Received]:
    """The records in a sink's file; a line that is not whole yet is left out."""
    for line in file.read_bytes().split(b"\n")[:-1]:
        fields = json.loads(line)
        fields |= {"recipients": tuple(fields["recipients"]), "step": Step(fields["step"])}
        yield Received(**fields)


def received_by(peer: SmtpPeer | HttpPeer) -> list[Received]:
    """The records of a peer that runs in this process."""
    if isinstance(peer, SmtpPeer):
        taken = {id(envelope) for envelope in peer.taken}
        ended = [_by_smtp(e, Step.TAKEN if id(e) in taken else Step.ENDED) for e in peer.ended]
        return ended + [_by_smtp(envelope, Step.BEGAN) for envelope in peer.cut_short]
    accepted = {id(request) for request in peer.taken}
    return [_by_http(r, Step.TAKEN if id(r) in accepted else Step.ENDED) for r in peer.requests]


def _by_smtp(envelope: Envelope, step: Step) -> Received:
    message_id = str(envelope.message["Message-ID"] or "")
    return Received(envelope.handoff_id, message_id, envelope.recipients, envelope.at, step)


def _by_http(request: HttpRequest, step: Step) -> Received:
    return Received(request.handoff_id, "", (), request.at, step)
