"""The papers say what the code does."""

import re
from pathlib import Path

import pytest

from notifications.api.urls import urlpatterns
from notifications.models import State
from notifications.models.state import TRANSITIONS

ROOT = Path(__file__).resolve().parents[2]
PAPERS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def text_of(path: str) -> str:
    """A file of the project."""
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(paper: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", paper.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (paper.parent / target).exists()] == []


def test_the_readme_is_short_and_begins_with_a_command() -> None:
    lines = text_of("README.md").splitlines()
    assert len(lines) < 180
    assert any(line.startswith("make run") for line in lines[:25])


def test_every_setting_is_documented_and_no_other() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text_of("limbo/settings.py")))
    read |= set(re.findall(r'db_url\("([A-Z_]+)"', text_of("limbo/settings.py")))
    listed = set(
        re.findall(r"^\| `([A-Z_]+)` \|", text_of("docs/reference/settings.md"), re.MULTILINE)
    )
    assert listed == read


def test_every_system_check_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "notifications").rglob("*.py")]
    raised = set(re.findall(r'"(limbo\.[EW]\d{3})"', "".join(sources)))
    listed = set(re.findall(r"limbo\.[EW]\d{3}", text_of("docs/reference/settings.md")))
    assert listed == raised


def test_the_table_of_states_is_the_code_s() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.+) \| (.+) \|$", text_of("docs/reference/states.md"), re.MULTILINE
    )
    steps = {state: set(re.findall(r"`(\w+)`", targets)) for state, _, targets in rows}
    assert steps == {str(state): set(map(str, TRANSITIONS.get(state, ()))) for state in State}
    assert {state: label for state, label, _ in rows} == {str(s): s.label for s in State}


def test_every_route_of_the_api_is_documented() -> None:
    paths = {f"/{pattern.pattern}" for pattern in urlpatterns if pattern.name != "nothing"}
    listed = set(re.findall(r"`(?:GET|POST) (/[^`?]*)`", text_of("docs/reference/api.md")))
    assert listed == {re.sub(r"<\w+:(?:\w+_)?(\w+)>", r"{\1}", path) for path in paths}


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    named = {
        name
        for paper in PAPERS
        for name in re.findall(r"`?\bmake ([a-z]+)`", paper.read_text(encoding="utf-8"))
    }
    assert named <= targets
