"""No report is believed that anyone could have sent."""

import json

import pytest
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from notifications.history.in_flight import Planned
from notifications.models import State, Suppression
from tests.tracking.conftest import Reports, StateOf
from tests.tracking.payloads import SECRET, mailgun, post_mailgun, post_postmark, postmark

ANN = "ann@example.org"


@pytest.mark.parametrize("secret", [None, "tracker:wrong", "tracker:", "wrong"])
def test_a_wrong_or_missing_secret_is_refused_and_stores_nothing(
    taken: Planned, reports: Reports, secret: str | None
) -> None:
    report = postmark("Bounce", ANN, handoff=taken.handoff_id)
    assert post_postmark(report, secret=secret).status_code == 403
    assert reports() == []
    assert not Suppression.objects.exists()


def test_a_wrong_signature_is_refused_and_stores_nothing(
    settings: Settings, taken: Planned, reports: Reports
) -> None:
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": []}
    report = mailgun("delivered", ANN, handoff=taken.handoff_id)
    assert post_mailgun(report, key="another", secret=None).status_code == 403
    assert reports() == []
    assert post_mailgun(report, secret=None).status_code == 200
    assert reports() == [(State.DELIVERED, True)]


def test_a_signed_provider_is_held_to_the_shared_secret_too(
    taken: Planned, state_of: StateOf
) -> None:
    # both are set, so Anymail asks for both
    report = mailgun("delivered", ANN, handoff=taken.handoff_id)
    assert post_mailgun(report, secret=None).status_code == 403
    assert state_of(ANN) == State.QUEUED


@pytest.mark.parametrize("esp", ["brevo", "sparkpost", "sendgrid", "resend", "nonsense"])
def test_a_provider_that_is_not_in_use_has_no_webhook(esp: str) -> None:
    answer = Client().post(f"/anymail/{esp}/tracking/", "[]", content_type="application/json")
    assert answer.status_code == 404


def test_there_is_no_webhook_for_incoming_mail() -> None:
    answer = Client().post("/anymail/postmark/inbound/", "{}", content_type="application/json")
    assert answer.status_code == 404


def test_a_provider_without_protection_has_no_webhook(
    settings: Settings, taken: Planned, reports: Reports
) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": []}
    report = postmark("Bounce", ANN, handoff=taken.handoff_id)
    assert post_postmark(report).status_code == 404
    assert reports() == []


def test_a_second_secret_is_let_in_while_it_replaces_the_first(
    settings: Settings, taken: Planned, reports: Reports
) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": ["new:secret", SECRET]}
    report = postmark("Delivery", ANN, handoff=taken.handoff_id)
    assert post_postmark(report, secret="new:secret").status_code == 200
    assert post_postmark(report, secret=SECRET).status_code == 200


def ids_of_checks() -> dict[str, str]:
    """The problems that the start reports about tracking, with their hints."""
    found = run_checks(tags=["limbo"])
    return {str(check.id): f"{check.msg} {check.hint}" for check in found if "03" in str(check.id)}


def test_the_start_fails_while_a_providers_reports_could_be_forged(
    settings: Settings,
) -> None:
    settings.LIMBO_LOCAL = False
    settings.ANYMAIL = {"WEBHOOK_SECRET": []}
    settings.LIMBO_PROVIDERS = "pm=anymail-postmark://TOKEN@/"
    assert "Set LIMBO_TRACKING_SECRET." in ids_of_checks()["limbo.E030"]
    settings.LIMBO_PROVIDERS = "mg=anymail-mailgun://KEY@/"
    assert "Set ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY." in ids_of_checks()["limbo.E030"]


def test_on_a_machine_of_ones_own_it_only_warns(settings: Settings) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": []}
    assert list(ids_of_checks()) == ["limbo.W030"]


def test_the_start_is_content_with_protected_and_with_silent_providers(
    settings: Settings,
) -> None:
    settings.LIMBO_LOCAL = False
    assert ids_of_checks() == {}
    settings.ANYMAIL = {"WEBHOOK_SECRET": []}
    settings.LIMBO_PROVIDERS = "relay=smtp://127.0.0.1,sw=anymail-scaleway://KEY@/?project_id=1"
    assert ids_of_checks() == {}


@pytest.mark.parametrize("secret", ["without-a-colon", "user:", ":password"])
def test_a_secret_that_no_provider_could_send_fails_the_start(
    settings: Settings, secret: str
) -> None:
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": [secret]}
    assert "limbo.E031" in ids_of_checks()


def test_a_refused_call_says_nothing_about_its_secret(taken: Planned) -> None:
    report = postmark("Bounce", ANN, handoff=taken.handoff_id)
    answer = post_postmark(report, secret="tracker:wrong")
    assert SECRET not in json.dumps(str(getattr(answer, "content", b"")))
