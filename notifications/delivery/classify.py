"""Reading providers' answers: what an SMTP reply or an HTTP status means for a hand-off.

One table: what is temporary, what is for good, who it concerns, and what stays in doubt. Replies
are read by the phase they answer (RFC 5321, section 4.2), since the same number means another
thing after another command.
"""

import email.utils
import re
import traceback
from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache

from notifications.delivery.known_errors import read_known_error
from notifications.delivery.reading import Reading

ANSWER_CHARACTERS = 2000
"""So much of a provider's answer is kept."""


class Phase(StrEnum):
    """What an SMTP reply answers."""

    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


_POSITIVE: dict[Phase, range] = {
    **dict.fromkeys(Phase, range(200, 300)),
    Phase.GREETING: range(220, 221),
    Phase.STARTTLS: range(220, 221),
    Phase.DATA: range(354, 355),
}
"""The replies that let the conversation go on."""

_TEMPORARY = range(400, 500)
_PERMANENT = range(500, 600)

_REFUSED_BY_PHASE: dict[Phase, tuple[Reading, Reading]] = {
    # phase: what a 4xx means, what a 5xx means
    Phase.GREETING: (Reading.UNREACHABLE, Reading.UNREACHABLE),
    Phase.EHLO: (Reading.UNREACHABLE, Reading.UNREACHABLE),
    Phase.STARTTLS: (Reading.UNREACHABLE, Reading.UNREACHABLE),
    Phase.AUTH: (Reading.TEMPORARY, Reading.MISCONFIGURED),
    Phase.MAIL: (Reading.TEMPORARY, Reading.REFUSED_HERE),
    Phase.RCPT: (Reading.TEMPORARY, Reading.RECIPIENT_REFUSED),
    Phase.DATA: (Reading.TEMPORARY, Reading.MESSAGE_REFUSED),
    Phase.DOT: (Reading.TEMPORARY, Reading.MESSAGE_REFUSED),
}

_AUTHENTICATION_REQUIRED = 530
"""RFC 4954, section 6, and RFC 3207, section 4: it wants AUTH or STARTTLS first, whoever sends."""

_POLICY = re.compile(r"5\.7\.\d{1,3}\b")
"""RFC 3463: refused by the server's policy, which is about us and not about the address."""


def is_positive(phase: Phase, code: int) -> bool:
    """Whether the conversation goes on after reply `code` in `phase`."""
    return code in _POSITIVE[phase]


@cache  # an enum's member is looked up by a call of Python, and each message asks for this
def read_smtp(phase: Phase, code: int) -> Reading:
    """What reply `code` means in `phase`; for a positive one only after the final dot.

    A reply that is none (no number, or a number that has no meaning there) is a broken connection:
    before the dot nothing was accepted, after it nobody knows.
    """
    if phase is Phase.DOT and is_positive(phase, code):
        return Reading.SENT
    temporary, permanent = _REFUSED_BY_PHASE[phase]
    if code in _TEMPORARY:
        return temporary
    if code == _AUTHENTICATION_REQUIRED and phase is not Phase.DOT:
        return Reading.MISCONFIGURED
    if code in _PERMANENT:
        return permanent
    return Reading.AMBIGUOUS if phase is Phase.DOT else Reading.UNREACHABLE


def is_policy_refusal(code: int, text: str) -> bool:
    """Whether a refusal names the server's policy (5.7.x) as its reason."""
    by_policy = code in _PERMANENT and bool(_POLICY.match(text))
    return by_policy and code != _AUTHENTICATION_REQUIRED


_QUEUE_ID = re.compile(r"\b(?:queued as|id=)\s*<?([\w.@+-]+)", re.IGNORECASE)


def queue_id(text: str) -> str:
    """The server's own id of the message in its answer to the dot, or ""."""
    found = _QUEUE_ID.search(text)
    return found[1] if found else ""


_READ_STATUS: dict[int, Reading] = {
    401: Reading.MISCONFIGURED,
    402: Reading.EXHAUSTED,
    403: Reading.REFUSED_HERE,
    404: Reading.REFUSED_HERE,
    # by their definition the request was not processed (RFC 9110, 15.5.9; RFC 8470, 5.2)
    408: Reading.TEMPORARY,
    # SparkPost's own: the day's, the month's or the sandbox's limit is reached
    420: Reading.EXHAUSTED,
    425: Reading.TEMPORARY,
    429: Reading.EXHAUSTED,
}


