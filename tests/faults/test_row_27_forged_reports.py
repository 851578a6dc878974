"""Row 27: somebody who is not the provider reports."""

import json
from base64 import b64encode

import pytest

from notifications.models import Event, Handoff, State, Suppression
from tests.faults.client import Client
from tests.faults.row import Row
from tests.faults.steps import by_postmark
from tests.peers import HttpPeer
from tests.tracking import payloads

MAILGUN = "mg=anymail-mailgun://KEY@/"


@pytest.mark.quick
@pytest.mark.faults("27", "tracking webhook with a wrong or no signature")
def test_a_forged_report_is_refused_and_stores_nothing(row: Row) -> None:
    environment = {
        "LIMBO_TRACKING_SECRET": payloads.SECRET,
        "ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY": payloads.SIGNING_KEY,
    }
    with (
        HttpPeer() as provider,
        row.system(f"{by_postmark(provider)}&weight=1000,{MAILGUN}", **environment) as system,
    ):
        row.submit(1)
        system.start_worker()
        system.start_web()
        row.drain()
        client = Client.of(row.owner(), system.port)
        handoff = Handoff.objects.get()
        report = payloads.postmark("Bounce", "reader0@example.org", handoff=handoff.id)
        signed = {"signature": {"timestamp": "1", "token": "t", "signature": "0" * 64}}
        event = payloads.mailgun("failed", "reader0@example.org", handoff=handoff.id)
        statuses = [
            client.ask("POST", f"/anymail/{esp}/tracking/", json.dumps(body).encode(), told).status
            for esp, body in (("postmark", report), ("mailgun", signed | {"event-data": event}))
            for told in (_basic("tracker:wrong"), _basic(""), {"Authorization": ""})
        ]
        verdict = row.judge(provider)
    assert set(statuses) == {403}
    assert not Event.objects.filter(data__source="tracking").exists()
    assert not Suppression.objects.exists()
    assert handoff.message.deliveries.get().state == State.QUEUED
    assert verdict.handed_off == 1


def _basic(secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(secret.encode()).decode()}
