"""The ways out that the conformance suite tries, each declared in one place.

A way says how its peer is made, how it is told to misbehave in each of the ways of `Fault`, what of
the suite is not applicable to it, and why.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from notifications.delivery.reading import Reading
from tests.conformance.faults import Fault
from tests.peers import (
    Answer,
    Certificate,
    HttpPeer,
    SmtpPeer,
    amazon_ses,
    drip,
    drop,
    half_close,
    mailgun,
    postmark,
    reply,
    reply_then_drop,
    resend,
    reset,
    stall,
)
from tests.peers.http_peer import Speak

Peer = SmtpPeer | HttpPeer

USER = "ann"
SECRET = "secret-only-for-tests"
GONE = "gone@example.org"
"""An address that is refused for good, where one can be."""
RETRY_AFTER_SECONDS = 7
DRIP_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Certificates:
    """A server's certificate that is trusted, and one that is not."""

    known: Certificate
    stranger: Certificate


@dataclass(frozen=True, slots=True)
class Way:
    """One way out and its peer."""

    name: str
    url: str
    """Of the provider; `{port}` is the peer's."""
    accepted: Reading
    make_peer: Callable[[Certificate, Mapping[str, Any]], Peer]
    misbehave: Mapping[Fault, Mapping[str, Any]]
    """What the peer is told, for each fault."""
    not_applicable: Mapping[Fault, str]
    """Why a fault cannot happen."""
    carried: Callable[[Any], bytes]
    """The one message that the peer took, as far as it is text."""
    refuse_one: Mapping[str, Any] | None = None
    """What makes the peer refuse one recipient only; None: it has one answer for all of them."""
    repeats: bool = False
    """Whether a request may be repeated under its key."""

    def peer(self, certificates: Certificates, fault: Fault | None = None) -> Peer:
        """The peer, well-behaved or not."""
        is_stranger = fault is Fault.IS_A_STRANGER
        certificate = certificates.stranger if is_stranger else certificates.known
        return self.make_peer(certificate, self.misbehave[fault] if fault else {})

    def setting(self, port: int) -> str:
        """The value of LIMBO_PROVIDERS for it."""
        return f"peer={self.url.format(port=port)}"


# -- SMTP ------------------------------------------------------------------------------------

_SMTP_FAULTS: Mapping[Fault, Mapping[str, Any]] = {
    Fault.HANGS_UP_AT_ONCE: {"on": {"greeting": drop()}},
    Fault.SAYS_NOTHING: {"on": {"greeting": stall()}},
    Fault.DRIPS_AT_ONCE: {"on": {"greeting": drip("220 " + "x" * 500, every=DRIP_SECONDS)}},
    Fault.IS_CLOSED: {"on": {"greeting": reply("554 5.3.2 closed")}},
    Fault.REFUSES_SENDER: {"on": {"mail": reply("550 5.7.1 not your domain")}},
    Fault.LATER: {"on": {"dot": reply("452 4.3.1 disk full")}},
    Fault.NEVER: {"on": {"dot": reply("554 5.6.0 no")}},
    Fault.GARBAGE: {"on": {"dot": reply("what?")}},
    Fault.CUTS_SHORT: {"on": {"dot": reply_then_drop("250-2.0.0 ok")}},
    Fault.HANGS_UP_AFTER: {"on": {"dot": drop()}},
    Fault.RESETS_AFTER: {"on": {"dot": reset()}},
    Fault.HALF_CLOSES_AFTER: {"on": {"dot": half_close()}},
    Fault.SILENT_AFTER: {"on": {"dot": stall()}},
    Fault.DRIPS_AFTER: {"on": {"dot": drip("250 " + "x" * 500, every=DRIP_SECONDS)}},
}
_TLS_FAULTS: Mapping[Fault, Mapping[str, Any]] = {Fault.IS_A_STRANGER: {}}
_AUTH_FAULTS: Mapping[Fault, Mapping[str, Any]] = {
    Fault.REFUSES_CREDENTIALS: {"on": {"auth": reply(f"535 5.7.8 {SECRET} is wrong")}},
}
_STARTTLS_FAULTS: Mapping[Fault, Mapping[str, Any]] = {
    Fault.REFUSES_TLS: {"on": {"starttls": reply("454 4.7.0 no TLS now")}},
}

