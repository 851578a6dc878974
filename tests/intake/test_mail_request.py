"""The rules of a submission: what is taken, what is refused, and that every fault is named."""

from typing import Any

import pytest

from notifications.intake.errors import Fault, InvalidRequestError
from notifications.intake.mail_request import MailRequest, read_mail_request

VALID: dict[str, Any] = {
    "from": "App <app@example.com>",
    "to": ["Ada <ada@example.org>"],
    "subject": "Hello",
    "message": "Hello, Ada.",
}


def read(**changes: Any) -> MailRequest:
    """Read the valid request with `changes`; `from_` stands for `from`."""
    changed = {key.rstrip("_"): value for key, value in changes.items()}
    return read_mail_request({**VALID, **changed})


def faults_of(fields: object) -> list[Fault]:
    """The faults for which `fields` is refused."""
    with pytest.raises(InvalidRequestError) as caught:
        read_mail_request(fields)
    return list(caught.value.faults)


def fault_of(**changes: Any) -> tuple[str, str]:
    """Where and what the only fault is that `changes` make."""
    fields = {**VALID, **{key.rstrip("_"): value for key, value in changes.items()}}
    (fault,) = faults_of(fields)
    return fault.pointer, fault.code


def test_a_request_is_read_whole() -> None:
    request = read(cc=["Bob <bob@example.org>"], bcc=["eve@example.org"], message="1\r\n2\n")
    assert (str(request.sender), request.subject) == ("App <app@example.com>", "Hello")
    assert request.message == "1\r\n2\n"
    assert [(kind.value, place, str(box)) for kind, place, box in request.recipients()] == [
        ("to", 0, "Ada <ada@example.org>"),
        ("cc", 0, "Bob <bob@example.org>"),
        ("bcc", 0, "eve@example.org"),
    ]


def test_one_recipient_may_be_a_string() -> None:
    assert read(to="ada@example.org") == read(to=["ada@example.org"])


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_one_field_with_a_recipient_is_enough(field: str) -> None:
    request = read(**{"to": [], field: ["ada@example.org"]})
    assert [kind.value for kind, _, _ in request.recipients()] == [field]


def test_an_address_named_twice_is_delivered_to_where_it_was_named_first() -> None:
    request = read(
        to=["First <ada@example.org>", "ada@EXAMPLE.org"],
        cc=["ada@example.org", "bob@example.org"],
        bcc=["Bob <bob@example.org>", "Ada@example.org"],
    )
    assert [(kind.value, place, str(box)) for kind, place, box in request.recipients()] == [
        ("to", 0, "First <ada@example.org>"),
        ("cc", 0, "bob@example.org"),
        # another spelling of the local part may be another mailbox
        ("bcc", 0, "Ada@example.org"),
    ]


@pytest.mark.parametrize("priority", ["urgent", "normal", "bulk"])
def test_a_priority_is_one_of_three(priority: str) -> None:
    assert read(priority=priority).priority == priority


def test_without_a_priority_it_is_normal() -> None:
    assert read(priority=None).priority == read().priority == "normal"


@pytest.mark.parametrize("wrong", ["", "high", "Urgent", "urgent ", "normal\n"])
def test_another_priority_is_refused_with_those_there_are(wrong: str) -> None:
    (fault,) = faults_of({**VALID, "priority": wrong})
    assert (fault.pointer, fault.code) == ("/priority", "choice")
    assert fault.detail == "This must be one of urgent, normal, bulk."


def test_a_priority_that_is_no_text_is_refused() -> None:
    assert fault_of(priority=1) == ("/priority", "type")


EMPTY: list[object] = [None, "", " \t", []]


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("subject", "no subject defined"),
        ("message", "no message defined"),
        ("to", "no receivers defined"),
        ("from", "no from defined"),
    ],
)
def test_an_empty_field_is_a_missing_one(field: str, problem: str, empty: object) -> None:
    without = {key: value for key, value in VALID.items() if key != field}
    (missing,) = faults_of(without)
    assert (missing.pointer, missing.detail) == (f"/{field}", problem)
    assert faults_of({**VALID, field: empty}) == [missing]


