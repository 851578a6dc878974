"""Every request that the client can make: what it asks, and how the answer is read.

Nothing here knows how a request travels; `Limbo` and `AsyncLimbo` carry the same calls.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

from limbo_client.answers import Answer
from limbo_client.errors import BrokenAnswerError
from limbo_client.mail import Mail
from limbo_client.reading import body_of, read, read_answer
from limbo_client.results import (
    Event,
    FeedEvent,
    Message,
    MessageDetail,
    NewToken,
    Preview,
    Refused,
    Stats,
    Submitted,
    Template,
    TemplateDetail,
    TemplateVersion,
    Token,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and what its answer means."""

    method: str
    path: str
    read: Callable[[Answer], T]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    key: str = ""
    """Its Idempotency-Key."""
    is_repeatable: bool = True
    """Whether it changes nothing more when it arrives twice."""
    waits: float = 0.0
    """Seconds that Limbo may take on purpose."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list."""

    results: tuple[T, ...]
    next: Call["Page[T]"] | None
    """None for the last one."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the event feed."""

    events: tuple[FeedEvent, ...]
    cursor: str
    """Where the next one begins."""
    is_last: bool
    """Whether there is nothing more now."""
    pause: float
    """Seconds until the next one should be asked for."""


def send(mail: Mail, *, idempotency_key: str | None = None) -> Call[Submitted]:
    """Submit a message. Once this returns it is stored, and will not be lost.

    A key is made for it unless one is given, so that it is stored once however often the client
    has to try. Give one (up to 256 characters) to be safe across restarts of your own.
    """
    key = idempotency_key or str(uuid.uuid4())
    return Call("POST", "/v1/mail", _submitted, body=mail.members(), key=key)


def send_batch(
    mails: Sequence[Mail], *, atomic: bool = False, idempotency_key: str | None = None
) -> Call[tuple[Submitted | Refused, ...]]:
    """Submit up to 1,000 messages; what became of each is in its place.

    With `atomic` all of them are stored or none: then a fault of one is an exception. The key is as
    for `send`, for the batch as a whole.
    """
    key = idempotency_key or str(uuid.uuid4())
    body = {"messages": [mail.members() for mail in mails], "atomic": atomic}
    return Call("POST", "/v1/mail/batch", _batch, body=body, key=key)


def get(message_id: str) -> Call[MessageDetail]:
    """A message, its deliveries with their attempts, and its events."""
    return Call("GET", f"/v1/mail/{_part(message_id)}", partial(read_answer, MessageDetail))


def list_messages(
    *,
    state: str | None = None,
    recipient: str | None = None,
    sender: str | None = None,
    tag: str | None = None,
    metadata: str | None = None,
    provider: str | None = None,
    q: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    page_size: int | None = None,
) -> Call[Page[Message]]:
    """One's messages, newest first; all that is given must hold. Pages are fetched as needed.

    `metadata` is a key or `key=value`; `q` are words of the subject, addresses, or their domains.
    """
    query = _query(
        state=state,
        recipient=recipient,
        **{"from": sender},
        tag=tag,
        metadata=metadata,
        provider=provider,
        q=q,
        created_after=created_after,
        created_before=created_before,
        limit=page_size,
    )
    return _paged(Message, "/v1/mail", query)


def message_events(message_id: str, *, page_size: int | None = None) -> Call[Page[Event]]:
    """One message's events, oldest first."""
    path = f"/v1/mail/{_part(message_id)}/events"
    return _paged(Event, path, _query(limit=page_size))


def stretch(cursor: str | None, *, page_size: int | None, wait: int) -> Call[Stretch]:
    """The events after `cursor`; waits up to `wait` seconds where there are none yet."""
    query = _query(cursor=cursor, limit=page_size, wait=wait or None)
    return Call("GET", "/v1/events", _stretch, query, waits=wait)


def stats(
    *,
    after: datetime | None = None,
    before: datetime | None = None,
    tag: str | None = None,
    interval: str | None = None,
) -> Call[Stats]:
    """Counts of what happened in a period, a day unless given; `interval` is `hour` or `day`."""
    query = _query(after=after, before=before, tag=tag, interval=interval)
    return Call("GET", "/v1/stats", partial(read_answer, Stats), query)


def list_templates(*, page_size: int | None = None) -> Call[Page[Template]]:
    """One's templates, newest first, without what they say."""
    return _paged(Template, "/v1/templates", _query(limit=page_size))


def get_template(template: str, *, version: int | None = None) -> Call[TemplateDetail]:
    """A template, by id or name, with its current subject and bodies or an earlier version's."""
    path = f"/v1/templates/{_part(template)}"
    return Call("GET", path, partial(read_answer, TemplateDetail), _query(version=version))


