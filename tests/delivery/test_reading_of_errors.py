"""How an error is read, line by line: what happened, what it is taken for, and what follows.

Each case hands a real message to a real first provider that fails in that way, beside a second
one that works, and looks at the message, at the second provider and at the first one's standing.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from notifications.delivery import breaker
from notifications.delivery.classify import read_http
from notifications.delivery.provider_config import parse_providers
from notifications.delivery.providers import close_provider, open_transport
from notifications.delivery.reading import Reading
from notifications.delivery.standing import EXHAUSTED_SECONDS
from notifications.models import Attempt, Delivery, Handoff, Message, Provider, State
from notifications.queue.claim import claim_next
from tests.delivery.handing_over import Witness, reading, request_to, soon
from tests.delivery.two_providers import First, ask_first, deliver
from tests.factories import make_message
from tests.peers.actions import Action, drop, reply, reset, stall
from tests.peers.http_peer import Answer, HttpPeer
from tests.peers.smtp_peer import SmtpPeer

pytestmark = pytest.mark.django_db(transaction=True)


Fault = Callable[[First], str]
"""Opens the first provider, and returns its URL."""


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[First]:
    """The first provider, of which this process knows nothing yet."""
    monkeypatch.setattr(breaker, "_known", {})
    with ExitStack() as stack:
        yield First(stack, tmp_path)


@pytest.fixture
def second() -> Iterator[SmtpPeer]:
    """The second provider, which works."""
    with SmtpPeer() as peer:
        yield peer


def standing() -> Provider:
    """The first provider's row."""
    return Provider.objects.get(name="first")


def is_untouched(provider: Provider) -> bool:
    """Whether nothing is held against a provider, and its breaker counts nothing."""
    is_on = provider.enabled and not provider.fault and provider.closed_until is None
    return is_on and not (provider.failures or provider.window_failures)


def readings() -> list[str]:
    """What the hand-offs were taken for, the first one first."""
    return list(Handoff.objects.order_by("id").values_list("reading", flat=True))


def send_through(settings: Settings, url: str, second: SmtpPeer, *to: str) -> Message:
    """Deliver a message through the first provider at `url`, or the second one."""
    ask_first(settings, url, f"smtp://127.0.0.1:{second.port}")
    message = make_message(*to)
    deliver()
    message.refresh_from_db()
    return message


def http(code: int, /, *, esp: str = "postmark", **members: object) -> Fault:
    """An HTTP provider that answers this status, with these members in its JSON."""
    return lambda first: first.http(Answer(code, json.dumps(members)), esp=esp)


def taken_as(message_id: str) -> Fault:
    """Postmark, which takes it under this id."""
    return http(200, ErrorCode=0, Message="OK", To="a@example.org", MessageID=message_id)


