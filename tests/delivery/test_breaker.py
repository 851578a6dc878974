"""The breaker: a provider that fails is left alone, probed by one, and in use again."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pgtrigger
import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from notifications.delivery import breaker
from notifications.delivery.breaker import (
    LONGEST_OPEN_SECONDS,
    PROBE_SECONDS,
    End,
    note_ends,
    release_probe,
    take_probe,
    use_again,
)
from notifications.delivery.providers import close_provider, sync_rows
from notifications.delivery.reading import RULES, Reach, Reading, reach_of
from notifications.delivery.routing import Route, usable_routes
from notifications.models import Provider

pytestmark = pytest.mark.django_db(transaction=True)

OK: End = (Reach.REACHED, "250 ok")
BAD: End = (Reach.FAILED, "[Errno 111] Connection refused")
NEITHER: End = (Reach.NEUTRAL, "")


@pytest.fixture(autouse=True)
def provider(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """One provider, of which this process knows nothing yet."""
    settings.LIMBO_PROVIDERS = "first=smtp://127.0.0.1:1"
    sync_rows()
    with pgtrigger.ignore("notifications.Provider:permanent"):
        Provider.objects.exclude(name="first").delete()
    another_process(monkeypatch)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What the breaker logs."""
    with caplog.at_level(logging.INFO, logger="notifications.delivery.breaker"):
        yield caplog


def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on as a process that has only the row to know by."""
    monkeypatch.setattr(breaker, "_known", {})


def row() -> Provider:
    """The provider as it is stored."""
    return Provider.objects.get()


def open_for() -> float:
    """For how many seconds the breaker is open from now on, by the database's clock."""
    at: datetime = Provider.objects.annotate(at=Now()).get().at
    until = row().breaker_until
    assert until is not None
    return (until - at).total_seconds()


def route() -> Route | None:
    """The provider as a batch that begins now may use it."""
    return next(iter(usable_routes()), None)


def let_pass(seconds: float) -> None:
    """Let time pass: every time in the row moves back by so much."""
    past = timedelta(seconds=seconds)
    columns = ("window_started_at", "breaker_until", "probe_until")
    Provider.objects.update(**{name: F(name) - past for name in columns})


def writes_of(act: Callable[[], object]) -> int:
    """How many statements `act` costs."""
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


def trip() -> None:
    """Open the breaker, and wait until it wants a probe."""
    assert not note_ends("first", [BAD] * 5)
    let_pass(31)


def test_five_failures_in_a_row_open_it_for_half_a_minute(logged: pytest.LogCaptureFixture) -> None:
    assert note_ends("first", [BAD] * 2)
    assert note_ends("first", [BAD] * 2)
    assert route() is not None
    assert not note_ends("first", [BAD])
    assert 25 < open_for() <= 30
    assert route() is None
    assert row().breaker_reason == ("5 hand-offs in a row failed: [Errno 111] Connection refused")
    (record,) = logged.records
    assert (record.levelname, "5 hand-offs in a row" in record.message) == ("WARNING", True)


def test_a_success_begins_the_row_anew() -> None:
    for _ in range(2):
        assert note_ends("first", [BAD] * 4)
        assert note_ends("first", [OK])
    assert note_ends("first", [BAD, BAD, BAD, OK, BAD, BAD, BAD, BAD])
    assert row().failures == 4


def test_failures_of_several_workers_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        another_process(monkeypatch)
        assert note_ends("first", [BAD])
    another_process(monkeypatch)
    assert not note_ends("first", [BAD])


def test_half_of_twenty_within_half_a_minute_open_it() -> None:
    for _ in range(9):
        assert note_ends("first", [BAD, OK])
    assert note_ends("first", [OK])
    assert not note_ends("first", [BAD])
    assert row().breaker_reason.startswith("10 of 20 hand-offs within 30 s failed")


def test_less_than_half_of_many_do_not_open_it() -> None:
    for _ in range(30):
        assert note_ends("first", [BAD, OK, OK])
    assert row().breaker_until is None


def test_what_failed_in_another_half_minute_does_not_count_for_the_share() -> None:
    for _ in range(9):
        note_ends("first", [BAD, OK])
    let_pass(31)
    for _ in range(9):
        assert note_ends("first", [BAD, OK])


def test_what_reached_it_before_the_first_failure_counts_for_the_share() -> None:
    assert note_ends("first", [OK] * 40)
    for _ in range(10):
        assert note_ends("first", [BAD, BAD, OK])
    assert (row().window_calls, row().window_failures) == (70, 20)


def test_a_healthy_provider_costs_no_statement_and_a_troubled_one_only_until_it_is_well() -> None:
    assert writes_of(lambda: note_ends("first", [OK] * 100)) == 0
    assert writes_of(lambda: note_ends("first", [BAD])) == 1
    assert writes_of(lambda: note_ends("first", [OK])) == 1
    let_pass(31)
    assert writes_of(lambda: note_ends("first", [OK])) == 1
    assert writes_of(lambda: note_ends("first", [OK])) == 0
    assert writes_of(lambda: note_ends("first", [NEITHER])) == 0


