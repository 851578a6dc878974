"""Servers of ours that stand in for providers: real ones, on real sockets, that fail on request.

`SmtpPeer` and `HttpPeer` take messages like a well-behaved provider unless they are told how to
misbehave, and when. What they `taken` is the truth that tests judge by.
"""

from tests.peers.actions import (
    Action,
    drip,
    drop,
    half_close,
    pause,
    reply,
    reply_then_drop,
    reset,
    stall,
)
from tests.peers.certificate import Certificate, make_certificate
from tests.peers.http_peer import (
    Answer,
    HttpPeer,
    HttpRequest,
    amazon_ses,
    mailgun,
    postmark,
    resend,
)
from tests.peers.smtp_peer import Envelope, SmtpPeer

__all__ = [
    "Action",
    "Answer",
    "Certificate",
    "Envelope",
    "HttpPeer",
    "HttpRequest",
    "SmtpPeer",
    "amazon_ses",
    "drip",
    "drop",
    "half_close",
    "mailgun",
    "make_certificate",
    "pause",
    "postmark",
    "reply",
    "reply_then_drop",
    "resend",
    "reset",
    "stall",
]
