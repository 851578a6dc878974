"""The how-to names each provider that reports, and how its reports are protected."""

from pathlib import Path

import pytest
from anymail import urls
from django.conf import settings

from notifications.delivery.esps import ESPS
from notifications.tracking.security import PROTECTIONS, SECRET

PAGE = (Path(settings.BASE_DIR) / "docs/how-to/tracking.md").read_text()


@pytest.mark.parametrize("esp", PROTECTIONS)
def test_each_protection_is_named(esp: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("|") and name(esp) in line)
    for setting in PROTECTIONS[esp].wanted:
        variable = "LIMBO_TRACKING_SECRET" if setting == SECRET else f"ANYMAIL_{setting}"
        assert f"`{variable}`" in row


def name(esp: str) -> str:
    """A provider's name as it writes it itself, from Anymail's view."""
    views = {pattern.name: pattern.callback for pattern in urls.urlpatterns}
    return str(views[f"{esp}_tracking_webhook"].view_class.esp_name)


def test_each_provider_that_can_report_is_protected() -> None:
    can_report = {
        esp.backend
        for esp in ESPS.values()
        if any(pattern.name == f"{esp.backend}_tracking_webhook" for pattern in urls.urlpatterns)
    }
    assert can_report == set(PROTECTIONS)
