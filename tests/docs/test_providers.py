"""The how-to says of each provider what the code knows of it."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from notifications.delivery.esps import ESPS
from notifications.delivery.transports.smtp import (
    CONNECTION_SECONDS,
    IDLE_SECONDS,
    MESSAGES_PER_CONNECTION,
)

PAGE = (Path(settings.BASE_DIR) / "docs/how-to/providers.md").read_text()


def cells(esp: str) -> list[str]:
    """The provider's row in the table."""
    (row,) = re.findall(rf"^\| `{esp}` \| (.*) \|$", PAGE, re.MULTILINE)
    return str(row).split(" | ")


@pytest.mark.parametrize("name", ESPS)
def test_each_providers_row_is_true(name: str) -> None:
    esp = ESPS[name]
    credentials, options, message_id, mark, some, repeated = cells(name)
    assert credentials == f"`{':'.join(esp.credentials).upper()}`"
    assert re.findall(r"\*\*`(\w+)`\*\*", options) == list(esp.required)
    assert sorted(re.findall(r"`(\w+)`", options)) == sorted(esp.options)
    assert message_id == ("replaced" if esp.message_id_headers is None else "kept")
    assert mark == esp.mark
    assert some == ("yes" if esp.separates_envelope else "no")
    hours = round(esp.key_lifetime.total_seconds() / 3600)
    assert repeated == (f"{hours} h" if hours else "no")


def test_the_connections_limits_are_those_of_the_code() -> None:
    limits = f"kept for {MESSAGES_PER_CONNECTION} messages or {CONNECTION_SECONDS:.0f} s"
    assert limits in PAGE
    assert f"nothing to send for {IDLE_SECONDS:.0f} s" in PAGE
