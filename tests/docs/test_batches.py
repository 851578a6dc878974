"""The example of a batch is answered as the paper says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project

from tests.api.conftest import api_of
from tests.factories import UserFactory

PAGE = (Path(project.BASE_DIR) / "docs/reference/api/batch.md").read_text()


def shape(value: Any) -> Any:
    """`value` with what differs each time left out."""
    varying = {"id", "url", "type", "request_id"}
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items() if key not in varying}
    return [shape(item) for item in value] if isinstance(value, list) else value


@pytest.mark.django_db
def test_the_example_is_answered_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.intake.batch.wake", lambda: None)
    (posted,) = re.findall(r"-d '(\{\n.*?\n\})'", PAGE, re.DOTALL)
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    answer = api_of(UserFactory()).post(json.loads(posted), path="/v1/mail/batch")
    assert shape(json.loads(answer.content)) == shape(json.loads(shown))
