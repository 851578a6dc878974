"""Row 13: a provider refuses connections."""

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import Attempt, User
from tests.e2e.system import free_port
from tests.faults.row import Row
from tests.faults.steps import first_provider
from tests.peers import SmtpPeer

_MESSAGES = 500


@pytest.mark.quick
@pytest.mark.faults("13", "provider A refuses connections")
def test_all_go_through_the_other_and_staff_see_its_breaker_open(row: Row, sink: SmtpPeer) -> None:
    row.submit(_MESSAGES)
    providers = f"first=smtp://127.0.0.1:{free_port()},second=smtp://127.0.0.1:{sink.port}"
    with row.system(providers) as system:
        system.start_worker()
        row.drain()
        verdict = row.judge(sink)
        log = system.log("worker")
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
    assert first_provider().breaker_until is not None
    assert "Provider first is left alone for 30 s" in log
    page = what_staff_see()
    assert "Connection refused" in page
    assert "left alone for a while" in page or "waits for its probe" in page
    # it was given half of the first batches, and of no other
    assert Attempt.objects.filter(handoff__reading="unreachable").count() < _MESSAGES / 4


def what_staff_see() -> str:
    """The admin's list of providers."""
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client.get(reverse("admin:notifications_provider_changelist")).content.decode()