def test_what_is_missing_comes_first_and_in_the_known_order() -> None:
    faults = faults_of({"to": [], "cc": 5, "colour": "red"})
    assert [fault.detail for fault in faults[:3]] == [
        "no subject defined",
        "no message defined",
        "no from defined",
    ]
    assert [(fault.pointer, fault.code) for fault in faults[3:]] == [
        ("/cc", "type"),
        ("/colour", "unknown"),
    ]


def test_every_fault_is_named_with_its_place() -> None:
    faults = faults_of({**VALID, "to": ["ada@example.org", 7, "nobody"], "subject": ["a"]})
    assert {(fault.pointer, fault.code) for fault in faults} == {
        ("/to/1", "type"),
        ("/to/2", "address"),
        ("/subject", "type"),
    }


@pytest.mark.parametrize("fields", [None, [], "text", 1, True])
def test_only_an_object_is_a_request(fields: object) -> None:
    assert [(fault.pointer, fault.code) for fault in faults_of(fields)] == [("", "type")]


@pytest.mark.parametrize("wrong", [5, True, {"a": 1}, {}, 1.5])
@pytest.mark.parametrize("field", ["from", "to", "cc", "bcc", "subject", "message"])
def test_a_wrong_type_is_refused(field: str, wrong: object) -> None:
    assert fault_of(**{field: wrong}) == (f"/{field}", "type")


def test_an_empty_recipient_among_others_is_refused() -> None:
    assert fault_of(to=["ada@example.org", ""]) == ("/to/1", "blank")
    assert fault_of(to=["ada@example.org"], cc=[" "]) == ("/cc/0", "blank")


BREAKS = ["\r", "\n", "\r\n", "\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x7f"]


@pytest.mark.parametrize("character", [*BREAKS, "\ud800"])
@pytest.mark.parametrize("where", ["{}x", "x{}y", "x{}"])
@pytest.mark.parametrize("field", ["from", "to", "cc", "bcc", "subject"])
def test_no_line_break_gets_into_a_header(field: str, where: str, character: str) -> None:
    text = where.format(character)
    value = text if field == "subject" else f'"{text}" <ada@example.org>'
    assert fault_of(**{field: value}) == (f"/{field}", "character")


def test_a_tab_in_a_subject_is_only_a_space() -> None:
    assert read(subject="a\tb").subject == "a\tb"


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_a_body_that_cannot_be_stored_is_refused(character: str) -> None:
    assert fault_of(message=f"a{character}b") == ("/message", "character")


def test_a_body_keeps_every_other_character() -> None:
    text = "".join(chr(code) for code in range(1, 0x300)) + "\u2028😀"
    assert read(message=text).message == text


def test_a_subject_has_at_most_998_octets() -> None:
    assert len(read(subject="é" * 499).subject) == 499
    assert fault_of(subject="é" * 499 + "a") == ("/subject", "too_long")
    assert fault_of(subject="a" * 10_000_000) == ("/subject", "too_long")


def test_a_mailbox_has_at_most_998_octets() -> None:
    assert fault_of(from_=f"{'a' * 990} <a@example.org>") == ("/from", "too_long")


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_a_field_has_at_most_50_recipients(field: str) -> None:
    fifty = [f"reader{number}@example.net" for number in range(50)]
    assert len(list(read(**{"to": ["ada@example.org"], field: fifty}).recipients())) >= 50
    assert fault_of(**{field: [*fifty, "one@example.net"]}) == (f"/{field}", "too_many")
    # repeated addresses count: the limit is on what is read
    assert fault_of(**{field: ["ada@example.org"] * 51}) == (f"/{field}", "too_many")


def test_an_unknown_key_is_refused_by_name() -> None:
    (fault,) = faults_of({**VALID, "a/b~c": 1})
    assert fault == Fault("/a~1b~0c", "There is no field 'a/b~c'.", "unknown")


def test_unknown_keys_cannot_make_the_answer_long_or_impossible_to_write() -> None:
    keys = {f"{number}{'x' * 1000}\ud800": 1 for number in range(1000)}
    faults = faults_of({**VALID, **keys, "\ud800": 1})
    assert len(faults) == 10
    assert all(len(fault.pointer + fault.detail) < 300 for fault in faults)
    "".join(fault.pointer + fault.detail for fault in faults).encode()


def test_the_number_of_faults_is_bounded() -> None:
    bad = ["nobody"] * 50
    assert len(faults_of({"to": bad, "cc": bad, "bcc": bad})) == 153
