"""Every kind of problem: the one table behind the answers, their pages and their documentation."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """What is the same for every problem of a kind. Text in backquotes is shown as code."""

    title: str
    statuses: tuple[int, ...]
    cause: str
    """Why it is answered."""
    remedy: str
    """What whoever called can do."""
    detail: str
    """An example of what is told."""
    errors: tuple[Mapping[str, str], ...] = field(default=())
    """An example of its faults."""


KINDS: dict[str, Kind] = {
    "invalid-request": Kind(
        "The request is not valid",
        (400,),
        "A field is missing, unknown, or not of its form; or a query parameter is. Nothing was "
        "stored.",
        "Mend every fault in `errors`: `pointer` says where in the body it is (a JSON Pointer), "
        "`parameter` names a query parameter, `code` is for programs. The same request will be "
        "refused again.",
        "There is no field 'colour'.",
        ({"detail": "There is no field 'colour'.", "pointer": "#/colour", "code": "unknown"},),
    ),
    "malformed-request": Kind(
        "The request cannot be read",
        (400,),
        "The body is not JSON in UTF-8, or the request breaks HTTP's own rules.",
        "Send a JSON object as RFC 8259 has it: no comments, no trailing commas, no NaN.",
        "This is not JSON in UTF-8: Expecting value at line 1, column 1.",
    ),
    "unauthenticated": Kind(
        "A valid token is needed",
        (401,),
        "There is no `Authorization` header, or its token is unknown, expired or revoked.",
        "Send `Authorization: Bearer lk_…`. If the token has ended, make a new one.",
        "The token is unknown, expired or revoked.",
    ),
    "forbidden": Kind(
        "The token may not do this",
        (403,),
        "The token is valid, but lacks the scope for this, or may not be used from this network.",
        "Use a token with the scope that `detail` names, or one that is not limited to networks.",
        "The token lacks the scope `send`.",
    ),
    "not-found": Kind(
        "There is nothing here",
        (404,),
        "The address is wrong, or what it names does not exist or belongs to another user.",
        "Check the address. Limbo does not say whether another user has such a thing.",
        "There is no such resource.",
    ),
    "method-not-allowed": Kind(
        "The method is not allowed here",
        (405,),
        "The address exists, but not for this method.",
        "Use one of the methods in the header `Allow`.",
        'Method "PUT" not allowed.',
    ),
    "not-acceptable": Kind(
        "No form of the answer is acceptable",
        (406,),
        "The header `Accept` leaves out every form that Limbo can answer in.",
        "Accept `application/json`.",
        "Could not satisfy the request Accept header.",
    ),
    "idempotency-conflict": Kind(
        "The Idempotency-Key was used for another request",
        (409,),
        "Within the last 24 hours the same key came with another request. Nothing was stored.",
        "Use a new key for a new request, and send the same request for the same key.",
        "Use a new key for a new request, and the same request for the same key.",
    ),
    "idempotency-running": Kind(
        "The first request with this Idempotency-Key is still running",
        (409,),
        "Another request with the same key has no answer yet. Nothing was stored by this one.",
        "Repeat the request after `Retry-After` seconds: it gets the first one's answer.",
        "The first request with this Idempotency-Key is still running; its answer comes soon.",
    ),
    "rate-limited": Kind(
        "Too many requests",
        (429,),
        "The user may make only so many submitting requests a second. Nothing was stored.",
        "Repeat the request after `Retry-After` seconds. `RateLimit` says on each answer how much "
        "is left; a batch counts as one request.",
        "You may make 10 submitting requests a second.",
    ),
    "quota-used-up": Kind(
        "The day's messages are used up",
        (429,),
        "The user may submit only so many messages a day. Nothing was stored.",
        "Repeat the request after `Retry-After` seconds: what was used comes back steadily. Those "
        "who run Limbo can raise the limit.",
        "You may submit 1000 messages a day, of which 0 are left.",
    ),
    "state-forbids": Kind(
        "The message's state forbids it",
        (409,),
        "What was asked for is not possible for a message that stands where this one does: there "
        "is nothing left to cancel, to try again, or to reschedule. Nothing was changed.",
        "Read the message: `detail` says how it stands.",
        "Nothing of it waits that could be cancelled. Sent.",
    ),
    "name-taken": Kind(
        "The name is taken",
        (409,),
        "You have another template of this name. Nothing was stored.",
        "Choose another name, or change the template that has it.",
        "You have another template called welcome.",
    ),
    "length-required": Kind(
        "The request does not say how long it is",
        (411,),
        "The body was sent in chunks, without `Content-Length`.",
        "Send `Content-Length`; most clients do when they are given the body as a whole.",
        "Send the body with a Content-Length, not in chunks.",
    ),
    "too-large": Kind(
        "The request is too large",
        (413,),
        "The body is larger than Limbo takes.",
        "Send less: `detail` says how much is allowed.",
        "A request may have at most 10485760 octets.",
    ),
    "unsupported-media-type": Kind(
        "The content type is not supported",
        (415,),
        "The body is not declared as JSON.",
        "Send `Content-Type: application/json`.",
        'Unsupported media type "text/plain" in request.',
    ),
    "impossible-request": Kind(
        "The request cannot be met",
        (422,),
        "The request is well formed, but what it asks for is not possible, or not now: it names "
        "something that does not exist or that the token may not use, what is no address, or a "
        "time that is over. Nothing was stored.",
        "Read `errors`: `code` says what stands in the way. The same request can succeed once "
        "that is mended or has changed.",
        "This token may not send from app@example.com.",
        (
            {
                "detail": "This token may not send from app@example.com.",
                "pointer": "#/from",
                "code": "sender_not_allowed",
            },
        ),
    ),
    "internal-error": Kind(
        "Limbo failed",
        (500,),
        "Limbo has a fault. It was written down under the `request_id`.",
        "Tell those who run Limbo the `request_id`. Repeat a submission only with its "
        "`Idempotency-Key`: "
        "it may have been stored.",
        "This is our fault, and was written down.",
    ),
    "unavailable": Kind(
        "Limbo cannot do this now",
        (503,),
        "The database is away, overloaded or read-only; or, at `/ready`, something else is "
        "missing.",
        "Try again after `Retry-After` seconds, a submission with its `Idempotency-Key`: then it "
        "is stored once.",
        "The database does not take requests now.",
    ),
}
"""By the name that `type` ends with; once it is here, a name stays."""
