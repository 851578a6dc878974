"""A provider's report moves the delivery that it is about."""

import logging

import pytest

from notifications.history.in_flight import Planned
from notifications.history.timeline import timeline
from notifications.models import Attempt, Delivery, Event, Handoff, Message, Outcome, State
from tests import stories
from tests.factories import UserFactory
from tests.tracking.conftest import Reports, StateOf, unknown_id
from tests.tracking.payloads import (
    POSTMARK_ID,
    amazon_ses,
    mailgun,
    post_amazon_ses,
    post_mailgun,
    post_postmark,
    postmark,
)


def test_a_delivery_report_of_postmark_moves_its_recipient_alone(
    taken: Planned, state_of: StateOf
) -> None:
    report = postmark("Delivery", "ann@example.org", handoff=taken.handoff_id)
    assert post_postmark(report).status_code == 200
    assert state_of("ann@example.org") == State.DELIVERED
    assert state_of("bob@example.org") == State.QUEUED


def test_a_signed_report_of_mailgun_moves_its_recipient(taken: Planned, state_of: StateOf) -> None:
    report = mailgun("delivered", "bob@example.org", handoff=taken.handoff_id)
    assert post_mailgun(report).status_code == 200
    assert state_of("bob@example.org") == State.DELIVERED


def test_a_report_of_amazon_ses_moves_its_recipient(taken: Planned, state_of: StateOf) -> None:
    report = amazon_ses("Delivery", "bob@example.org", handoff=taken.handoff_id)
    assert post_amazon_ses(report).status_code == 200
    assert state_of("bob@example.org") == State.DELIVERED
    assert state_of("ann@example.org") == State.QUEUED


def test_a_temporary_failure_of_mailgun_is_a_deferral(taken: Planned, state_of: StateOf) -> None:
    report = mailgun(
        "failed",
        "bob@example.org",
        handoff=taken.handoff_id,
        severity="temporary",
        reason="generic",
    )
    post_mailgun(report)
    assert state_of("bob@example.org") == State.DEFERRED


def test_the_history_keeps_the_words_of_the_recipients_server(
    message: Message, taken: Planned
) -> None:
    post_postmark(postmark("Bounce", "ann@example.org", handoff=taken.handoff_id))
    event = Event.objects.get(message=message, kind=State.BOUNCED)
    assert event.data["provider"] == "pm"
    assert event.data["answer"] == "smtp;550 5.1.1 The email account does not exist."
    assert event.data["reported_at"] == "2026-11-24T10:02:12+00:00"
    sentences = [line.sentence for line in timeline(message).lines]
    assert any("It came back from the recipient's server" in text for text in sentences)


def test_without_the_handoffs_id_the_providers_own_id_is_enough(
    taken: Planned, state_of: StateOf
) -> None:
    Handoff.objects.filter(id=taken.handoff_id).update(provider_message_id=POSTMARK_ID)
    post_postmark(postmark("Delivery", "bob@example.org"))
    assert state_of("bob@example.org") == State.DELIVERED


@pytest.mark.parametrize("spelling", ["ANN@Example.ORG", "ann@EXAMPLE.org"])
def test_a_recipient_is_known_in_any_spelling(
    taken: Planned, state_of: StateOf, spelling: str
) -> None:
    post_postmark(postmark("Delivery", spelling, handoff=taken.handoff_id))
    assert state_of("ann@example.org") == State.DELIVERED


def test_an_international_domain_is_known_in_punycode() -> None:
    message = stories.accepted(UserFactory(), "jörg@bücher.example")
    planned = stories.handed_over(message, to="pm")
    post_postmark(postmark("Delivery", "jörg@xn--bcher-kva.example", handoff=planned.handoff_id))
    assert Delivery.objects.get(message=message).state == State.DELIVERED


def test_reports_of_unknown_messages_are_ignored_and_logged(
    taken: Planned, reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "notifications.tracking")
    stranger = postmark("Delivery", "ann@example.org", handoff=unknown_id())
    nobody = postmark("Delivery", "carol@example.org", handoff=taken.handoff_id)
    for report in (stranger, nobody, postmark("Delivery", "ann@example.org")):
        assert post_postmark(report).status_code == 200
    assert reports() == []
    assert caplog.text.count("unknown message") == 3


def test_an_opened_message_changes_nothing(taken: Planned, reports: Reports) -> None:
    report = postmark("Open", "ann@example.org", handoff=taken.handoff_id)
    assert post_postmark(report).status_code == 200
    assert reports() == []


def test_a_tag_of_the_senders_own_finds_no_handoff(taken: Planned, reports: Reports) -> None:
    forged = postmark("Bounce", "ann@example.org", Tag=str(taken.handoff_id))
    assert post_postmark(forged).status_code == 200
    assert reports() == []


def test_null_characters_in_a_report_are_dropped(taken: Planned, message: Message) -> None:
    report = postmark(
        "Bounce", "ann@example.org", handoff=taken.handoff_id, Details="no\x00 such user"
    )
    assert post_postmark(report).status_code == 200
    assert Event.objects.get(message=message, kind="bounced").data["answer"] == "no such user"


def test_a_report_settles_an_attempt_that_is_in_doubt(message: Message, in_flight: Planned) -> None:
    for delivery in stories.deliveries_of(message):
        stories.moved(delivery, State.UNCERTAIN)
    Attempt.objects.filter(handoff_id=in_flight.handoff_id).update(
        outcome=Outcome.UNCERTAIN, reading="worker_lost"
    )
    post_postmark(postmark("Delivery", "ann@example.org", handoff=in_flight.handoff_id))
    ann = Attempt.objects.get(handoff_id=in_flight.handoff_id, delivery__address="ann@example.org")
    bob = Attempt.objects.get(handoff_id=in_flight.handoff_id, delivery__address="bob@example.org")
    assert (ann.outcome, ann.reading) == (Outcome.ACCEPTED, "reported")
    assert bob.outcome == Outcome.UNCERTAIN
    assert Handoff.objects.get(id=in_flight.handoff_id).outcome == Outcome.UNCERTAIN
    told = [attempt.sentence for row in timeline(message).deliveries for attempt in row.attempts]
    assert "pm took it" in told