def smtp(moment: str, action: Action) -> Fault:
    """An SMTP server that fails at a moment."""
    return lambda first: first.smtp(moment, action)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(First.nowhere, id="no such host"),
        pytest.param(First.refusing, id="refused connection"),
        pytest.param(lambda first: first.refusing("http"), id="refused connection, HTTP"),
        pytest.param(lambda first: first.untrusted("smtps"), id="TLS"),
        pytest.param(lambda first: first.untrusted("smtp"), id="STARTTLS"),
        pytest.param(lambda first: first.untrusted("https"), id="HTTPS"),
        pytest.param(First.without_starttls, id="no STARTTLS"),
        pytest.param(smtp("greeting", reply("421 4.3.2 too busy")), id="greeting 4xx"),
        pytest.param(smtp("greeting", reply("554 5.3.2 closed")), id="greeting 5xx"),
        pytest.param(smtp("ehlo", drop()), id="dropped at EHLO"),
        pytest.param(smtp("mail", drop()), id="dropped at MAIL"),
        pytest.param(smtp("rcpt", drop()), id="dropped at RCPT"),
        pytest.param(smtp("data", drop()), id="dropped at DATA"),
        pytest.param(smtp("data", reset()), id="reset at DATA"),
    ],
)
def test_what_was_not_reached_is_passed_over_and_counts_against_its_breaker(
    settings: Settings, first: First, second: SmtpPeer, fault: Fault
) -> None:
    message = send_through(settings, fault(first), second)
    assert (message.state, readings()) == (State.SENT, ["unreachable", "sent"])
    assert len(second.taken) == 1
    assert (standing().failures, standing().enabled) == (1, True)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(http(401), id="401"),
        pytest.param(http(403, name="invalid_api_key", esp="resend"), id="Resend's 403"),
        pytest.param(http(500, name="Invalid_Key", esp="mandrill"), id="Mandrill's 500"),
        pytest.param(
            http(200, status="error", data={"code": "InvalidServerAPIKey"}, esp="postal"),
            id="Postal's 200",
        ),
        pytest.param(smtp("auth", reply("535 5.7.8 wrong")), id="535 to AUTH"),
        pytest.param(smtp("auth", reply("554 5.7.0 no")), id="554 to AUTH"),
        pytest.param(smtp("mail", reply("530 5.7.0 authenticate first")), id="530 to MAIL"),
    ],
)
def test_who_refuses_our_credentials_is_switched_off_with_a_loud_alert(
    settings: Settings,
    first: First,
    second: SmtpPeer,
    fault: Fault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    message = send_through(settings, fault(first), second)
    assert (message.state, readings()) == (State.SENT, ["misconfigured", "sent"])
    assert (standing().enabled, standing().fault != "", standing().failures) == (False, True, 0)
    (alert,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "first is switched off" in alert.message


def test_a_4xx_to_auth_is_temporary(settings: Settings, first: First, second: SmtpPeer) -> None:
    message = send_through(settings, first.smtp("auth", reply("454 4.7.0 later")), second)
    assert (message.state, readings()) == (State.SENT, ["temporary", "sent"])
    assert is_untouched(standing())


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(http(402), id="402"),
        pytest.param(http(429), id="429"),
        pytest.param(
            http(401, errors=[{"message": "Maximum credits exceeded"}]), id="SendGrid's 401"
        ),
        pytest.param(http(422, ErrorCode=405), id="Postmark's 405"),
        pytest.param(http(429, name="daily_quota_exceeded", esp="resend"), id="Resend's 429"),
        pytest.param(http(420, esp="sparkpost"), id="SparkPost's 420"),
        pytest.param(http(402, code="not_enough_credits", esp="brevo"), id="Brevo's 402"),
        pytest.param(http(429, esp="mailgun"), id="Mailgun's 429"),
        pytest.param(http(500, name="PaymentRequired", esp="mandrill"), id="Mandrill's 500"),
    ],
)
def test_who_is_out_of_quota_is_closed_for_a_while(
    settings: Settings, first: First, second: SmtpPeer, fault: Fault
) -> None:
    message = send_through(settings, fault(first), second)
    assert (message.state, readings()) == (State.SENT, ["exhausted", "sent"])
    assert 30 < closed_for() <= EXHAUSTED_SECONDS
    assert (standing().enabled, standing().failures) == (True, 0)


def closed_for() -> float:
    """For how many seconds the first provider is closed."""
    until = standing().closed_until
    assert until is not None
    return (until - timezone.now()).total_seconds()


def in_http_form(seconds: float) -> str:
    """A time from now as HTTP writes dates."""
    return f"{timezone.now() + timedelta(seconds=seconds):%a, %d %b %Y %H:%M:%S GMT}"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param(lambda: "600", 600, id="seconds"),
        pytest.param(lambda: in_http_form(600), 600, id="a date"),
        pytest.param(lambda: "999999999", 86_400, id="for ever"),
        pytest.param(lambda: "in a minute", EXHAUSTED_SECONDS, id="nonsense"),
        pytest.param(lambda: "-5", EXHAUSTED_SECONDS, id="negative"),
        pytest.param(lambda: in_http_form(-600), EXHAUSTED_SECONDS, id="a date that is past"),
    ],
)
def test_it_is_closed_for_as_long_as_it_asks_but_a_day_at_most(
    settings: Settings,
    first: First,
    second: SmtpPeer,
    header: Callable[[], str],
    seconds: float,
) -> None:
    url = first.http(Answer(429, headers={"Retry-After": header()}))
    send_through(settings, url, second)
    assert seconds - 30 < closed_for() <= seconds + 1


def test_a_longer_wait_that_was_asked_for_before_stays(settings: Settings, first: First) -> None:
    close_provider("first", seconds=600)
    close_provider("first", seconds=60)
    assert 570 < closed_for() <= 600


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(http(403), id="403"),
        pytest.param(http(404), id="404"),
        pytest.param(http(302), id="a redirect"),
        pytest.param(http(422, ErrorCode=400), id="Postmark's 400"),
        pytest.param(http(422, ErrorCode=401), id="Postmark's 401"),
        pytest.param(http(422, message="domain must be verified #MS42207"), id="MailerSend's 422"),
        pytest.param(
            http(200, status="error", data={"code": "UnauthenticatedFromAddress"}, esp="postal"),
            id="Postal's 200",
        ),
        pytest.param(smtp("mail", reply("553 5.7.1 not your sender")), id="5xx to MAIL"),
        pytest.param(smtp("rcpt", reply("554 5.7.1 relay access denied")), id="5.7.1 to RCPT"),
    ],
)
def test_who_refuses_the_sender_is_passed_over_and_stays_in_use(
    settings: Settings, first: First, second: SmtpPeer, fault: Fault
) -> None:
    message = send_through(settings, fault(first), second, "a@example.org")
    assert (message.state, readings()) == (State.SENT, ["refused_here", "sent"])
    assert is_untouched(standing())


