"""The operations of the API, as its description has them, and requests that each would take."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from notifications.models import Message
from tests.api.conftest import SUBMISSION, Api

_PAPER = Path(settings.BASE_DIR) / "docs" / "reference" / "openapi.yaml"
"""The description as it is kept; a test of the papers sees to it that it is the one served."""

_DESCRIPTION: dict[str, Any] = yaml.safe_load(_PAPER.read_text(encoding="utf-8"))

TOMORROW = (timezone.now() + timedelta(days=1)).isoformat()

_MAIL = {
    **SUBMISSION,
    "cc": ["bob@example.org"],
    "bcc": ["eve@example.org"],
    "reply_to": ["desk@example.com"],
    "attachments": [{"name": "a.txt", "type": "text/plain", "content": "SGVsbG8="}],
    "tags": ["welcome"],
}

BODIES: dict[str, dict[str, Any]] = {
    "submit_message": _MAIL,
    "submit_batch": {"messages": [SUBMISSION]},
    "cancel_message": {},
    "retry_message": {},
    "reschedule_message": {"send_at": TOMORROW},
    "create_template": {"name": "another", "subject": "Hello", "text": "Hello."},
    "change_template": {"subject": "Hello", "text": "Hello."},
    "preview_template": {"variables": {"name": "Ada"}},
    "create_token": {
        "name": "another",
        "scopes": ["send"],
        "allowed_senders": ["example.com"],
        "allowed_networks": ["192.0.2.0/24"],
    },
}
"""What each operation with a body takes."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    name: str
    method: str
    path: str
    parameters: list[dict[str, Any]]
    """Those of its query."""
    form: dict[str, Any] | None
    """Its body's."""

    def path_of(self, api: Api) -> str:
        """Its path for things that are `api.owner`'s, where they are there."""
        message = Message.objects.filter(owner=api.owner).first()
        message_id = message.id if message else "01997a3c-5d1e-7b62-9c55-3f4be0a8d1c7"
        names = {"message_id": message_id, "template": "welcome", "token_id": message_id}
        return self.path.format(**names)

    def ask(self, api: Api, body: object | None = None, **query: Any) -> HttpResponse:
        """Make the request, with `body` or the one that it would take."""
        given = BODIES.get(self.name) if body is None else body
        return api.ask(self.method, self.path_of(api), given, **query)


def operations() -> Iterator[Operation]:
    """Every operation that needs a token."""
    for path, methods in _DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            if operation["security"] == [{"token": []}]:
                yield Operation(
                    operation["operationId"],
                    method.upper(),
                    path,
                    [one for one in operation.get("parameters", ()) if one["in"] == "query"],
                    _form_of(operation),
                )


def _form_of(operation: dict[str, Any]) -> dict[str, Any] | None:
    body = operation.get("requestBody")
    if body is None:
        return None
    form: dict[str, Any] = body["content"]["application/json"]["schema"]
    return form
