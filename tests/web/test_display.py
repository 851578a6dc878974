"""States and moments as the pages show them."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from notifications.models import State
from notifications.web.display import ago, badge, moment, tone


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_tone_and_a_badge(state: State) -> None:
    assert tone(state) in {"good", "going", "doubt", "bad", "over"}
    assert state.label[1:] in unescape(badge(state))


def test_a_line_without_a_state_is_plain() -> None:
    assert tone(None) == "plain"


def test_a_moment_is_told_in_utc() -> None:
    at = datetime(2026, 11, 4, 9, 5, 7, tzinfo=UTC)
    assert moment(at) == (
        '<time datetime="2026-11-04T09:05:07+00:00">4 Nov 2026, 09:05:07 UTC</time>'
    )


@pytest.mark.parametrize(
    ("past", "said"),
    [
        (timedelta(seconds=5), "5 s ago"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_what_was_lately_is_told_by_how_long_ago(past: timedelta, said: str) -> None:
    assert f">{said}</time>" in ago(timezone.now() - past)


def test_what_was_long_ago_is_told_by_its_day_and_exactly_on_hover() -> None:
    told = ago(datetime(2020, 2, 1, 10, 0, tzinfo=UTC))
    assert ">1 Feb 2020</time>" in told
    assert 'title="1 Feb 2020, 10:00:00 UTC"' in told


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/messages/", [("/messages/", "page")]),
        ("/templates/new/", [("/templates/", "true")]),
        ("/usage/?period=week", [("/usage/", "page")]),
    ],
)
def test_the_header_marks_where_one_is(
    signed_in: Client, path: str, marked: list[tuple[str, str]]
) -> None:
    header = signed_in.get(path).content.decode().split("</nav>")[0]
    assert re.findall(r'href="(\S+)" aria-current="(\w+)"', header) == marked
