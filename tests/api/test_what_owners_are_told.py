"""The API tells an owner what happened, and not what is for staff only."""

import pytest
from django.db import transaction
from django.test import Client

from notifications.history.changes import Change, lock_messages
from notifications.history.in_flight import Planned, commit_in_flight
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome, record_outcomes
from notifications.intake.tokens import issue_token
from notifications.models import Outcome, State
from notifications.models.ids import new_id
from notifications.queue.choices import requeue
from tests.factories import ProviderFactory, UserFactory, make_message

pytestmark = pytest.mark.django_db

TRACEBACK = 'Traceback (most recent call last):\n  File "mime.py", line 1'


def test_tracebacks_and_names_of_staff_stay_with_staff(client: Client) -> None:
    message = make_message()
    provider = ProviderFactory()
    delivery = message.deliveries.get()
    plan = Planned(new_id(), str(message.id), provider.id, provider.name, (str(delivery.id),))
    failed = AttemptOutcome(
        Change(delivery.id, State.FAILED), Outcome.REFUSED, "unbuildable", answer=TRACEBACK
    )
    with transaction.atomic():
        lock_messages([message.id])
        commit_in_flight([plan])
        record_outcomes([HandoffOutcome(plan.handoff_id, message.id, [failed])])
    requeue([message.id], by=UserFactory(username="sven.support"), reason="mended")
    _, token = issue_token(owner=message.owner, name="test")

    answer = client.get(f"/v1/mail/{message.id}", headers={"Authorization": f"Bearer {token}"})

    told = answer.json()
    assert told["deliveries"][0]["attempts"][0]["reading"] == "unbuildable"
    assert told["deliveries"][0]["attempts"][0]["answer"] == ""
    assert told["events"][-1]["data"] == {"reason": "mended", "by": "Support"}
    assert b"sven.support" not in answer.content
