"""Amazon SES: against moto, which imitates it, and against a peer that fails as SES does."""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.ses.models import ses_backends

from notifications.delivery.handoff import HandoffRequest, HandoffResult
from notifications.delivery.provider_config import parse_providers
from notifications.delivery.providers import open_transport
from notifications.delivery.reading import Reading
from tests.delivery.handing_over import (
    Witness,
    answer,
    outgoing,
    reading,
    recipient,
    request_for,
    request_to,
    soon,
)
from tests.peers import Answer, HttpPeer, HttpRequest, amazon_ses

REGION = "eu-west-1"
KEY = "AKIDONLYFORTESTS"
SECRET = "secret-only-for-tests"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Where moto serves an SES that knows the sender's domain."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    with closing(
        boto3.client(
            "sesv2",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
    ) as client:
        client.create_email_identity(EmailIdentity="example.org")
    yield url
    server.stop()


def hand_over(url: str, request: HandoffRequest, *, more: str = "") -> HandoffResult:
    """Hand over to the SES at `url`."""
    setting = f"ses=anymail-amazon-ses://{KEY}:{SECRET}@/?region={REGION}&endpoint_url={url}{more}"
    with closing(open_transport(parse_providers(setting)["ses"])) as transport:
        return transport.send(request, commit=Witness(), deadline=soon())


def raw(request: HttpRequest) -> EmailMessage:
    """The message within a request to SES."""
    content = request.json["Content"]
    assert isinstance(content, dict)
    return message_from_bytes(b64decode(content["Raw"]["Data"]), policy=policy.default)


def test_moto_takes_a_message_and_its_id_is_kept(moto: str) -> None:
    request = request_to("bob@example.org")
    result = hand_over(moto, request)
    assert reading(result) is Reading.QUEUED
    sent = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages[-1]
    assert result.provider_message_id == sent.id
    assert str(request.handoff_id) in sent.raw_data


def test_moto_refuses_a_sender_it_does_not_know_in_words_that_are_kept(moto: str) -> None:
    message = outgoing(sender="eve@else.example", sender_address="eve@else.example")
    result = hand_over(moto, request_for(message))
    # the words that tell a sender from a content that is refused are Amazon's, not moto's
    assert reading(result) is Reading.MESSAGE_REFUSED
    assert answer(result).startswith("MessageRejected: ")
    assert "eve@else.example" in answer(result)


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Reading.EXHAUSTED),
        (400, "ThrottlingException", "Rate exceeded", Reading.EXHAUSTED),
        (400, "LimitExceededException", "Daily message quota exceeded.", Reading.EXHAUSTED),
        (400, "SendingPausedException", "Sending is paused.", Reading.EXHAUSTED),
        (400, "AccountSuspendedException", "Suspended.", Reading.MISCONFIGURED),
        (403, "UnrecognizedClientException", "The token is invalid.", Reading.MISCONFIGURED),
        (403, "InvalidClientTokenId", "The token is invalid.", Reading.MISCONFIGURED),
        (403, "InvalidSignatureException", f"not {SECRET}", Reading.MISCONFIGURED),
        (403, "SignatureDoesNotMatch", "The signature is wrong.", Reading.MISCONFIGURED),
        (403, "ExpiredTokenException", "Expired.", Reading.MISCONFIGURED),
        (403, "AccessDeniedException", "Explicit deny.", Reading.MISCONFIGURED),
        (
            403,
            "AccessDeniedException",
            "not authorized on resource `arn:aws:ses:eu-west-1:1:identity/example.org'",
            Reading.REFUSED_HERE,
        ),
        (400, "MailFromDomainNotVerifiedException", "Not verified.", Reading.REFUSED_HERE),
        (400, "MessageRejected", "Email address is not verified.", Reading.REFUSED_HERE),
        (404, "NotFoundException", "No such configuration set.", Reading.REFUSED_HERE),
        (400, "MessageRejected", "A virus was found.", Reading.MESSAGE_REFUSED),
        (400, "BadRequestException", "Illegal address.", Reading.MESSAGE_REFUSED),
        (500, "InternalFailure", "Oops.", Reading.AMBIGUOUS),
        (503, "ServiceUnavailable", "Later.", Reading.AMBIGUOUS),
    ],
)
def test_its_errors_are_read_by_their_codes(
    status: int, code: str, message: str, expected: Reading
) -> None:
    refusal = Answer(status, json.dumps({"message": message}), {"x-amzn-ErrorType": code})
    with HttpPeer(refusal, speak=amazon_ses) as peer:
        result = hand_over(peer.url, request_to("bob@example.org"))
    assert reading(result) is expected
    assert code in answer(result) or status >= 500
    assert SECRET not in str(result)
    # none of them is answered by a repeat
    assert len(peer.requests) == 1


