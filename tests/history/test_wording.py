"""The sentences of the history."""

from typing import Any

import pytest

from notifications.delivery.doubt import WORKER_LOST
from notifications.delivery.reading import Reading
from notifications.history.wording import Facts, Reader, duration, event_sentence
from notifications.models import State

OWNER = Reader(owner="ada", is_staff=False)
STAFF = Reader(owner="ada", is_staff=True)


def say(kind: str, reader: Reader = OWNER, *, applied: bool = True, **data: Any) -> str:
    return event_sentence(kind, Facts.of_event(data, reader), applied=applied)


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_sentence_of_its_own(state: State) -> None:
    sentence = say(state)
    assert sentence != state
    assert "{" not in sentence


@pytest.mark.parametrize("reading", [*Reading, WORKER_LOST])
def test_every_reading_has_a_sentence_of_its_own(reading: str) -> None:
    assert say("of no kind", provider="sink", reading=reading) != "of no kind"


def test_a_cancel_tells_the_reason_that_staff_gave() -> None:
    assert say("cancelled", by="root") == "Cancelled by support"
    said = say("cancelled", STAFF, by="root", reason="She asked")
    assert said == "Cancelled by root: She asked"


def test_an_accepted_handoff_quotes_the_provider() -> None:
    said = say("sent", provider="sink", reading="sent", code=250, answer="2.0.0 OK")
    assert said == "sink took it (250 2.0.0 OK)"


def test_a_code_that_the_answer_begins_with_is_said_once() -> None:
    said = say("sent", provider="sink", reading="sent", code=250, answer="250 2.0.0 OK")
    assert said == "sink took it (250 2.0.0 OK)"


def test_a_code_without_words_is_quoted_alone() -> None:
    assert say("queued", provider="esp", reading="queued", code=202) == "esp took it (202)"


def test_a_long_answer_is_cut_and_put_on_one_line() -> None:
    said = say("failed", provider="sink", reading="message_refused", answer="no\n" * 200)
    assert "\n" not in said
    assert said.endswith("…)")
    assert len(said) < 220


def test_failover_says_that_the_next_provider_is_asked() -> None:
    said = say("pending", provider="first", reading="unreachable", answer="refused")
    assert said == "first could not be reached (refused); the next provider is asked"


def test_a_doubt_that_can_be_repeated_safely_says_when() -> None:
    said = say("uncertain", provider="esp", reading="ambiguous", code=500, wait=25)
    assert said.endswith("; it is asked again, without a second copy, in 25 s")


def test_a_repeat_that_was_refused_leaves_the_first_one_open() -> None:
    said = say("uncertain", provider="esp", reading="message_refused", code=422, repeat=True)
    assert said.endswith("(422); whether it took the first one stays open")


def test_a_wait_says_how_long() -> None:
    said = say("pending", provider="first", reading="temporary", code=451, wait=40)
    assert said == "first did not take it for now (451); it will be tried again in 40 s"


def test_a_requeue_says_who_and_why() -> None:
    data: dict[str, Any] = {"choice": "requeue", "by": "grace", "reason": "mailbox is back"}
    assert say("pending", STAFF, **data) == "grace chose to send it again: mailbox is back"
    assert say("pending", OWNER, **data) == "Support chose to send it again: mailbox is back"


def test_the_owner_is_called_you() -> None:
    assert say("retried", by="ada") == "You asked to try again now"
    assert say("cancelled", by="ada") == "Cancelled by you"


def test_the_owner_never_learns_the_names_of_staff() -> None:
    assert "grace" not in say("cancelled", by="grace")


@pytest.mark.parametrize(
    ("reading", "answer"),
    [
        ("unbuildable", "KeyError: 'x'"),
        ("misconfigured", "535 bad password for limbo@esp.example"),
        ("ambiguous", "Traceback (most recent call last):\n  File …"),
        ("ambiguous", 'in send\n  File "smtp.py", line 3'),
    ],
)
def test_what_tells_of_limbo_itself_is_for_staff_only(reading: str, answer: str) -> None:
    data: dict[str, Any] = {"provider": "esp", "reading": reading, "answer": answer}
    assert answer[:7] in say("failed", STAFF, **data)
    assert answer[:7] not in say("failed", OWNER, **data)
    assert Facts.of_event(data, OWNER).answer == ""


def test_a_report_tells_of_the_recipient_and_not_of_the_handoff() -> None:
    said = say("bounced", source="tracking", provider="esp", answer="550 no such user")
    assert said == "It came back from the recipient's server (550 no such user)"


def test_what_was_not_applied_says_so() -> None:
    said = say("deferred", source="tracking", applied=False)
    assert said.endswith("; this came too late and changed nothing")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("deadline", "Given up: its deadline passed"),
        ("attempts used up", "Given up: every provider was asked as often as allowed"),
        ("it killed three workers", "Given up: it killed three workers"),
    ],
)
def test_giving_up_says_why(reason: str, said: str) -> None:
    assert say("dead", reason=reason) == said


def test_a_suppressed_address_says_why() -> None:
    said = say("suppressed", reason="bounced")
    assert said == (
        "The address is suppressed, so nothing was sent: a message to it bounced for good"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (7200, "2 h"), (14400, "4 h")],
)
def test_durations_are_rounded_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_scheduled_message_says_when_it_goes_out() -> None:
    said = say("accepted", send_at="2026-05-03T12:02:00+02:00")
    assert said == "Limbo accepted the message; it is to go out on 3 May 2026, 10:02 UTC"
    said = say("rescheduled", by="ada", send_at="2026-05-04T00:00:00+00:00")
    assert said == "You chose another time; it is to go out on 4 May 2026, 00:00 UTC"
