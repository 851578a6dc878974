"""What an application asks Limbo to send."""

import base64
import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

_ANY_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file; with a `content_id`, an image that the HTML shows by `cid:` and this."""

    name: str
    content: bytes
    type: str = ""
    """Such as application/pdf; guessed from the name if not given."""
    content_id: str = ""

    @classmethod
    def from_path(cls, path: str | Path) -> "Attachment":
        """The file that lies there, under its own name."""
        path = Path(path)
        return cls(path.name, path.read_bytes())

    def members(self) -> dict[str, str]:
        """As the API wants it."""
        members = {
            "name": self.name,
            "type": self.type or mimetypes.guess_type(self.name)[0] or _ANY_TYPE,
            "content": base64.b64encode(self.content).decode(),
        }
        return {**members, "content_id": self.content_id} if self.content_id else members


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One submission. What is None is left to Limbo.

    Addresses are written `ada@example.org` or `Ada <ada@example.org>`; one may stand for a list.
    Limbo checks all of it and tells every fault at once, so nothing is checked here.
    """

    sender: str
    to: str | Sequence[str] = ()
    cc: str | Sequence[str] = ()
    bcc: str | Sequence[str] = ()
    subject: str | None = None
    text: str | None = None
    """Made of the HTML if not given."""
    html: str | None = None
    reply_to: str | Sequence[str] = ()
    headers: Mapping[str, str] | None = None
    attachments: Iterable[Attachment] = ()
    tags: Sequence[str] = ()
    metadata: Mapping[str, str] | None = None
    priority: str | None = None
    """`urgent`, `normal` or `bulk`."""
    send_at: datetime | None = None
    """With its offset, as `expires_at`."""
    expires_at: datetime | None = None
    on_uncertain: str | None = None
    """`hold` or `resend`: what follows when nobody knows whether a provider took it."""
    provider: str | None = None
    failover: bool | None = None
    template: str | None = None
    """A template's id or name; then subject and bodies come from it."""
    template_version: int | None = None
    variables: Mapping[str, Any] | None = None

    def members(self) -> dict[str, Any]:
        """As the API wants it."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            _MEMBERS.get(name, name): _plain(value)
            for name, value in given.items()
            if value is not None and value != ()
        }


_MEMBERS = {"sender": "from", "text": "message"}
"""By attribute, where the API calls it otherwise."""


def _plain(value: Any) -> Any:
    """The value in JSON's types."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        return value
    return [item.members() if isinstance(item, Attachment) else item for item in value]