def test_what_a_providers_api_cannot_carry_goes_through_another(
    settings: Settings, first: First, second: SmtpPeer
) -> None:
    ask_first(settings, first.http(Answer(200), esp="mailgun"), f"smtp://127.0.0.1:{second.port}")
    message = make_message(sender="zoë@example.com", sender_address="zoë@example.com")
    deliver()
    message.refresh_from_db()
    assert (message.state, readings()) == (State.SENT, ["refused_here", "sent"])
    assert is_untouched(standing())


def test_only_when_every_recipient_is_refused_by_policy_is_it_the_provider_that_will_not(
    settings: Settings, first: First, second: SmtpPeer
) -> None:
    refuse = {"a@example.org": "554 5.7.1 no", "b@example.org": "550 5.1.1 no such user"}
    peer = first.stack.enter_context(SmtpPeer(refuse=refuse))
    message = send_through(settings, f"smtp://127.0.0.1:{peer.port}", second, *refuse)
    assert (message.state, second.taken) == (State.REJECTED, [])


@pytest.mark.parametrize("moment", ["mail", "rcpt", "data", "dot"])
def test_an_smtp_4xx_is_temporary_and_the_next_provider_takes_it(
    settings: Settings, first: First, second: SmtpPeer, moment: str
) -> None:
    message = send_through(settings, first.smtp(moment, reply("451 4.3.0 later")), second)
    assert (message.state, readings()) == (State.SENT, ["temporary", "sent"])
    assert is_untouched(standing())


def test_a_5xx_to_rcpt_rejects_that_recipient_and_the_others_go_on(
    settings: Settings, first: First, second: SmtpPeer
) -> None:
    peer = first.stack.enter_context(SmtpPeer(refuse={"gone@example.org": "550 5.1.1 nobody"}))
    url = f"smtp://127.0.0.1:{peer.port}"
    send_through(settings, url, second, "a@example.org", "gone@example.org", "b@example.org")
    assert dict(Delivery.objects.values_list("address", "state")) == {
        "a@example.org": State.SENT,
        "gone@example.org": State.REJECTED,
        "b@example.org": State.SENT,
    }
    assert [taken.recipients for taken in peer.taken] == [("a@example.org", "b@example.org")]
    assert second.taken == []
    assert is_untouched(standing())


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(smtp("data", reply("554 5.6.0 the reason")), id="5xx to DATA"),
        pytest.param(smtp("dot", reply("554 5.7.1 the reason")), id="5xx at the dot"),
        pytest.param(http(400, Message="the reason"), id="400"),
        pytest.param(http(413, Message="the reason"), id="413"),
        pytest.param(http(422, Message="the reason"), id="422"),
        pytest.param(http(409, Message="the reason"), id="409"),
        pytest.param(http(500, name="ValidationError", message="the reason"), id="Mandrill's 500"),
        pytest.param(
            http(200, status="parameter-error", data={"message": "the reason"}, esp="postal"),
            id="Postal's 200",
        ),
    ],
)
def test_a_message_refused_for_good_is_a_dead_letter_at_once_and_the_answer_is_kept(
    settings: Settings, first: First, second: SmtpPeer, fault: Fault
) -> None:
    message = send_through(settings, fault(first), second)
    assert (message.state, readings(), second.taken) == (State.FAILED, ["message_refused"], [])
    assert Message.objects.dead_letters().get() == message
    assert "the reason" in Attempt.objects.get().answer
    assert is_untouched(standing())


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(http(500), id="500"),
        pytest.param(http(503), id="503"),
        pytest.param(http(500, name="GeneralError", esp="mandrill"), id="Mandrill's GeneralError"),
        pytest.param(lambda first: first.http(Answer(200, "<html>")), id="garbage"),
        pytest.param(lambda first: first.http(Answer(200, "")), id="an empty answer"),
        pytest.param(lambda first: first.http(Answer(200, '{"Me', missing=9)), id="half an answer"),
        pytest.param(lambda first: first.http_that(drop()), id="closed after the request"),
        pytest.param(lambda first: first.http_that(reset()), id="reset after the request"),
        pytest.param(lambda first: first.http_that(reply("what?")), id="no HTTP"),
        pytest.param(smtp("dot", drop()), id="closed after the dot"),
        pytest.param(smtp("dot", reset()), id="reset after the dot"),
        pytest.param(smtp("dot", reply("what?")), id="no SMTP reply to the dot"),
    ],
)
def test_what_may_have_been_taken_is_uncertain_and_held(
    settings: Settings, first: First, second: SmtpPeer, fault: Fault
) -> None:
    message = send_through(settings, fault(first), second)
    assert (message.state, message.due_at) == (State.UNCERTAIN, None)
    assert (readings(), second.taken, claim_next()) == (["ambiguous"], [], None)
    assert (standing().failures, standing().enabled) == (1, True)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(smtp("greeting", stall()), Reading.UNREACHABLE, id="at the greeting"),
        pytest.param(smtp("data", stall()), Reading.UNREACHABLE, id="at DATA"),
        pytest.param(smtp("dot", stall()), Reading.AMBIGUOUS, id="after the dot"),
        pytest.param(
            lambda first: first.http_that(stall()), Reading.AMBIGUOUS, id="after the request"
        ),
    ],
)
def test_a_time_out_is_read_by_what_was_written_before_it(
    first: First, fault: Fault, expected: Reading
) -> None:
    """Without the batch, whose hand-offs have 40 s."""
    config = parse_providers(f"first={fault(first)}")["first"]
    with closing(open_transport(config)) as transport:
        result = transport.send(request_to("a@example.org"), commit=Witness(), deadline=soon(1))
    assert reading(result) is expected


