"""The rows of the fault matrix: how one is written, and the table of what came of them.

A row is a test `test_row_NN_….py` with the marker `faults(number, fault)`, which gives it the test
database, a long time-out and its line in the table:

    @pytest.mark.quick                     # only if it takes a few seconds: `make test` runs it too
    @pytest.mark.faults("2", "worker killed -9 after the claim")
    def test_…(row: Row, sink: SmtpPeer) -> None:
        with row.system(by_smtp(sink)) as system:
            system.arm("after_claim=kill")
            row.submit(20)
            system.start_worker()
            …
            row.drain()
            verdict = row.judge(sink)      # fails with every broken invariant
        assert verdict.handed_off == 20

A case of a parametrised row gets a line of its own. Rows that stop or break PostgreSQL take the
fixture `own_postgres` as well, which then is the database of test and system alike.

Without `quick` a row runs in `make faults` alone (`-m faults`), which runs all of them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from tests.conftest import wait_until
from tests.faults.own_postgres import OwnPostgres, in_place_of_the_test_database
from tests.faults.row import Row
from tests.faults.table import LINES, Line, lines_of
from tests.peers import SmtpPeer

_SECONDS = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give rows the time and the database that they need."""
    for item in items:
        if not item.get_closest_marker("faults"):
            continue
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SECONDS))
        if "own_postgres" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db(transaction=True))


def pytest_configure(config: pytest.Config) -> None:
    """Keep the table's lines with the run."""
    config.stash[LINES] = []


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the table, the lines of failed rows included."""
    lines = terminalreporter.config.stash[LINES]
    if not lines:
        return
    bad = {
        report.nodeid
        for outcome in ("failed", "error")
        for report in terminalreporter.stats.get(outcome, [])
    }
    terminalreporter.section("fault matrix")
    for text in lines_of(lines, failed=bad):
        terminalreporter.write_line(text)


@pytest.fixture
def row(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Row]:
    """The row that the test's marker names; its line is printed whatever becomes of it."""
    number, fault = request.node.get_closest_marker("faults").args
    case = getattr(request.node, "callspec", None)
    row = Row(number, f"{fault} ({case.id})" if case else fault, tmp_path)
    yield row
    request.config.stash[LINES].append(
        Line(request.node.nodeid, row.number, row.fault, row.verdict)
    )
    wait_until(lambda: not row.leftovers(), seconds=10)


@pytest.fixture
def sink() -> Iterator[SmtpPeer]:
    """A provider that takes everything."""
    with SmtpPeer() as peer:
        yield peer


@pytest.fixture
def own_postgres(django_db_blocker: object, tmp_path: Path) -> Iterator[OwnPostgres]:
    """A PostgreSQL of the row's own, which it may stop, restart and break."""
    with in_place_of_the_test_database(OwnPostgres(tmp_path), django_db_blocker) as server:
        yield server
