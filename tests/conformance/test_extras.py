"""HTML, files, headers, Reply-To and labels: what of them arrives, by SMTP and by HTTP."""

import json
from base64 import b64decode, b64encode
from contextlib import closing
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.delivery.esps import ESPS, OPTION_FORMS, Mark
from notifications.delivery.extras import Extras, File
from notifications.delivery.handoff import HandoffRequest, HandoffResult
from notifications.delivery.mime import build_mime
from notifications.delivery.provider_config import parse_providers
from notifications.delivery.providers import open_transport
from notifications.delivery.reading import Reading
from notifications.intake.options.headers import read_headers
from notifications.intake.reader import Reader
from tests.delivery.handing_over import Witness, outgoing, reading, request_for, soon
from tests.peers import Answer, HttpPeer, HttpRequest, SmtpPeer, amazon_ses

LOGO = File("logo.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "logo@limbo")
BILL = File('Rechnung "März".pdf', "application/pdf", b"%PDF-1.7\r.\n")
INVITATION = File("invite.ics", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\n")
NO_TEXT = File("old.txt", "text/plain", "Grüße".encode("latin-1"))

EXTRAS = Extras(
    html='<p>Grüße <img src="cid:logo@limbo"></p>\n.\n',
    reply_to=('"Help, please" <help@example.org>', "desk@example.org"),
    headers=(
        ("List-Unsubscribe", f"<https://example.org/{'u' * 200}>, <mailto:u@example.org>"),
        ("X-Order", "No. 7 für Zoë"),
    ),
    tags=("welcome", "eu"),
    metadata={"order": "7", "city": "Zürich"},
    files=(LOGO, BILL, INVITATION, NO_TEXT),
)


def request_with(extras: Extras) -> HandoffRequest:
    """A hand-off of a message that has these extras."""
    return request_for(replace(outgoing(), extras=extras))


def hand_over(url: str, request: HandoffRequest) -> HandoffResult:
    """Hand the message over to the provider at `url`."""
    config = parse_providers(f"peer={url}")["peer"]
    with closing(open_transport(config)) as transport:
        return transport.send(request, commit=Witness(), deadline=soon(60))


def by_smtp(extras: Extras) -> EmailMessage:
    """The message as an SMTP server got it."""
    with SmtpPeer() as peer:
        result = hand_over(f"smtp://127.0.0.1:{peer.port}", request_with(extras))
        assert reading(result) is Reading.SENT
    (envelope,) = peer.taken
    assert max(map(len, envelope.content.split(b"\r\n"))) <= 998
    assert envelope.content.isascii()
    return envelope.message


def by_postmark(extras: Extras) -> dict[str, Any]:
    """What Postmark was asked."""
    with HttpPeer() as peer:
        result = hand_over(f"anymail-postmark://KEY@/?api_url={peer.url}", request_with(extras))
        assert reading(result) is Reading.QUEUED
    return dict(peer.requests[0].json)


def leaves(message: MIMEPart) -> list[tuple[str, str | None, Any]]:
    """Type, file name and content of each part, in their order."""
    return [
        (part.get_content_type(), part.get_filename(), part.get_payload(decode=True))
        for part in message.walk()
        if not part.is_multipart()
    ]


# -- by SMTP -------------------------------------------------------------------------------------


def test_html_stands_beside_the_text_for_who_prefers_it() -> None:
    message = by_smtp(Extras(html="<p>Hi</p>\n"))
    assert message.get_content_type() == "multipart/alternative"
    assert leaves(message) == [
        ("text/plain", None, b"How are you?\r\n"),
        ("text/html", None, b"<p>Hi</p>\r\n"),
    ]


def test_files_are_attached_and_images_stand_beside_the_html_that_shows_them() -> None:
    message = by_smtp(EXTRAS)
    assert [part.get_content_type() for part in message.walk() if part.is_multipart()] == [
        "multipart/mixed",
        "multipart/alternative",
        "multipart/related",
    ]
    assert leaves(message) == [
        ("text/plain", None, b"How are you?\r\n"),
        ("text/html", None, EXTRAS.html.replace("\n", "\r\n").encode()),
        ("image/png", "logo.png", LOGO.content),
        ("application/pdf", 'Rechnung "März".pdf', BILL.content),
        ("text/calendar", "invite.ics", INVITATION.content),
        ("text/plain", "old.txt", NO_TEXT.content),
    ]
    by_name = {part.get_filename(): part for part in message.walk()}
    assert by_name["logo.png"]["Content-ID"] == "<logo@limbo>"
    assert by_name["logo.png"].get_content_disposition() == "inline"
    assert by_name["old.txt"].get_content_disposition() == "attachment"
    assert by_name["invite.ics"].get_param("method") == "REQUEST"


def test_a_file_may_stand_beside_a_text_alone() -> None:
    message = by_smtp(Extras(files=(LOGO,)))
    assert message.get_content_type() == "multipart/mixed"
    assert [type_ for type_, _, _ in leaves(message)] == ["text/plain", "image/png"]


def test_answers_go_where_they_are_wanted() -> None:
    message = by_smtp(EXTRAS)
    addresses = [(one.display_name, one.addr_spec) for one in message["Reply-To"].addresses]
    assert addresses == [("Help, please", "help@example.org"), ("", "desk@example.org")]


def test_further_headers_are_read_back_whole() -> None:
    message = by_smtp(EXTRAS)
    for name, value in EXTRAS.headers:
        assert message[name] == value


def test_a_long_word_of_a_header_is_neither_cut_nor_encoded() -> None:
    with SmtpPeer() as peer:
        hand_over(f"smtp://127.0.0.1:{peer.port}", request_with(EXTRAS))
    assert f"https://example.org/{'u' * 200}>".encode() in peer.taken[0].content


def test_labels_stay_with_limbo() -> None:
    content = by_smtp(EXTRAS).as_bytes()
    assert b"welcome" not in content
    assert b"order" not in content


def test_the_same_message_is_the_same_bytes_every_time() -> None:
    message = request_with(EXTRAS).outgoing
    assert build_mime(message) == build_mime(message)


_FORGED = "a\r\nBcc: eve@example.org"


@pytest.mark.parametrize(
    "file",
    [
        File(_FORGED, "image/png", b"x"),
        File("a.png", _FORGED, b"x"),
        File("a.png", "image/png", b"x", _FORGED),
    ],
)
def test_no_way_in_can_forge_a_header_of_a_file(file: File) -> None:
    result = hand_over("smtp://127.0.0.1:1", request_with(Extras(html="x", files=(file,))))
    assert reading(result) is Reading.UNBUILDABLE


@pytest.mark.parametrize("header", [("X-A", "b\r\nBcc: eve@example.org"), ("X-A\r\nBcc", "b")])
def test_no_way_in_can_forge_a_header(header: tuple[str, str]) -> None:
    result = hand_over("smtp://127.0.0.1:1", request_with(Extras(headers=(header,))))
    assert reading(result) is Reading.UNBUILDABLE


# -- whatever it is ------------------------------------------------------------------------------

_CHARACTERS = st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"])
_LINES = st.text(_CHARACTERS, max_size=120)
_TEXTS = st.lists(_LINES, max_size=8).map("\n".join)
_NAMES = st.text(_CHARACTERS, min_size=1, max_size=60).filter(
    lambda name: name.strip() == name and not set(name) & set("/\\")
)
_FILES = st.builds(
    File,
    name=_NAMES,
    type=st.sampled_from(["application/pdf", "text/csv", "image/png; a=b"]),
    content=st.binary(max_size=300),
    content_id=st.sampled_from(["", "one@limbo", "two"]),
)


@given(text=_TEXTS, html=_TEXTS, files=st.lists(_FILES, max_size=4))
def test_what_is_written_is_read_back(text: str, html: str, files: list[File]) -> None:
    message = replace(outgoing(text=text), extras=Extras(html=html, files=tuple(files)))
    content = build_mime(message)
    assert content.endswith(b"\r\n")
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    parsed = message_from_bytes(content, policy=policy.SMTP)
    assert not any(part.defects for part in parsed.walk())
    bodies = [text, html] if html else [text]
    read = leaves(parsed)
    assert [lines_of(content) for _, _, content in read[: len(bodies)]] == [
        lines_of(body.encode()) for body in bodies
    ]
    shown = [file for file in files if html and file.content_id]
    attached = [file for file in files if file not in shown]
    assert [(name, content) for _, name, content in read[len(bodies) :]] == [
        (file.name, file.content) for file in [*shown, *attached]
    ]


def lines_of(body: bytes) -> list[bytes]:
    """The lines of a body, each of which has its end."""
    lines = body.replace(b"\r\n", b"\n").split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


@given(value=st.text(max_size=300))
def test_a_header_that_is_taken_is_read_back(value: str) -> None:
    reader = Reader()
    headers = read_headers(reader, "/headers", {"X-Any": value})
    if reader.faults:
        return
    content = build_mime(replace(outgoing(), extras=Extras(headers=headers)))
    parsed = message_from_bytes(content, policy=policy.SMTP)
    assert parsed["X-Any"].split() == value.split()
    assert [name for name in parsed if name == "X-Any"] == ["X-Any"]
    assert max(map(len, content.split(b"\r\n"))) <= 998


# -- by HTTP -------------------------------------------------------------------------------------


def test_an_http_provider_gets_each_in_its_place() -> None:
    asked = by_postmark(EXTRAS)
    assert asked["HtmlBody"] == EXTRAS.html
    assert asked["TextBody"] == "How are you?\n"
    assert asked["ReplyTo"] == '"Help, please" <help@example.org>, desk@example.org'
    headers = {header["Name"]: header["Value"] for header in asked["Headers"]}
    assert headers.items() >= dict(EXTRAS.headers).items()
    assert headers["Message-ID"] == "<018f.1@limbo.example.org>"
    assert [(file["Name"], b64decode(file["Content"])) for file in asked["Attachments"]] == [
        (file.name, file.content) for file in EXTRAS.files
    ]
    assert asked["Attachments"][0]["ContentID"] == "cid:logo@limbo"
    assert asked["Attachments"][3]["ContentType"] == "application/octet-stream"


def test_a_provider_gets_as_many_labels_as_it_takes_and_the_handoffs_mark() -> None:
    request = request_with(replace(EXTRAS, metadata={"order": "7", "x" * 21: "1", "y": "z" * 81}))
    with HttpPeer() as peer:
        hand_over(f"anymail-postmark://KEY@/?api_url={peer.url}", request)
    (asked,) = peer.requests
    assert asked.json["Tag"] == "welcome"
    assert asked.json["Metadata"] == {"order": "7", "limbo_handoff": str(request.handoff_id)}


def test_amazon_ses_gets_the_whole_message() -> None:
    url = "anymail-amazon-ses://KEY:SECRET@/?region=eu-west-1&endpoint_url="
    with HttpPeer(speak=amazon_ses) as peer:
        assert reading(hand_over(url + peer.url, request_with(EXTRAS))) is Reading.QUEUED
    content = peer.requests[0].json["Content"]
    assert isinstance(content, dict)
    message = message_from_bytes(b64decode(content["Raw"]["Data"]), policy=policy.SMTP)
    assert {name for _, name, _ in leaves(message)} == {
        None,
        *(file.name for file in EXTRAS.files),
    }
    assert message["X-Order"] == "No. 7 für Zoë"
    assert json.loads(message["X-Metadata"])["city"] == "Zürich"
    assert message.get_all("X-Tag") == ["welcome", "eu"]


def _url(esp: str, peer: HttpPeer) -> str:
    """The URL of a provider of this kind that is the peer."""
    known = ESPS[esp]
    values = {"api_url": peer.url, "endpoint_url": peer.url, "region": "eu-west-1"}
    options = {
        option: values.get(option, "mg.example.com")
        for option in known.options
        if option in known.required or option in ("api_url", "endpoint_url", "sender_domain")
    }
    assert OPTION_FORMS.keys() == values.keys()
    query = "&".join(f"{option}={value}" for option, value in options.items())
    return f"anymail-{esp}://{':'.join('K' for _ in known.credentials)}@/?{query}"


@pytest.mark.filterwarnings("ignore:.*SendGrid")
@pytest.mark.parametrize("esp", ESPS)
def test_no_provider_refuses_a_message_for_its_labels(esp: str) -> None:
    labels = Extras(
        tags=tuple(f"tag{number}" for number in range(10)),
        metadata={f"{number}{'k' * 30}": "ü" * 500 for number in range(20)},
    )
    request = request_with(labels)
    with HttpPeer(Answer(500)) as peer:
        assert reading(hand_over(_url(esp, peer), request)) is Reading.AMBIGUOUS
    (asked,) = peer.requests
    assert str(request.handoff_id).encode() in _plain(asked)


def _plain(asked: HttpRequest) -> bytes:
    """What was asked, out of the encoding that Amazon SES's messages come in."""
    if b"Raw" not in asked.body:
        return asked.body
    content = asked.json["Content"]
    assert isinstance(content, dict)
    return b64decode(content["Raw"]["Data"])


@pytest.mark.parametrize("esp", ["postmark", "mailgun", "brevo", "resend", "mandrill"])
def test_html_and_files_reach_a_provider_of_any_dialect(esp: str) -> None:
    with HttpPeer(Answer(500)) as peer:
        hand_over(_url(esp, peer), request_with(Extras(html="<b>Hi</b>", files=(BILL,))))
    (asked,) = peer.requests
    assert b"Hi" in asked.body
    assert b64encode(BILL.content) in asked.body or BILL.content in asked.body
    assert ESPS[esp].mark is Mark.METADATA