def read_http(status: int, body: str) -> Reading:
    """What an HTTP `status` and body other than a well-formed acceptance mean.

    A 2xx here is one whose body was no acceptance: nobody knows.
    """
    known = read_known_error(status, body)
    if known is not None:
        return known
    if status in _READ_STATUS:
        return _READ_STATUS[status]
    if 300 <= status < 400:
        # its API has moved; redirects are not followed, since they would repeat the request
        return Reading.REFUSED_HERE
    return Reading.MESSAGE_REFUSED if 400 <= status < 500 else Reading.AMBIGUOUS


_SES_CODES: dict[str, Reading] = {
    # SESv2's own, of SendEmail
    "TooManyRequestsException": Reading.EXHAUSTED,
    "LimitExceededException": Reading.EXHAUSTED,
    "SendingPausedException": Reading.EXHAUSTED,
    "AccountSuspendedException": Reading.MISCONFIGURED,
    "MailFromDomainNotVerifiedException": Reading.REFUSED_HERE,
    # those that all of Amazon's services share
    "Throttling": Reading.EXHAUSTED,
    "ThrottlingException": Reading.EXHAUSTED,
    "RequestLimitExceeded": Reading.EXHAUSTED,
    "AccessDenied": Reading.MISCONFIGURED,
    "AccessDeniedException": Reading.MISCONFIGURED,
    "ExpiredToken": Reading.MISCONFIGURED,
    "ExpiredTokenException": Reading.MISCONFIGURED,
    "IncompleteSignature": Reading.MISCONFIGURED,
    "IncompleteSignatureException": Reading.MISCONFIGURED,
    "InvalidClientTokenId": Reading.MISCONFIGURED,
    "InvalidSignatureException": Reading.MISCONFIGURED,
    "MissingAuthenticationToken": Reading.MISCONFIGURED,
    "MissingAuthenticationTokenException": Reading.MISCONFIGURED,
    "OptInRequired": Reading.MISCONFIGURED,
    "RequestExpired": Reading.MISCONFIGURED,
    "SignatureDoesNotMatch": Reading.MISCONFIGURED,
    "UnrecognizedClientException": Reading.MISCONFIGURED,
}
"""What has another meaning than its HTTP status, which is 400 or 403 for most of them."""

_SES_SENDER = re.compile(r"is not verified|identity/")
"""Names a sender as the reason: not verified, or not among those that our key may use."""


def read_ses(code: str, text: str) -> Reading | None:
    """What Amazon SES's error `code` of a 4xx answer means; None: what its HTTP status says."""
    is_about_sender = bool(_SES_SENDER.search(text))
    if is_about_sender and code in ("MessageRejected", "AccessDenied", "AccessDeniedException"):
        return Reading.REFUSED_HERE
    return _SES_CODES.get(code)


def read_recipient_status(status: str | None, *, whole: Reading) -> Reading:
    """What Anymail's `status` of one recipient means; `whole` is the reading of the answer.

    "unknown" under an acceptance leaves us in doubt; under a refusal it is a recipient who is not
    to blame for it, whom another provider may take.
    """
    match status:
        case "sent" | "queued":
            return Reading.QUEUED
        case "rejected" | "invalid":
            return Reading.RECIPIENT_REFUSED
        case "failed":
            return Reading.MESSAGE_REFUSED
        case _:
            return Reading.AMBIGUOUS if whole is Reading.AMBIGUOUS else Reading.REFUSED_HERE


def read_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max((when - now).total_seconds(), 0.0)


def clip(text: str) -> str:
    """As much of an answer as is kept."""
    return text[:ANSWER_CHARACTERS]


def fault_text(error: BaseException) -> str:
    """A fault of our own with its traceback, for staff; the end of it says most."""
    return "".join(traceback.format_exception(error))[-ANSWER_CHARACTERS:]


def all_by_policy(replies: Collection[tuple[int, str]]) -> bool:
    """Whether every one of the refusals, of which there is at least one, is a matter of policy."""
    return bool(replies) and all(is_policy_refusal(code, text) for code, text in replies)
