"""What each further field takes and refuses, and how its faults are told."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from notifications.intake.errors import (
    Fault,
    ImpossibleRequestError,
    InvalidRequestError,
    RefusedRequestError,
)
from notifications.intake.mail_request import MailRequest, read_mail_request
from notifications.intake.options import OPTIONS
from notifications.intake.options.attachments import AttachedFile
from notifications.intake.options.headers import OWNED, OWNED_PREFIXES

VALID: dict[str, Any] = {
    "from": "App <app@example.com>",
    "to": ["Ada <ada@example.org>"],
    "subject": "Hello",
    "message": "Hello, Ada.",
}
CONTENT = base64.b64encode(b"%PDF-1.7").decode()
FILE = {"name": "bill.pdf", "type": "application/pdf", "content": CONTENT}


@pytest.fixture(autouse=True)
def _providers(settings: Settings) -> None:
    settings.LIMBO_PROVIDERS = "relay=smtp://localhost,spare=smtp://localhost"


def read(**options: Any) -> MailRequest:
    """Read the valid request with these options."""
    return read_mail_request({**VALID, **options})


def faults_of(**options: Any) -> list[Fault]:
    """The faults for which the options are refused as invalid."""
    with pytest.raises(InvalidRequestError) as caught:
        read(**options)
    return list(caught.value.faults)


def fault_of(**options: Any) -> tuple[str, str]:
    """Where and what the options' only fault is."""
    (fault,) = faults_of(**options)
    return fault.pointer, fault.code


def obstacle_of(**options: Any) -> tuple[str, str]:
    """Where and what makes the options impossible now."""
    with pytest.raises(ImpossibleRequestError) as caught:
        read(**options)
    (fault,) = caught.value.faults
    return fault.pointer, fault.code


def ahead(**time: float) -> str:
    """A time to come, as a client writes it."""
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


@pytest.mark.parametrize("field", OPTIONS)
def test_null_is_as_if_the_field_was_not_there(field: str) -> None:
    assert read(**{field: None}) == read()


_OF_NO_FIELD: list[object] = [7, 1.5, {"a": {}}, [["a"]]]


@pytest.mark.parametrize("wrong", _OF_NO_FIELD)
@pytest.mark.parametrize("field", OPTIONS)
def test_a_wrong_type_is_refused_by_name(field: str, wrong: object) -> None:
    faults = faults_of(**{field: wrong})
    assert all(fault.pointer.startswith(f"/{field}") for fault in faults)
    assert "type" in {fault.code for fault in faults}


@pytest.mark.parametrize("field", ["html", "send_at", "expires_at", "on_uncertain", "reply_to"])
def test_an_empty_text_is_no_value(field: str) -> None:
    pointer, _ = fault_of(**{field: ""})
    assert pointer == f"/{field}"


@pytest.mark.parametrize(
    ("field", "empty"),
    [("tags", []), ("attachments", []), ("reply_to", []), ("headers", {}), ("metadata", {})],
)
def test_an_empty_list_says_nothing(field: str, empty: object) -> None:
    assert read(**{field: empty}) == read()


def test_all_faults_are_told_at_once_and_what_is_impossible_after_them() -> None:
    faults = faults_of(
        html=7, tags=["a b"], headers={"Date": "x"}, provider="none", colour="red", subject=""
    )
    assert [(fault.pointer, fault.code) for fault in faults] == [
        ("/subject", "required"),
        ("/html", "type"),
        ("/headers/Date", "reserved"),
        ("/tags/0", "form"),
        ("/colour", "unknown"),
        ("/provider", "unknown_provider"),
    ]


# -- html ----------------------------------------------------------------------------------------


def test_html_goes_beside_a_text() -> None:
    request = read(html="<p>Hello, <b>Ada</b>.</p>")
    assert (request.message, request.html) == ("Hello, Ada.", "<p>Hello, <b>Ada</b>.</p>")


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_html_that_cannot_be_stored_is_refused(character: str) -> None:
    assert fault_of(html=f"<p>{character}</p>") == ("/html", "character")