def create_template(
    name: str,
    *,
    subject: str,
    text: str | None = None,
    html: str | None = None,
    description: str | None = None,
) -> Call[TemplateDetail]:
    """Store a template."""
    given = {"text": text, "html": html, "description": description}
    body = {"name": name, "subject": subject, **_given(given)}
    reads = partial(read_answer, TemplateDetail)
    return Call("POST", "/v1/templates", reads, body=body, is_repeatable=False)


def change_template(template: str, **changes: str | None) -> Call[TemplateDetail]:
    """Change `name`, `description`, `subject`, `text` or `html`; None removes what may be removed.

    Another subject or body makes a new version.
    """
    path = f"/v1/templates/{_part(template)}"
    return Call("PATCH", path, partial(read_answer, TemplateDetail), body=changes)


def delete_template(template: str) -> Call[None]:
    """Let nobody send by it any more; messages keep what they said."""
    path = f"/v1/templates/{_part(template)}"
    return Call("DELETE", path, _nothing, is_repeatable=False)


def template_versions(
    template: str, *, page_size: int | None = None
) -> Call[Page[TemplateVersion]]:
    """A template's versions, the current one first."""
    path = f"/v1/templates/{_part(template)}/versions"
    return _paged(TemplateVersion, path, _query(limit=page_size))


def preview_template(
    template: str, *, variables: Mapping[str, Any] | None = None, version: int | None = None
) -> Call[Preview]:
    """What a template would say with these variables."""
    path = f"/v1/templates/{_part(template)}/preview"
    body = _given({"variables": variables, "version": version})
    return Call("POST", path, partial(read_answer, Preview), body=body)


def list_tokens(*, page_size: int | None = None) -> Call[Page[Token]]:
    """One's tokens, newest first, revoked and expired ones too."""
    return _paged(Token, "/v1/tokens", _query(limit=page_size))


def create_token(
    name: str,
    *,
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
    allowed_senders: Sequence[str] = (),
    allowed_networks: Sequence[str] = (),
    test: bool | None = None,
) -> Call[NewToken]:
    """Make a token, which is told this once; it may do no more than the client's own.

    What a `test` token submits goes to the sandbox, and to nobody.
    """
    body = {
        "name": name,
        "scopes": list(scopes) or None,
        "expires_at": expires_at.isoformat() if expires_at else None,
        "allowed_senders": list(allowed_senders) or None,
        "allowed_networks": list(allowed_networks) or None,
        "test": test,
    }
    reads = partial(read_answer, NewToken)
    return Call("POST", "/v1/tokens", reads, body=_given(body), is_repeatable=False)


def revoke_token(token_id: str) -> Call[None]:
    """End a token."""
    return Call("DELETE", f"/v1/tokens/{_part(token_id)}", _nothing)


def _paged(cls: type[T], path: str, query: Mapping[str, str]) -> Call[Page[T]]:
    def read_page(answer: Answer) -> Page[T]:
        members = _typed(dict, body_of(answer))
        results = tuple(read(cls, item) for item in _typed(list, members.get("results")))
        following = members.get("next")
        # of the link only the query: the path, and above all the host, are known
        further = dict(parse_qsl(urlsplit(following).query)) if following else None
        return Page(results, None if further is None else replace(call, query=further))

    call = Call("GET", path, read_page, query)
    return call


def _submitted(answer: Answer) -> Submitted:
    submitted = read_answer(Submitted, answer)
    is_replayed = answer.headers.get("idempotency-replayed") == "true"
    return replace(submitted, is_replayed=is_replayed)


def _batch(answer: Answer) -> tuple[Submitted | Refused, ...]:
    members = _typed(dict, body_of(answer))
    is_replayed = answer.headers.get("idempotency-replayed") == "true"
    return tuple(_place(item, is_replayed) for item in _typed(list, members.get("results")))


def _place(item: object, is_replayed: bool) -> Submitted | Refused:
    members = _typed(dict, item)
    if "id" in members:
        return replace(read(Submitted, members), is_replayed=is_replayed)
    return read(Refused, members)


def _stretch(answer: Answer) -> Stretch:
    members = _typed(dict, body_of(answer))
    events = tuple(read(FeedEvent, item) for item in _typed(list, members.get("results")))
    cursor = _typed(str, members.get("cursor"))
    pause = 0.0 if events else answer.retry_after or 0.0
    return Stretch(events, cursor, not members.get("has_more"), pause)


def _nothing(_answer: Answer) -> None:
    return None


def _typed(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise BrokenAnswerError("What answered was not Limbo: its answer has another form.")
    return value


def _part(name: str) -> str:
    """One step of a path, whatever is in it."""
    return quote(str(name), safe="")


def _given(values: Mapping[str, T | None]) -> dict[str, T]:
    return {name: value for name, value in values.items() if value is not None}


def _query(**values: str | int | datetime | None) -> dict[str, str]:
    """Parameters as text; what is None is left out."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in _given(values).items()
    }
