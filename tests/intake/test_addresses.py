"""Mailboxes are read as RFC 5322 has them, internationalised, and nothing is lost on the way."""

import time
from email.headerregistry import AddressHeader
from email.policy import default

import pytest

from notifications.intake.addresses import AddressError, Mailbox, read_mailbox


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("ada@example.com", "ada@example.com", ""),
        ("  ada@example.com ", "ada@example.com", ""),
        ("<ada@example.com>", "ada@example.com", ""),
        ("Ada Lovelace <ada@example.com>", "ada@example.com", "Ada Lovelace"),
        ("Dr. Ada L. <ada@example.com>", "ada@example.com", "Dr. Ada L."),
        ('"Lovelace, Ada" <ada@example.com>', "ada@example.com", "Lovelace, Ada"),
        (r'"Ada \"Byron\" \\ L." <ada@example.com>', "ada@example.com", r'Ada "Byron" \ L.'),
        ('"Dr." Ada <ada@example.com>', "ada@example.com", "Dr. Ada"),
        ('"<not@an.address>" <ada@example.com>', "ada@example.com", "<not@an.address>"),
        ("Jürgen Müller <jm@example.com>", "jm@example.com", "Jürgen Müller"),
        ("ada+tag@EXAMPLE.Com", "ada+tag@example.com", ""),
        ("Ada@example.com", "Ada@example.com", ""),
        ("用户@例え.jp", "用户@例え.jp", ""),
        ("ada@xn--bcher-kva.example", "ada@bücher.example", ""),
        ("ada@host.local", "ada@host.local", ""),
        ("ada@example.test", "ada@example.test", ""),
    ],
)
def test_a_mailbox_is_read_with_its_name(text: str, address: str, name: str) -> None:
    mailbox = read_mailbox(text)
    assert (mailbox.address, mailbox.name) == (address, name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@example..com",
        "a..da@example.com",
        "ada@[192.0.2.1]",
        '"a da"@example.com',
        "ada@example.com, bob@example.com",
        "Lovelace, Ada <ada@example.com>",
        "Ada (the first) <ada@example.com>",
        'Ada "Byron <ada@example.com>',
        "Ada <ada@example.com",
        "Ada <ada@example.com> Lovelace",
        "<<ada@example.com>>",
        "friends: ada@example.com;",
        "a" * 65 + "@example.com",
        "ada@" + "a" * 64 + ".com",
    ],
)
def test_what_is_no_mailbox_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        read_mailbox(text)


def test_the_domain_is_also_known_as_dns_knows_it() -> None:
    assert read_mailbox("ada@bücher.example").ascii_domain == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "name",
    ["", "Ada", "Ada L.", "Lovelace, Ada", 'Ada "Byron" L', r"back\slash", "a@b", "Jürgen", "(x)"],
)
def test_a_written_mailbox_is_read_by_others_as_it_was_meant(name: str) -> None:
    header = default.header_factory("From", str(Mailbox("ada@example.com", name)))
    assert isinstance(header, AddressHeader)
    assert [(a.display_name, a.addr_spec) for a in header.addresses] == [(name, "ada@example.com")]
    assert read_mailbox(str(Mailbox("ada@example.com", name))).name == name


@pytest.mark.parametrize("piece", ['"', "a ", '"a" ', "\\", '"\\', " ", "a.", '""'])
def test_no_text_takes_long_to_read(piece: str) -> None:
    began = time.perf_counter()
    with pytest.raises(AddressError):
        read_mailbox(piece * (998 // len(piece)) + "<")
    assert time.perf_counter() - began < 0.5