# -- reply_to ------------------------------------------------------------------------------------


def test_answers_may_go_to_one_address_or_to_several() -> None:
    (one,) = read(reply_to="Help <help@example.com>").reply_to
    assert str(one) == "Help <help@example.com>"
    assert len(read(reply_to=["a@example.com", "b@example.com"]).reply_to) == 2


def test_what_is_no_address_gets_no_answers() -> None:
    assert obstacle_of(reply_to="nobody") == ("/reply_to", "address")
    assert obstacle_of(reply_to=["a@example.com", "nobody"]) == ("/reply_to/1", "address")
    assert fault_of(reply_to="a@example.com\r\nBcc: b@example.com") == ("/reply_to", "character")
    assert fault_of(reply_to=["a@example.com"] * 11) == ("/reply_to", "too_many")


# -- headers -------------------------------------------------------------------------------------


def test_headers_are_taken_in_their_order() -> None:
    headers = {
        "X-Order": "7",
        "List-Unsubscribe": "<https://example.com/u>",
        "In-Reply-To": "<a@b>",
    }
    assert read(headers=headers).headers == tuple(headers.items())


@pytest.mark.parametrize("name", [*sorted(OWNED), *(f"{start}any" for start in OWNED_PREFIXES)])
def test_headers_that_limbo_or_a_provider_owns_are_refused_by_name(name: str) -> None:
    for written in (name, name.title(), name.upper()):
        (fault,) = faults_of(headers={written: "x"})
        assert (fault.pointer, fault.code) == (f"/headers/{written}", "reserved")
        assert written in fault.detail


@pytest.mark.parametrize("name", ["", "a b", "a:", "ä", "a\r\nBcc", "-a", "7a", "x" * 77, "a\0"])
def test_a_header_needs_a_safe_name(name: str) -> None:
    (fault,) = faults_of(headers={name: "x"})
    assert fault.code == "form"


@pytest.mark.parametrize(
    "value", ["a\r\nBcc: eve@example.org", "a\n b", "a\0", "a\x85", "a\u2028b"]
)
def test_no_line_break_gets_into_a_header(value: str) -> None:
    assert fault_of(headers={"X-A": value}) == ("/headers/X-A", "character")


def test_a_headers_value_has_its_limits() -> None:
    assert fault_of(headers={"X-A": " "}) == ("/headers/X-A", "blank")
    assert fault_of(headers={"X-A": "x" * 994}) == ("/headers/X-A", "too_long")
    assert read(headers={"X-A": "x" * 993}).headers == (("X-A", "x" * 993),)
    assert fault_of(headers={"X-A": 7}) == ("/headers/X-A", "type")
    assert fault_of(headers={"X-A": "1", "x-a": "2"}) == ("/headers/x-a", "repeated")
    assert fault_of(headers={f"X-{n}": "1" for n in range(31)}) == ("/headers", "too_many")
    assert fault_of(headers=["X-A: 1"]) == ("/headers", "type")


# -- attachments ---------------------------------------------------------------------------------


def test_files_are_read_from_base64() -> None:
    image = {**FILE, "name": "logo.png", "type": "image/png", "content_id": "logo@example.com"}
    assert read(attachments=[FILE, image]).attachments == (
        AttachedFile("bill.pdf", "application/pdf", b"%PDF-1.7"),
        AttachedFile("logo.png", "image/png", b"%PDF-1.7", "logo@example.com"),
    )


@pytest.mark.parametrize("field", ["name", "type", "content"])
def test_a_file_needs_name_type_and_content(field: str) -> None:
    place = f"/attachments/0/{field}"
    without = {key: value for key, value in FILE.items() if key != field}
    assert fault_of(attachments=[without]) == (place, "required")
    assert fault_of(attachments=[{**FILE, field: None}]) == (place, "required")
    assert fault_of(attachments=[{**FILE, field: 7}]) == (place, "type")
    (pointer, _) = fault_of(attachments=[{**FILE, field: ""}])
    assert pointer == place