_NOT_IN_SMTP = {
    Fault.TOO_MANY: "SMTP has no reply for it: a 4xx is temporary",
    Fault.FAILS: "a 5xx reply is a refusal in SMTP",
}
_NOT_WITHOUT_TLS = {Fault.IS_A_STRANGER: "it shows no certificate"}
_NOT_WITHOUT_AUTH = {Fault.REFUSES_CREDENTIALS: "it has none"}
_NOT_WITHOUT_STARTTLS = {Fault.REFUSES_TLS: "encryption is not asked for by a command"}


def _smtp(
    name: str,
    url: str,
    *faults: Mapping[Fault, Mapping[str, Any]],
    without: tuple[Mapping[Fault, str], ...],
    with_tls: bool = False,
    **peer_options: Any,
) -> Way:
    def make_peer(certificate: Certificate, told: Mapping[str, Any]) -> SmtpPeer:
        return SmtpPeer(certificate=certificate if with_tls else None, **peer_options, **told)

    misbehave = dict(_SMTP_FAULTS)
    for more in faults:
        misbehave |= more
    not_applicable = dict(_NOT_IN_SMTP)
    for reasons in without:
        not_applicable |= reasons
    return Way(
        name=name,
        url=url,
        accepted=Reading.SENT,
        make_peer=make_peer,
        misbehave=misbehave,
        not_applicable=not_applicable,
        carried=lambda peer: bytes(peer.taken[-1].content),
        refuse_one={"refuse": {GONE: "550 5.1.1 no such user"}},
    )


_SMTP_WAYS = (
    _smtp(
        "SMTP",
        "smtp://127.0.0.1:{port}",
        without=(_NOT_WITHOUT_TLS, _NOT_WITHOUT_AUTH, _NOT_WITHOUT_STARTTLS),
    ),
    _smtp(
        "SMTP with PIPELINING",
        "smtp://127.0.0.1:{port}",
        without=(_NOT_WITHOUT_TLS, _NOT_WITHOUT_AUTH, _NOT_WITHOUT_STARTTLS),
        extensions=("SIZE 20000000", "8BITMIME", "SMTPUTF8", "PIPELINING"),
    ),
    _smtp(
        "SMTP with AUTH",
        f"smtp://{USER}:{SECRET}@127.0.0.1:{{port}}",
        _AUTH_FAULTS,
        without=(_NOT_WITHOUT_TLS, _NOT_WITHOUT_STARTTLS),
        credentials=(USER, SECRET),
    ),
    _smtp(
        "STARTTLS with AUTH",
        f"smtp://{USER}:{SECRET}@127.0.0.1:{{port}}?starttls=1",
        _TLS_FAULTS,
        _AUTH_FAULTS,
        _STARTTLS_FAULTS,
        without=(),
        credentials=(USER, SECRET),
        with_tls=True,
    ),
    _smtp(
        "implicit TLS with AUTH",
        f"smtps://{USER}:{SECRET}@127.0.0.1:{{port}}",
        _TLS_FAULTS,
        _AUTH_FAULTS,
        without=(_NOT_WITHOUT_STARTTLS,),
        credentials=(USER, SECRET),
        with_tls=True,
        implicit_tls=True,
    ),
)


# -- HTTP ------------------------------------------------------------------------------------

_HTTP_FAULTS: Mapping[Fault, Mapping[str, Any]] = {
    Fault.HANGS_UP_AT_ONCE: {"on_accept": drop()},
    Fault.SAYS_NOTHING: {"on_accept": stall()},
    Fault.IS_A_STRANGER: {},
    Fault.REFUSES_CREDENTIALS: {"answers": Answer(401, json.dumps({"message": SECRET}))},
    Fault.REFUSES_SENDER: {"answers": Answer(403)},
    Fault.LATER: {"answers": Answer(408)},
    Fault.NEVER: {"answers": Answer(400)},
    Fault.TOO_MANY: {"answers": Answer(429, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})},
    Fault.FAILS: {"answers": Answer(500)},
    Fault.GARBAGE: {"answers": Answer(200, "what?")},
    Fault.CUTS_SHORT: {"answers": Answer(200, '{"Message', missing=100)},
    Fault.HANGS_UP_AFTER: {"on_request": drop()},
    Fault.RESETS_AFTER: {"on_request": reset()},
    Fault.HALF_CLOSES_AFTER: {"on_request": half_close()},
    Fault.SILENT_AFTER: {"on_request": stall()},
    Fault.DRIPS_AFTER: {"answers": Answer(200, "x" * 500, drip_every=DRIP_SECONDS)},
}

