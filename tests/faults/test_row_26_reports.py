"""Row 26: a provider's reports come twice, shuffled, early, and about messages of nobody."""

import json
import random
import threading
from base64 import b64encode
from uuid import UUID, uuid4

import pytest

from notifications.models import Delivery, Event, Handoff, State
from tests.conftest import wait_until
from tests.faults.client import Client
from tests.faults.row import Row
from tests.faults.steps import by_postmark
from tests.peers import Answer, HttpPeer, HttpRequest, postmark
from tests.tracking import payloads

_COPIES = 3
_PATH = "/anymail/postmark/tracking/"
_STORIES = {
    ("Delivery",): State.DELIVERED,
    ("Bounce",): State.BOUNCED,
    ("Delivery", "SpamComplaint"): State.COMPLAINED,
}
"""What is reported of a message, in whatever order, and where it must end."""


def report(client: Client, record: str, handoff_id: UUID) -> int:
    """Post what Postmark would; returns the status of the answer."""
    payload = payloads.postmark(record, "reader0@example.org", handoff=handoff_id)
    basic = "Basic " + b64encode(payloads.SECRET.encode()).decode()
    body = json.dumps(payload).encode()
    return client.ask("POST", _PATH, body, {"Authorization": basic}).status


@pytest.mark.quick
@pytest.mark.faults("26", "tracking webhooks duplicated, shuffled, early, for unknown ids")
def test_each_report_is_one_event_and_the_last_state_is_right(row: Row) -> None:
    answers = threading.Event()

    def answer_late(request: HttpRequest) -> Answer:
        answers.wait(60)
        return postmark(request)

    environment = {"LIMBO_TRACKING_SECRET": payloads.SECRET}
    with (
        HttpPeer(speak=answer_late) as provider,
        row.system(by_postmark(provider), **environment) as system,
    ):
        row.submit(6)
        system.start_web()
        system.start_worker()
        client = Client.of(row.owner(), system.port)
        wait_until(lambda: len(provider.requests) == len(row.accepted), seconds=60)

        handoff_ids = Handoff.objects.values_list("id", flat=True)
        told = dict(zip(handoff_ids, [*_STORIES, *_STORIES], strict=True))
        reports = [(record, id_) for id_, story in told.items() for record in story] * _COPIES
        reports += [("Bounce", uuid4()) for _ in range(5)]
        random.Random(26).shuffle(reports)  # noqa: S311 - the same disorder each time
        early, late = reports[: len(reports) // 2], reports[len(reports) // 2 :]
        assert {report(client, *facts) for facts in early} == {200}
        answers.set()
        assert {report(client, *facts) for facts in late} == {200}
        row.drain()
        verdict = row.judge(provider)
    for handoff_id, story in told.items():
        delivery = Delivery.objects.get(attempts__handoff=handoff_id)
        events = Event.objects.filter(delivery=delivery, data__source="tracking")
        assert (delivery.state, events.count()) == (_STORIES[story], len(story))
    assert Event.objects.filter(data__source="tracking").count() == sum(map(len, told.values()))
    assert (verdict.handed_off, verdict.uncertain) == (6, 0)