@pytest.mark.parametrize(
    ("field", "wrong", "code"),
    [
        ("name", "a/b.pdf", "form"),
        ("name", "a\\b.pdf", "form"),
        ("name", "a\r\nX: y", "character"),
        ("name", "é" * 128, "too_long"),
        ("type", "pdf", "form"),
        ("type", "application/pdf\r\nX: y", "form"),
        ("type", 'a/b; name="x"', "form"),
        ("type", "message/rfc822", "form"),
        ("type", "Multipart/mixed", "form"),
        ("content", "%%%", "base64"),
        ("content", "YQ", "base64"),
        ("content", "YQ==\n", "base64"),
        ("content", "ü", "base64"),
        ("content_id", "<logo>", "form"),
        ("content_id", "a b", "form"),
        ("content_id", "", "form"),
        ("content_id", "x" * 201, "form"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(field: str, wrong: str, code: str) -> None:
    file = {**FILE, field: wrong}
    assert fault_of(attachments=[FILE, file]) == (f"/attachments/1/{field}", code)


def test_an_unknown_field_of_a_file_is_refused_by_name() -> None:
    assert fault_of(attachments=[{**FILE, "filename": "a"}]) == (
        "/attachments/0/filename",
        "unknown",
    )


def test_files_have_ten_megabytes_together_decoded() -> None:
    half = {**FILE, "content": base64.b64encode(b"x" * 5 * 1024 * 1024).decode()}
    assert len(read(attachments=[half, half]).attachments) == 2
    assert fault_of(attachments=[half, half, FILE]) == ("/attachments", "too_large")


def test_operators_may_change_how_much_files_may_have(settings: Settings) -> None:
    settings.LIMBO_MAX_ATTACHMENTS_MB = 0
    assert fault_of(attachments=[FILE]) == ("/attachments", "too_large")


def test_there_are_not_too_many_files_and_no_two_of_one_content_id() -> None:
    assert fault_of(attachments=[FILE] * 51) == ("/attachments", "too_many")
    twice = [{**FILE, "content_id": "a"}] * 2
    assert fault_of(attachments=twice) == ("/attachments", "repeated")


# -- tags and metadata ---------------------------------------------------------------------------


def test_tags_are_taken_once_each() -> None:
    assert read(tags=["a", "b:c_d.e-F", "a"]).tags == ("a", "b:c_d.e-F")


@pytest.mark.parametrize("tag", ["", "a b", "ä", "a\n", "x" * 65, "a,b"])
def test_a_tag_that_breaks_the_rule_is_refused(tag: str) -> None:
    assert fault_of(tags=["ok", tag]) == ("/tags/1", "form")


def test_there_are_not_too_many_tags() -> None:
    assert len(read(tags=[f"t{n}" for n in range(10)]).tags) == 10
    assert fault_of(tags=[f"t{n}" for n in range(11)]) == ("/tags", "too_many")
    assert fault_of(tags="a") == ("/tags", "type")
    assert fault_of(tags=[7]) == ("/tags/0", "type")


def test_metadata_are_pairs_of_texts() -> None:
    assert read(metadata={"order": "7", "who": ""}).metadata == (("order", "7"), ("who", ""))


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("a b", "1", "form"),
        ("", "1", "form"),
        ("x" * 41, "1", "form"),
        ("limbo_handoff", "1", "reserved"),
        ("a", 1, "type"),
        ("a", None, "type"),
        ("a", "x" * 501, "too_long"),
        ("a", "1\n2", "character"),
    ],
)
def test_metadata_that_break_a_rule_are_refused(key: str, value: object, code: str) -> None:
    assert fault_of(metadata={key: value}) == (f"/metadata/{key.replace(' ', '%20')}", code)


def test_there_are_not_too_many_metadata() -> None:
    assert len(read(metadata={f"k{n}": "1" for n in range(20)}).metadata) == 20
    assert fault_of(metadata={f"k{n}": "1" for n in range(21)}) == ("/metadata", "too_many")
    assert fault_of(metadata=[["a", "b"]]) == ("/metadata", "type")


# -- times ---------------------------------------------------------------------------------------


def test_a_time_is_taken_with_any_offset() -> None:
    at = (datetime.now(UTC) + timedelta(days=2)).replace(hour=10, minute=0, second=0, microsecond=0)
    for written in ("T10:00:00Z", "T12:00:00+02:00", "T10:00z", "T04:30:00.000-05:30"):
        assert read(send_at=f"{at:%Y-%m-%d}{written}").send_at == at


@pytest.mark.parametrize("field", ["send_at", "expires_at"])
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("2030-01-01T10:00:00", "offset"),
        ("2030-01-01", "time"),
        ("tomorrow", "time"),
        ("1893456000", "time"),
        ("2030-01-01 10:00:00Z", "time"),
        ("2030-02-30T10:00:00Z", "time"),
        ("2030-01-01T25:00:00Z", "time"),
        ("2030-01-01T10:00:00+25:00", "time"),
        ("0001-01-01T00:00:00+02:00", "time"),
        ("٢٠٣٠-01-01T10:00:00Z", "time"),
        ("x" * 100_000, "time"),
    ],
)
def test_what_is_no_time_with_an_offset_is_refused(field: str, wrong: str, code: str) -> None:
    assert fault_of(**{field: wrong}) == (f"/{field}", code)