def test_another_worker_that_reads_of_failures_counts_against_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    note_ends("first", [BAD] * 4)
    another_process(monkeypatch)
    usable_routes()
    note_ends("first", [OK])
    assert row().failures == 0


def test_workers_that_fail_at_once_lose_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "FAILURES_IN_A_ROW", 1000)
    monkeypatch.setattr(breaker, "WINDOW_CALLS", 1000)
    start = threading.Barrier(4)

    def fail() -> None:
        start.wait()
        for _ in range(25):
            note_ends("first", [BAD])
        connection.close()

    workers = [threading.Thread(target=fail) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (row().failures, row().window_failures) == (100, 100)


def test_what_was_begun_before_it_opened_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    note_ends("first", [BAD] * 5)
    until = row().breaker_until
    assert not note_ends("first", [OK])
    assert not note_ends("first", [BAD] * 5)
    another_process(monkeypatch)
    assert not note_ends("first", [BAD])
    assert (row().breaker_until, row().breaker_seconds) == (until, 30)


def test_when_its_time_is_over_one_probe_closes_it(logged: pytest.LogCaptureFixture) -> None:
    trip()
    found = route()
    assert found is not None
    assert found.is_probe
    assert take_probe("first")
    assert note_ends("first", [OK])
    found = route()
    assert found is not None
    assert not found.is_probe
    assert (row().failures, row().breaker_until, row().breaker_reason) == (0, None, "")
    assert (logged.records[-1].levelname, "in use again" in logged.text) == ("INFO", True)


def test_no_probe_begins_before_its_time_and_none_when_it_is_closed() -> None:
    assert not take_probe("first")
    note_ends("first", [BAD] * 5)
    assert not take_probe("first")


def test_of_many_workers_one_gets_the_probe() -> None:
    trip()
    got: list[bool] = []
    start = threading.Barrier(8)

    def race() -> None:
        start.wait()
        got.append(take_probe("first"))
        connection.close()

    workers = [threading.Thread(target=race) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(got) == [False] * 7 + [True]
    assert route() is None


def test_each_failed_probe_doubles_the_time_up_to_ten_minutes() -> None:
    trip()
    times = []
    for _ in range(6):
        assert take_probe("first")
        assert not note_ends("first", [BAD])
        times.append(round(open_for()))
        let_pass(times[-1] + 1)
    assert times == pytest.approx(
        [60, 120, 240, 480, LONGEST_OPEN_SECONDS, LONGEST_OPEN_SECONDS], abs=3
    )
    assert row().breaker_reason == "its probe failed: [Errno 111] Connection refused"


def test_after_it_was_closed_it_opens_for_half_a_minute_again() -> None:
    trip()
    take_probe("first")
    note_ends("first", [BAD])
    let_pass(61)
    take_probe("first")
    note_ends("first", [OK])
    note_ends("first", [BAD] * 5)
    assert 25 < open_for() <= 30


def test_a_probe_that_said_nothing_about_the_provider_lets_another_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trip()
    assert take_probe("first")
    assert not note_ends("first", [NEITHER])
    another_process(monkeypatch)
    assert take_probe("first")


def test_a_probe_that_was_not_used_lets_another_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    trip()
    assert take_probe("first")
    release_probe("first")
    release_probe("first")
    another_process(monkeypatch)
    assert take_probe("first")


def test_a_probe_whose_worker_died_does_not_block_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    trip()
    assert take_probe("first")
    another_process(monkeypatch)
    let_pass(PROBE_SECONDS - 5)
    assert not take_probe("first")
    let_pass(10)
    assert take_probe("first")


@pytest.mark.parametrize("late_end", [OK, BAD])
def test_a_probe_that_ends_after_it_was_given_up_decides_nothing(
    monkeypatch: pytest.MonkeyPatch, late_end: End
) -> None:
    trip()
    assert take_probe("first")
    late = breaker._known
    let_pass(PROBE_SECONDS + 1)
    another_process(monkeypatch)
    assert take_probe("first")
    mine = row().probe_until
    monkeypatch.setattr(breaker, "_known", late)
    assert not note_ends("first", [late_end])
    assert (row().probe_until, row().breaker_seconds) == (mine, 30)


def test_staff_can_use_it_again_at_once() -> None:
    note_ends("first", [BAD] * 5)
    close_provider("first", seconds=3600)
    assert use_again("first")
    found = route()
    assert found is not None
    assert not found.is_probe
    assert not use_again("first")


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([Reading.SENT, Reading.RECIPIENT_REFUSED, Reading.TEMPORARY], Reach.REACHED),
        ([Reading.RECIPIENT_REFUSED, Reading.UNREACHABLE], Reach.FAILED),
        ([Reading.AMBIGUOUS], Reach.FAILED),
        ([Reading.EXHAUSTED], Reach.NEUTRAL),
        ([Reading.NOT_BEGUN], Reach.NEUTRAL),
        ([], Reach.NEUTRAL),
    ],
)
def test_one_recipient_that_failed_makes_the_hand_off_a_failure(
    readings: list[Reading], expected: Reach
) -> None:
    assert reach_of(readings) is expected


def test_no_reading_is_without_its_line_in_the_table() -> None:
    assert set(RULES) == set(Reading)