def test_the_rest_of_the_recipients_get_it_under_unchanged_headers() -> None:
    ann, bob = recipient("ann@example.org"), recipient("bob@example.org", kind="cc")
    hidden = recipient("hidden@example.org", kind="bcc")
    request = request_for(outgoing(ann, bob, hidden), bob, hidden)
    with HttpPeer(speak=amazon_ses) as peer:
        result = hand_over(peer.url, request)
    assert set(result.verdicts) == {bob.delivery_id, hidden.delivery_id}
    assert reading(result) is Reading.QUEUED
    (taken,) = peer.taken
    assert taken.json["Destination"] == {
        "CcAddresses": ["bob@example.org"],
        "BccAddresses": ["hidden@example.org"],
    }
    message = raw(taken)
    assert (message["To"], message["Cc"], message["Bcc"]) == (
        "ann@example.org",
        "bob@example.org",
        None,
    )


def test_the_handoff_its_id_and_the_configuration_set_travel() -> None:
    request = request_to("bob@bücher.example")
    with HttpPeer(speak=amazon_ses) as peer:
        assert reading(hand_over(peer.url, request, more="&configuration_set_name=main")) is (
            Reading.QUEUED
        )
    (taken,) = peer.taken
    assert taken.json["ConfigurationSetName"] == "main"
    assert taken.json["Destination"] == {"ToAddresses": ["bob@xn--bcher-kva.example"]}
    message = raw(taken)
    assert json.loads(message["X-Metadata"]) == {"limbo_handoff": str(request.handoff_id)}
    assert message["Message-ID"] == request.outgoing.header_message_id
    assert message["Date"] == "Fri, 02 Jan 2026 03:04:05 +0000"


@pytest.mark.parametrize(
    "addresses",
    [("jörg@example.org",), tuple(f"r{number}@example.org" for number in range(51))],
    ids=["an internationalised address", "too many recipients"],
)
def test_what_it_cannot_carry_is_left_to_another_provider(addresses: tuple[str, ...]) -> None:
    with HttpPeer(speak=amazon_ses) as peer:
        assert reading(hand_over(peer.url, request_to(*addresses))) is Reading.REFUSED_HERE
    assert peer.requests == []


@pytest.mark.parametrize("query", ["region=Ireland", "region=eu-west-1&endpoint_url=localhost"])
def test_an_option_that_would_fail_later_fails_at_the_start(query: str) -> None:
    with pytest.raises(Exception, match="not of its form"):
        parse_providers(f"ses=anymail-amazon-ses://{KEY}:{SECRET}@/?{query}")


def test_what_the_environment_says_of_other_services_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "missing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = parse_providers(f"ses=anymail-amazon-ses://{KEY}:{SECRET}@/?region={REGION}")["ses"]
    with closing(open_transport(config)) as transport:
        endpoint = transport._backend.client.meta.endpoint_url  # type: ignore[attr-defined]
    assert endpoint == "https://email.eu-west-1.amazonaws.com"
