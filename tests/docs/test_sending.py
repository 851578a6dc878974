"""The examples of sending are taken, and its lists are those of the code."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from pytest_django import Settings

from notifications.intake.mail_request import FIELDS
from notifications.intake.options.headers import OWNED, OWNED_PREFIXES
from notifications.models import Message
from tests.api.conftest import Api, api_of
from tests.factories import UserFactory

PAGE = (Path(project.BASE_DIR) / "docs/reference/api/sending.md").read_text()

_TIME = re.compile(r"2027-05-03T(\d\d):00:00\+02:00")


def in_the_future(text: str) -> str:
    """`text` with its times at the same distance from each other, but to come."""
    return _TIME.sub(
        lambda match: (datetime.now(UTC) + timedelta(hours=int(match[1]))).isoformat(), text
    )


def examples() -> list[dict[str, Any]]:
    """Every submission that the page shows."""
    shown = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    posted = re.findall(r"-d '(\{\n.*?\})'", PAGE, re.DOTALL)
    bodies = [json.loads(in_the_future(text)) for text in [*posted, *shown]]
    return [body for body in bodies if "from" in body]


@pytest.fixture
def api(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A user's application, with the provider that the page names."""
    settings.LIMBO_PROVIDERS = "relay=smtp://localhost"
    monkeypatch.setattr("notifications.intake.submission.wake", lambda: None)
    return api_of(UserFactory())


@pytest.mark.parametrize("body", examples(), ids=lambda body: ",".join(list(body)[4:]) or "plain")
def test_each_example_is_taken(api: Api, body: dict[str, Any]) -> None:
    assert api.post(body).status_code == 200


def test_the_text_of_html_is_as_it_says(api: Api) -> None:
    (body,) = [body for body in examples() if "html" in body and "message" not in body]
    api.post(body)
    assert f"`{Message.objects.get().content.text}`" in PAGE.replace("\n", " ")


def test_the_choices_are_taken(api: Api) -> None:
    (body,) = [body for body in examples() if "send_at" in body]
    message_id = json.loads(api.post(body).content)["id"]
    (changed,) = re.findall(r"-d '(\{\"send_at.*?\})'", PAGE)
    path = f"/v1/mail/{message_id}"
    answer = api.post(json.loads(in_the_future(changed)), path=f"{path}/reschedule")
    assert answer.status_code == 200
    assert api.post(b"", path=f"{path}/cancel").status_code == 200


def test_every_field_is_listed() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"\w+", row)} == FIELDS


def test_every_header_that_is_refused_is_named() -> None:
    named = {name.lower() for name in re.findall(r"`([A-Z][\w-]+)`", PAGE)}
    prefixes = {name.lower() for name in re.findall(r"`([A-Z][\w-]+-)…`", PAGE)}
    assert named >= OWNED
    assert prefixes == set(OWNED_PREFIXES)
