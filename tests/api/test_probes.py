"""What an orchestrator asks: is it alive, can it work."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from tests.api.problems import problem_of
from tests.factories import HeartbeatFactory

pytestmark = pytest.mark.django_db


def faults(client: Client) -> list[str]:
    """The checks that fail, by name; none when it is ready."""
    answer = client.get("/ready")
    if answer.status_code == 200:
        assert json.loads(answer.content) == {"ready": "ok"}
        return []
    problem = problem_of(answer, 503, "unavailable")
    return [error["code"] for error in problem["errors"]]


@pytest.fixture
def away(transactional_db: None) -> Iterator[None]:
    """A database that does not take connections."""
    connection.close()
    port = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = 1
    yield
    connection.settings_dict["PORT"] = port


def test_it_is_ready_with_a_worker_that_makes_progress(client: Client) -> None:
    HeartbeatFactory(beat_at=timezone.now() - timedelta(hours=1))
    HeartbeatFactory()
    assert faults(client) == []


def test_it_is_not_ready_without_a_worker(client: Client) -> None:
    assert faults(client) == ["worker"]


def test_a_probe_that_finds_it_not_ready_is_no_error_in_the_log(
    client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert faults(client) == ["worker"]
    assert [line for line in caplog.records if line.levelname == "ERROR"] == []
    # others are
    client.get("/v1/nothing")
    assert [line.name for line in caplog.records] == ["django.request"]


@pytest.mark.parametrize(("age", "found"), [(25, []), (35, ["worker"])])
def test_a_worker_that_went_silent_does_not_count(
    client: Client, age: int, found: list[str]
) -> None:
    HeartbeatFactory(beat_at=timezone.now() - timedelta(seconds=age))
    assert faults(client) == found


def test_it_is_not_ready_before_its_migrations(client: Client) -> None:
    HeartbeatFactory()
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("notifications")
    MigrationRecorder(connection).record_unapplied(*newest)
    assert faults(client) == ["migrations"]


@pytest.mark.usefixtures("away")
def test_it_is_not_ready_without_its_database(client: Client) -> None:
    assert faults(client) == ["database"]


@pytest.mark.usefixtures("away")
def test_it_is_alive_all_the_same(client: Client) -> None:
    for path in ("/", "/health", "/metrics"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("accept", ["text/plain", "image/png", "*/*", "application/problem+json"])
def test_a_probe_may_ask_for_any_form(client: Client, accept: str) -> None:
    assert client.get("/health", headers={"Accept": accept}).status_code == 200
