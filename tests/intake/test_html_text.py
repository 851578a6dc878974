"""The text that is made of HTML: what people read of it, and that no HTML makes too much of it."""

import time
import tracemalloc

import pytest

from notifications.intake.errors import ImpossibleRequestError
from notifications.intake.mail_request import read_mail_request
from notifications.intake.options.html import MAX_CONVERTED_OCTETS, text_of

FIELDS = {"from": "app@example.com", "to": "ada@example.org", "subject": "Hello"}


def test_a_text_is_made_where_none_was_given() -> None:
    html = "<h1>Hello</h1><p>Read <a href='https://example.com/a?b&amp;c'>this</a>.</p>"
    request = read_mail_request({**FIELDS, "html": html})
    assert request.message == "Hello\n\nRead [this](https://example.com/a?b&c)."
    assert request.html == html


@pytest.mark.parametrize("message", [None, "", " "])
def test_an_empty_text_is_as_none(message: str | None) -> None:
    assert read_mail_request({**FIELDS, "message": message, "html": "<p>Hi"}).message == "Hi"


def test_lists_and_tables_stay_readable() -> None:
    html = (
        "<table><tr><td><ul><li>one<li>two</ul></td></tr></table>"
        "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Tea</td><td>2.00</td></tr></table>"
    )
    assert text_of(html).split() == ["*", "one", "*", "two", "Item", "Price", "Tea", "2.00"]
    assert text_of(html).splitlines()[-2:] == ["Item Price", "Tea 2.00"]


def test_what_nobody_sees_is_left_out() -> None:
    html = (
        "<head><title>t</title><style>p{}</style></head><script>x</script><!-- c -->"
        "<p style='color: red; DISPLAY : none'>hidden</p><p style='color:red'>shown</p>"
    )
    assert text_of(html) == "shown"


def test_every_alphabet_is_kept_whatever_the_html_says_of_itself() -> None:
    for declared in ("<meta charset=latin-1>", '<?xml version="1.0" encoding="utf-16"?>'):
        assert text_of(f"{declared}<p>Grüße, 世界 😀</p>") == "Grüße, 世界 😀"


@pytest.mark.parametrize(
    "html",
    [
        "<img src=x>",
        "<!-- nothing -->",
        "<div> &nbsp; </div>",
        "<frameset><frame src=x></frameset>",
        "<p>begins</p>" + "<div>" * 300 + "x",
        "<div>" * 100_000,
        "<ul>" * 21 + "<li>x",
        "<p>" + "x" * MAX_CONVERTED_OCTETS,
    ],
    ids=["image", "comment", "blank", "frames", "cut", "deep", "lists", "long"],
)
def test_html_of_which_no_whole_text_can_be_made_needs_one_beside_it(html: str) -> None:
    with pytest.raises(ImpossibleRequestError) as caught:
        read_mail_request({**FIELDS, "html": html})
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.code) == ("/html", "no_text")
    assert read_mail_request({**FIELDS, "html": html, "message": "Hello."}).message == "Hello."


_ROOM = MAX_CONVERTED_OCTETS - 100_000


@pytest.mark.parametrize(
    "html",
    [
        f"<table><tr><td>{'a' * 90_000}</td></tr>{'<tr><td>b' * (_ROOM // 9)}</table>",
        "<p style='padding-left:99999em;margin-top:9999em'>x</p>" * (_ROOM // 55),
        "<ul>" * 20 + "<li>x" * (_ROOM // 5),
        "<table><tr><td>" * 80 + "x<tr><td>y" * (_ROOM // 10),
        "<b>x</b>" * (_ROOM // 8),
        f"<p style='{'style:' * (_ROOM // 6)}'>x</p>",
    ],
    ids=["wide", "padding", "lists", "nested", "inline", "style"],
)
def test_no_html_takes_much_time_or_memory(html: str) -> None:
    began = time.process_time()
    tracemalloc.start()
    try:
        text_of(html)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * 1024 * 1024
    assert time.process_time() - began < 20
