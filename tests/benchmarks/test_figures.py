"""The benchmarks' arithmetic, and what they make of it."""

import json
from pathlib import Path

import pytest

from benchmarks import results, tables
from benchmarks.figures import median, percentile, ratio, spread
from benchmarks.measures import Figure, Measure, Row
from benchmarks.options import Options
from benchmarks.race import Timed

OPTIONS = Options(("headline",), rounds=3, scale=1)
COST = {"commits": 0.25, "wal_bytes": 9000.0, "row_writes": 21.0, "disk_bytes": 4000.0}
VERSIONS = {
    "python": "3.11.7",
    "processors": 2,
    "load": 0.1,
    "sink": "smtp-sink",
    "postgres": {"server_version": "18.6", "fsync": "on"},
    "peers": {"django-mailer": "2.3"},
}


def row(name: str, *rates: float, **cost: float) -> Row:
    """A row whose rounds had these rates."""
    return Row(name, name.title(), [Timed(100, 100 / rate, rate, cost) for rate in rates])


def test_a_median_and_its_spread_are_those_of_the_rounds() -> None:
    assert median([1000, 4000, 2000]) == 2000
    assert spread([1000, 4000, 2000]) == 1.5


def test_a_ratio_compares_within_each_round() -> None:
    # the machine was slow in the second round and quick in the third; the medians' ratio would be 4
    assert ratio([4000, 1500, 6000], [1000, 500, 2000]) == 3


def test_a_ratio_of_unequal_rounds_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1, 2, 3], [1, 2])


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (0.991, 100), (1, 100), (0, 1)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_the_results_file_holds_medians_costs_and_ratios(tmp_path: Path) -> None:
    figure = Figure("raw_smtplib", "Limbo to smtplib", 0.5)
    measure = Measure([row("limbo", 10, 30, 20, **COST)], [figure])
    file = results.write(results.as_json({"headline": measure}, OPTIONS, VERSIONS), tmp_path)
    content = json.loads(file.read_text(encoding="utf-8"))
    (found,) = content["measures"]["headline"]["rows"]
    assert (found["median"], found["spread"], found["cost"]) == (20, 1, COST)
    assert [run["rate"] for run in found["runs"]] == [10, 30, 20]
    assert content["ratios"] == {"raw_smtplib": 0.5}
    assert "| Limbo to smtplib | 0.50 |" in tables.tables(content, file.name)["headline"]
    assert file.name == f"{content['date'][:10]}-headline.json"


def test_the_page_gets_the_new_table_and_keeps_the_rest() -> None:
    rows = [row("slow", 10, 20, 30), row("quick", 1000, 2000, 3000)]
    content = results.as_json({"headline": Measure(rows, [])}, OPTIONS, VERSIONS)
    made = tables.tables(content, "file.json")
    paper = "# Before\n<!-- headline -->\nan old table\n<!-- end -->\nafter\n"
    page = tables.put(paper, made)
    assert page.startswith("# Before\n<!-- headline -->\n| |")
    assert page.endswith("\n<!-- end -->\nafter\n")
    assert "an old table" not in page
    assert page.index("| Quick | **2,000** |") < page.index("| Slow | 20 |")
    assert tables.put(page, made) == page


def test_a_page_without_the_mark_stays_as_it_is() -> None:
    assert tables.put("nothing here", {"headline": "a table"}) == "nothing here"


def test_a_short_run_is_a_trial() -> None:
    known = ("headline", "http")
    full = Options.read({"ONLY": "all"}, known=known, default=("headline",))
    assert (full.only, full.is_trial) == (known, False)
    assert Options.read({"SCALE": "0.1"}, known=known, default=known).is_trial
    assert Options.read({"ROUNDS": "2"}, known=known, default=known).is_trial
    with pytest.raises(ValueError, match="ONLY=other"):
        Options.read({"ONLY": "other"}, known=known, default=known)
