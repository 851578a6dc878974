"""Hard bounces and complaints keep further mail from an address; soft bounces do not."""

from types import SimpleNamespace
from typing import Any

import pytest
from anymail.signals import RejectReason

from notifications.history.in_flight import Planned
from notifications.models import Message, State, Suppression, SuppressionReason
from notifications.tracking.bounces import is_hard
from tests import stories
from tests.factories import SuppressionFactory, UserFactory
from tests.tracking.conftest import StateOf
from tests.tracking.payloads import post_postmark, postmark

ANN = "ann@example.org"


def test_a_hard_bounce_suppresses_the_address_for_its_owner(
    message: Message, taken: Planned
) -> None:
    post_postmark(postmark("Bounce", ANN, handoff=taken.handoff_id))
    suppression = Suppression.objects.get()
    assert suppression.owner == message.owner
    assert (suppression.address, suppression.reason) == (ANN, SuppressionReason.BOUNCED)
    assert suppression.note == "Postmark: smtp;550 5.1.1 The email account does not exist."


def test_a_complaint_suppresses_the_address(taken: Planned, state_of: StateOf) -> None:
    post_postmark(postmark("SpamComplaint", ANN, handoff=taken.handoff_id))
    assert state_of(ANN) == State.COMPLAINED
    assert Suppression.objects.get().reason == SuppressionReason.COMPLAINED


def test_a_soft_bounce_suppresses_nothing(taken: Planned, state_of: StateOf) -> None:
    post_postmark(postmark("Bounce", ANN, handoff=taken.handoff_id, Type="SoftBounce"))
    assert state_of(ANN) == State.BOUNCED
    assert not Suppression.objects.exists()


def test_a_delivery_suppresses_nothing(taken: Planned) -> None:
    post_postmark(postmark("Delivery", ANN, handoff=taken.handoff_id))
    assert not Suppression.objects.exists()


def test_an_older_suppression_stays_as_it_is(message: Message, taken: Planned) -> None:
    SuppressionFactory(owner=message.owner, address=ANN, reason=SuppressionReason.MANUAL)
    report = postmark("Bounce", ANN, handoff=taken.handoff_id)
    assert post_postmark(report).status_code == 200
    assert Suppression.objects.get().reason == SuppressionReason.MANUAL


def test_an_address_is_suppressed_in_lower_case_so_that_every_spelling_is() -> None:
    message = stories.accepted(UserFactory(), "Ann.Smith@example.org")
    planned = stories.handed_over(message, to="pm")
    report = postmark("Bounce", "ann.smith@example.org", handoff=planned.handoff_id)
    post_postmark(report)
    assert Suppression.objects.get().address == "ann.smith@example.org"


@pytest.mark.parametrize(
    ("esp", "raw", "expected"),
    [
        ("Amazon SES", {"bounce": {"bounceType": "Permanent"}}, True),
        ("Amazon SES", {"bounce": {"bounceType": "Transient"}}, False),
        ("Brevo", {"event": "hard_bounce"}, True),
        ("Brevo", {"event": "soft_bounce"}, False),
        ("MailerSend", {"data": {"type": "hard_bounced"}}, True),
        ("MailerSend", {"data": {"type": "soft_bounced"}}, False),
        ("Mailjet", {"event": "bounce", "hard_bounce": True}, True),
        ("Mailjet", {"event": "bounce", "hard_bounce": False}, False),
        ("Mandrill", {"event": "hard_bounce"}, True),
        ("Mandrill", {"event": "soft_bounce"}, False),
        ("Postmark", {"Type": "HardBounce"}, True),
        ("Postmark", {"Type": "VirusNotification"}, False),
        ("Resend", {"data": {"bounce": {"type": "Permanent"}}}, True),
        ("Resend", {"data": {"bounce": {"type": "Transient"}}}, False),
        ("SendGrid", {"event": "bounce", "type": "bounce"}, True),
        ("SendGrid", {"event": "bounce", "type": "blocked"}, False),
        ("SparkPost", {"msys": {"message_event": {"bounce_class": "10"}}}, True),
        ("SparkPost", {"msys": {"message_event": {"bounce_class": "22"}}}, False),
    ],
)
def test_each_providers_own_words_tell_hard_from_soft(esp: str, raw: Any, expected: bool) -> None:
    event = SimpleNamespace(esp_event=raw, reject_reason=RejectReason.BOUNCED)
    assert is_hard(event, esp) is expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (RejectReason.BOUNCED, True),
        (RejectReason.INVALID, True),
        (RejectReason.OTHER, False),
        (RejectReason.SPAM, False),
        (None, False),
    ],
)
def test_elsewhere_anymails_reason_tells_hard_from_soft(reason: str | None, expected: bool) -> None:
    assert is_hard(SimpleNamespace(esp_event={}, reject_reason=reason), "Mailgun") is expected
