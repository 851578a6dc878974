"""Row 29: a message that kills each worker that takes it up."""

import pytest

from notifications.delivery.poison import POISON_DEATHS
from notifications.models import Delivery, Event, Message, State
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.faults.supervisor import Supervisor
from tests.peers import SmtpPeer

_MESSAGES = 20


@pytest.mark.quick
@pytest.mark.faults("29", "a message that crashes the worker (poison)")
def test_poison_is_a_dead_letter_and_the_rest_of_its_batch_is_sent_once(
    row: Row, sink: SmtpPeer
) -> None:
    row.submit(_MESSAGES)
    with row.system(by_smtp(sink), LIMBO_THREADS="1") as system:
        system.arm("build[Message 9]=kill*")
        with Supervisor(system):
            row.drain(seconds=180)
            verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES - 1, 0)
    dead = Delivery.objects.get(state=State.DEAD)
    assert dead.message.subject == "Message 9"
    assert dead.message.deaths == POISON_DEATHS
    assert Event.objects.get(kind=State.DEAD).data["reason"] == "poison"
    assert not Message.objects.exclude(id=dead.message_id).filter(deaths__gt=1).exists()