_NOT_IN_HTTP = {
    Fault.DRIPS_AT_ONCE: "its first words are those of TLS, of which the first wrong byte ends it",
    Fault.IS_CLOSED: "HTTP has no greeting",
    Fault.REFUSES_TLS: "encryption is not asked for by a command",
}


@dataclass(frozen=True, slots=True)
class _Http:
    """What one HTTP provider does in its own way."""

    speak: Speak
    faults: Mapping[Fault, Mapping[str, Any]] = field(default_factory=dict)
    carried: Callable[[HttpPeer], bytes] = lambda peer: peer.taken[-1].body
    refuse_one: Mapping[str, Any] | None = None
    repeats: bool = False


def _http(name: str, url: str, http: _Http) -> Way:
    def make_peer(certificate: Certificate, told: Mapping[str, Any]) -> HttpPeer:
        return HttpPeer(**{"speak": http.speak, "certificate": certificate, **told})

    return Way(
        name=name,
        url=url,
        accepted=Reading.QUEUED,
        make_peer=make_peer,
        misbehave={**_HTTP_FAULTS, **http.faults},
        not_applicable=_NOT_IN_HTTP,
        carried=http.carried,
        refuse_one=http.refuse_one,
        repeats=http.repeats,
    )


def _ses_refusal(status: int, code: str, message: str = "no") -> Mapping[str, Any]:
    headers = {"x-amzn-ErrorType": code, "Retry-After": str(RETRY_AFTER_SECONDS)}
    return {"answers": Answer(status, json.dumps({"message": message}), headers)}


def _ses_carried(peer: HttpPeer) -> bytes:
    content: Any = peer.taken[-1].json["Content"]
    return b64decode(content["Raw"]["Data"])


def _postmark_error(code: int) -> Mapping[str, Any]:
    return {"answers": Answer(422, json.dumps({"ErrorCode": code, "Message": "no"}))}


_POSTMARK_INACTIVE = {
    "ErrorCode": 0,
    "Message": f"Message OK, but will not deliver to these inactive addresses: {GONE}. "
    "Inactive recipients are ones that have generated a hard bounce.",
    "MessageID": "0a129aee-e1cd-480d-b08d-4f48548ff48d",
    "SubmittedAt": "2026-01-01T00:00:00Z",
    "To": "a@example.org",
}

_HTTP_WAYS = (
    _http(
        "Postmark",
        f"anymail-postmark://{SECRET}@/?api_url=https://127.0.0.1:{{port}}/",
        _Http(
            postmark,
            faults={
                Fault.REFUSES_SENDER: _postmark_error(400),
                Fault.NEVER: _postmark_error(300),
            },
            refuse_one={"answers": Answer(200, json.dumps(_POSTMARK_INACTIVE))},
        ),
    ),
    _http(
        "Mailgun",
        f"anymail-mailgun://{SECRET}@/?sender_domain=mg.example.com"
        "&api_url=https://127.0.0.1:{port}/",
        _Http(mailgun),
    ),
    _http(
        "Resend",
        f"anymail-resend://{SECRET}@/?api_url=https://127.0.0.1:{{port}}/",
        _Http(resend, repeats=True),
    ),
    _http(
        "Amazon SES",
        f"anymail-amazon-ses://KEY:{SECRET}@/?region=eu-west-1"
        "&endpoint_url=https://127.0.0.1:{port}",
        _Http(
            amazon_ses,
            faults={
                Fault.REFUSES_CREDENTIALS: _ses_refusal(403, "SignatureDoesNotMatch", SECRET),
                Fault.REFUSES_SENDER: _ses_refusal(400, "MailFromDomainNotVerifiedException"),
                Fault.NEVER: _ses_refusal(400, "MessageRejected"),
                Fault.TOO_MANY: _ses_refusal(429, "TooManyRequestsException"),
                Fault.FAILS: _ses_refusal(500, "InternalFailure"),
            },
            carried=_ses_carried,
        ),
    ),
)

WAYS = (*_SMTP_WAYS, *_HTTP_WAYS)