def test_a_message_that_cannot_be_built_has_failed_and_staff_find_the_traceback(
    settings: Settings, first: First, second: SmtpPeer
) -> None:
    peer = first.stack.enter_context(SmtpPeer())
    ask_first(settings, f"smtp://127.0.0.1:{peer.port}", f"smtp://127.0.0.1:{second.port}")
    message = make_message(sender_address="two words@example.com")
    deliver()
    message.refresh_from_db()
    assert (message.state, readings()) == (State.FAILED, ["unbuildable"])
    assert (peer.taken, second.taken) == ([], [])
    assert "ValueError" in Attempt.objects.get().answer
    assert "ValueError" not in str(message.events.order_by("-seq")[0].data)
    assert is_untouched(standing())


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        pytest.param(smtp("greeting", reply("what?")), State.SENT, id="no number at the greeting"),
        pytest.param(smtp("mail", reply("-1 what?")), State.SENT, id="a negative number"),
        pytest.param(smtp("dot", reply("-1 what?")), State.UNCERTAIN, id="the same at the dot"),
        pytest.param(smtp("dot", reply("554 a\0b")), State.FAILED, id="NUL in an SMTP reply"),
        pytest.param(lambda first: first.http(Answer(400, "a\0b")), State.FAILED, id="NUL in HTTP"),
        pytest.param(
            http(200, ErrorCode=0, Message="OK", MessageID="a\0b", To="a@example.org"),
            State.QUEUED,
            id="NUL in the id",
        ),
        pytest.param(
            http(
                200,
                ErrorCode=0,
                Message="OK",
                MessageID="".join(map(str, range(9000))),
                To="a@example.org",
            ),
            State.QUEUED,
            id="an endless id",
        ),
    ],
)
def test_nothing_that_a_server_says_breaks_the_batch(
    settings: Settings, first: First, second: SmtpPeer, fault: Fault, state: State
) -> None:
    message = send_through(settings, fault(first), second, "a@example.org")
    assert message.state == state


@pytest.mark.parametrize(
    "body",
    [
        "",
        "garbage",
        "[]",
        '"text"',
        "null",
        '{"ErrorCode": [400]}',
        '{"data": []}',
        '{"ErrorCode": "400"}',
    ],
)
def test_an_answer_of_an_unexpected_shape_is_read_by_its_status(body: str) -> None:
    assert read_http(422, body) is Reading.MESSAGE_REFUSED


def test_one_users_refused_domain_leaves_the_provider_on_for_the_others(
    settings: Settings, first: First, second: SmtpPeer
) -> None:
    refused = Answer(403, '{"message": "domain not verified"}')
    peer = first.stack.enter_context(HttpPeer([refused, None]))
    ask_first(
        settings,
        f"anymail-postmark://KEY@/?api_url={peer.url}",
        f"smtp://127.0.0.1:{second.port}",
    )
    theirs = make_message(sender="a@unknown.example", sender_address="a@unknown.example")
    deliver()
    ours = make_message()
    deliver()
    theirs.refresh_from_db()
    ours.refresh_from_db()
    assert (theirs.state, ours.state) == (State.SENT, State.QUEUED)
    assert (len(second.taken), len(peer.taken)) == (1, 1)
