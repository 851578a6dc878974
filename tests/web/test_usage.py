"""The page of one's usage."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.asserts import assertContains, assertNotContains

from notifications.delivery.reading import Reading
from notifications.models import Message, RollUp, SendingLimit, User
from notifications.models.roll_up import Dimension
from notifications.web.charts import HEIGHT, chart_of
from tests.stories import accepted, answered, handed_over

PAGE = "/usage/"
NOON = datetime(2026, 11, 25, 12, 34, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.web.usage.timezone.now", lambda: NOON)


def counted(
    owner: User,
    count: int,
    kind: str = "accepted",
    *,
    ago: timedelta = timedelta(),
    dimension: Dimension = Dimension.ALL,
    name: str = "",
) -> None:
    """So many events of a kind, in the hour that was so long ago."""
    hour = (NOON - ago).replace(minute=0)
    RollUp.objects.create(
        owner=owner, hour=hour, dimension=dimension, name=name, kind=kind, count=count
    )


def table(client: Client, heading: str, query: str = "") -> list[list[str]]:
    """The cells of the table below a heading, row by row."""
    page = client.get(PAGE + query).content.decode()
    # the section, and in it what can be scrolled
    section = page.split(f'aria-labelledby="{heading}">')[2].split("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in cells]


def totals(client: Client, query: str = "") -> dict[str, str]:
    """The charts' titles and sums."""
    page = client.get(PAGE + query).content.decode()
    found = re.findall(r"<figcaption>(.*?)<strong>(.*?)</strong>", page, re.DOTALL)
    return {title.strip(): total for title, total in found}


def test_who_sent_nothing_sees_so(signed_in: Client) -> None:
    page = signed_in.get(PAGE)
    assertContains(page, "Nothing happened in this time.")
    assertContains(page, "You may submit as much as comes.")
    assert totals(signed_in) == {"Accepted": "0"}


def test_a_day_is_told_by_the_hour(signed_in: Client, ada: User, eve: User) -> None:
    counted(ada, 1200)
    counted(ada, 30, "sent")
    counted(ada, 5, ago=23 * HOUR)
    counted(ada, 7, ago=24 * HOUR)
    counted(eve, 9999)
    head, newest, *_, oldest, total = table(signed_in, "steps")
    assert head == ["From", "Accepted", "Sent"]
    assert newest == ["25 Nov, 12:00", "1,200", "30"]
    assert oldest == ["24 Nov, 13:00", "5", "0"]
    assert total == ["In all", "1,205", "30"]
    assert totals(signed_in) == {"Accepted": "1,205", "Sent": "30"}


@pytest.mark.parametrize(
    ("period", "days", "first"), [("week", 7, "19 Nov"), ("month", 30, "27 Oct")]
)
def test_longer_periods_are_told_by_the_day(
    signed_in: Client, ada: User, period: str, days: int, first: str
) -> None:
    counted(ada, 3)
    counted(ada, 4, ago=2 * HOUR)
    counted(ada, 5, ago=(days - 1) * 24 * HOUR)
    counted(ada, 6, ago=days * 24 * HOUR)
    _, newest, *rest, total = table(signed_in, "steps", f"?period={period}")
    assert newest == ["25 Nov", "7"]
    assert (len(rest), rest[-1]) == (days - 1, [first, "5"])
    assert total == ["In all", "12"]


def test_a_period_that_is_none_is_the_day(signed_in: Client, ada: User) -> None:
    counted(ada, 3)
    page = signed_in.get(f"{PAGE}?period=century")
    assert len(re.findall(r'aria-current="page">24 hours', page.content.decode())) == 1


def test_what_went_wrong_is_one_chart_and_several_columns(signed_in: Client, ada: User) -> None:
    for count, kind in enumerate(("bounced", "failed", "dead", "cancelled"), start=1):
        counted(ada, count, kind)
    assert totals(signed_in) == {"Accepted": "0", "Went wrong": "6"}
    assert table(signed_in, "steps")[0] == ["From", "Bounced", "Refused", "Given up", "Cancelled"]


