"""Errors that single HTTP providers name in their answers, saying more than the status does.

From the providers' documentation of their APIs. What is not listed is read by its status alone.
"""

import json
from collections.abc import Iterator

from notifications.delivery.reading import Reading

_NAMED: dict[tuple[int, str, str | int], Reading] = {
    # (status, member of the JSON answer, its value)
    # Postmark: no such sender signature, not confirmed; no credits left; the account is pending,
    # may not send
    (422, "ErrorCode", 400): Reading.REFUSED_HERE,
    (422, "ErrorCode", 401): Reading.REFUSED_HERE,
    (422, "ErrorCode", 405): Reading.EXHAUSTED,
    (422, "ErrorCode", 412): Reading.REFUSED_HERE,
    (422, "ErrorCode", 413): Reading.REFUSED_HERE,
    # Resend: 403 is about the sender's domain otherwise
    (403, "name", "invalid_api_key"): Reading.MISCONFIGURED,
    # Mandrill answers 500 to everything that it refuses
    (500, "name", "Invalid_Key"): Reading.MISCONFIGURED,
    (500, "name", "PaymentRequired"): Reading.EXHAUSTED,
    (500, "name", "ValidationError"): Reading.MESSAGE_REFUSED,
    # Postal answers 200, and puts the code of the error into "data"
    (200, "code", "InvalidServerAPIKey"): Reading.MISCONFIGURED,
    (200, "code", "AccessDenied"): Reading.MISCONFIGURED,
    (200, "code", "ServerSuspended"): Reading.EXHAUSTED,
    (200, "code", "UnauthenticatedFromAddress"): Reading.REFUSED_HERE,
    (200, "code", "ValidationError"): Reading.MESSAGE_REFUSED,
    (200, "code", "NoContent"): Reading.MESSAGE_REFUSED,
    (200, "status", "parameter-error"): Reading.MESSAGE_REFUSED,
}

_SAID: dict[tuple[int, str], Reading] = {
    # (status, words somewhere in the answer)
    # SendGrid; 401 is about the key otherwise
    (401, "Maximum credits exceeded"): Reading.EXHAUSTED,
    # MailerSend: the sender's domain is not verified
    (422, "#MS42207"): Reading.REFUSED_HERE,
}


def read_known_error(status: int, body: str) -> Reading | None:
    """What an answer that is no acceptance means by what it names; None: read its status."""
    named = (_NAMED.get((status, name, value)) for name, value in _members(body))
    said = (reading for (code, words), reading in _SAID.items() if code == status and words in body)
    return next(filter(None, (*named, *said)), None)


def _members(body: str) -> Iterator[tuple[str, str | int]]:
    """The members of a JSON object that are text or numbers; first those of its "data"."""
    try:
        answer = json.loads(body)
    except ValueError:
        return
    for part in (_member(answer, "data"), answer):
        if isinstance(part, dict):
            yield from (
                (name, value) for name, value in part.items() if isinstance(value, str | int)
            )


def _member(answer: object, name: str) -> object:
    return answer.get(name) if isinstance(answer, dict) else None