def test_a_past_time_is_impossible() -> None:
    assert obstacle_of(send_at=ahead(seconds=-1)) == ("/send_at", "past")
    assert obstacle_of(expires_at=ahead(seconds=-1)) == ("/expires_at", "past")
    assert obstacle_of(send_at="2020-01-01T00:00:00+14:00") == ("/send_at", "past")


def test_a_deadline_must_come_after_the_sending() -> None:
    at = ahead(hours=5)
    assert obstacle_of(send_at=at, expires_at=at) == ("/expires_at", "past")
    assert obstacle_of(send_at=at, expires_at=ahead(hours=4)) == ("/expires_at", "past")
    assert read(send_at=at, expires_at=ahead(hours=6)).expires_at


def test_a_time_too_far_ahead_is_impossible() -> None:
    assert read(send_at=ahead(days=89)).send_at
    assert obstacle_of(send_at=ahead(days=91)) == ("/send_at", "too_late")
    assert read(send_at=ahead(days=80), expires_at=ahead(days=109)).expires_at
    assert obstacle_of(expires_at=ahead(days=31)) == ("/expires_at", "too_late")
    assert obstacle_of(send_at="9999-12-31T23:59:59Z") == ("/send_at", "too_late")


# -- routing -------------------------------------------------------------------------------------


def test_a_provider_is_preferred_or_the_only_one() -> None:
    assert (read(provider="spare").provider, read(provider="spare").failover) == ("spare", True)
    assert read(provider="spare", failover=False).failover is False


@pytest.mark.parametrize("unknown", ["", "Relay", "none", "relay\0"])
def test_an_unknown_provider_is_impossible_and_those_there_are_are_named(unknown: str) -> None:
    with pytest.raises(RefusedRequestError) as caught:
        read(provider=unknown)
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.code) == ("/provider", "unknown_provider")
    assert fault.detail == "There is no such provider; there are relay, spare."


def test_without_failover_a_provider_must_be_named() -> None:
    assert fault_of(failover=False) == ("/failover", "no_provider")
    assert read(failover=True) == read()


@pytest.mark.parametrize("wrong", [0, 1, "false"])
def test_failover_is_true_or_false(wrong: object) -> None:
    assert fault_of(provider="relay", failover=wrong) == ("/failover", "type")


def test_doubt_is_held_or_sent_again() -> None:
    assert read().on_uncertain == "hold"
    assert read(on_uncertain="resend").on_uncertain == "resend"
    (fault,) = faults_of(on_uncertain="retry")
    assert fault.detail == "This must be one of hold, resend."