def test_providers_and_tags_have_tables(signed_in: Client, ada: User) -> None:
    assertNotContains(signed_in.get(PAGE), "By tag")
    counted(ada, 8, "sending", dimension=Dimension.PROVIDER, name="relay")
    counted(ada, 7, "sent", dimension=Dimension.PROVIDER, name="relay")
    counted(ada, 2, dimension=Dimension.TAG, name="<b>sale</b>")
    counted(ada, 3, dimension=Dimension.TAG, name="invoice")
    assert table(signed_in, "by-provider") == [["Provider", "Tried", "Sent"], ["relay", "8", "7"]]
    assertContains(signed_in.get(PAGE), "&lt;b&gt;sale&lt;/b&gt;")
    assert table(signed_in, "by-tag")[-1] == ["invoice", "3"]


def test_what_went_wrong_and_tags_lead_to_their_messages(
    signed_in: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    accepted(ada, "a@example.org", subject="untouched")
    refused = accepted(ada, "b@example.org", subject="refused")
    Message.objects.filter(id=refused.id).update(tags=["a&b"])
    answered(handed_over(refused), Reading.MESSAGE_REFUSED, code=554, answer="no")
    page = signed_in.get(PAGE).content.decode()
    links = re.findall(r'<a href="(/messages/[^"]+since[^"]+)">([^<]+)</a>', page)
    assert [label for _, label in links] == ["Refused", "a&amp;b"]
    for address, _ in links:
        found = signed_in.get(unescape(address))
        assertContains(found, "refused</a>")
        assertNotContains(found, "untouched")


def test_what_happened_just_now_is_counted(
    signed_in: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    answered(handed_over(accepted(ada, "a@example.org", "b@example.org")))
    assert totals(signed_in) == {"Accepted": "1", "Sent": "2"}


def test_limits_tell_what_is_used_and_when_it_is_back(
    signed_in: Client, ada: User, settings: Settings
) -> None:
    settings.LIMBO_REQUESTS_PER_SECOND = 20
    SendingLimit.objects.create(owner=ada, messages_per_day=2400)
    page = signed_in.get(PAGE).content.decode()
    assert "0 of 20 used." in page
    assert "0 of 2,400 used." in page
    SendingLimit.objects.update(requests_left=20, messages_left=1100, filled_at=NOON - HOUR)
    page = signed_in.get(PAGE).content.decode()
    # an hour gave back a hundred
    assert "1,200 of 2,400 used; all are there again in 12 h." in page
    assert re.search(r'<meter[^>]*max="2400"\s+value="1200"', page)
    assert "0 of 20 used." in page


def test_another_users_limits_are_not_told(signed_in: Client, eve: User) -> None:
    SendingLimit.objects.create(owner=eve, messages_per_day=17)
    assertContains(signed_in.get(PAGE), "You may submit as much as comes.")


def test_bars_are_as_high_as_their_share() -> None:
    chart = chart_of("Sent", "good", ["10:00", "11:00", "12:00", "13:00"], [0, 1, 5_000, 10_000])
    # what is not nothing can be seen
    assert [bar.height for bar in chart.bars] == [0, 1.5, HEIGHT / 2, HEIGHT]
    assert all(bar.y + bar.height == HEIGHT for bar in chart.bars)
    assert (chart.total, chart.most, chart.bars[2].title) == (15_001, 10_000, "12:00: 5,000")


@pytest.mark.parametrize("hours", [1, 24])
@pytest.mark.parametrize("period", ["day", "month"])
def test_the_page_takes_as_few_queries_however_much_there_was(
    signed_in: Client,
    ada: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    hours: int,
    period: str,
) -> None:
    for hour in range(hours):
        counted(ada, 5, ago=hour * HOUR)
        counted(ada, 5, dimension=Dimension.TAG, name=f"tag {hour}", ago=hour * HOUR)
    signed_in.get(PAGE)  # the follower that counts has its row from then on
    # session, user; 6 to count what is new; 5 sums; 2 whether that is all; limits
    with django_assert_num_queries(16):
        signed_in.get(f"{PAGE}?period={period}")
