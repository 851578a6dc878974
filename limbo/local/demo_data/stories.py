"""What becomes of messages: most are delivered, and some of everything else happens."""

from collections.abc import Callable, Sequence
from random import Random

from limbo.local.demo_data.telling import Handoff, Telling, Way, data_of
from limbo.local.demo_data.times import DAY, HOUR, SECOND
from notifications.delivery.reading import Reading
from notifications.delivery.retry import DELAYS
from notifications.models.state import State

STAFF = "admin"

Ways = Sequence[Way]
"""In the order in which they are asked."""


def delivered(tell: Telling, ways: Ways) -> None:
    """Taken at the first try; whoever reports says that it arrived."""
    _arrive(tell, _take(tell, ways[0]))


def failed_over(tell: Telling, ways: Ways) -> None:
    """The first provider cannot be reached, or takes no more; the second does."""
    if tell.random.random() < 0.5:
        _refuse(tell, ways[0], Reading.UNREACHABLE, None, "timed out")
    else:
        _refuse(tell, ways[0], Reading.EXHAUSTED, 429, "Too many requests")
    _arrive(tell, _take(tell, ways[1]))


def put_off(tell: Telling, ways: Ways) -> None:
    """Nobody takes it at first."""
    for number in range(tell.random.randint(1, 3)):
        _try_all(tell, ways, number)
    _arrive(tell, _take(tell, ways[0]))


def given_up(tell: Telling, ways: Ways) -> None:
    """Nobody takes it until its deadline."""
    number = 0
    while tell.due_at is not None and tell.due_at < tell.expires_at:
        _try_all(tell, ways, number)
        number += 1
    for one in tell.recipients:
        tell.move(one, State.DEAD, data_of(reason="deadline"))


def expired(tell: Telling, _ways: Ways) -> None:
    """No provider could be asked before its deadline, which was soon."""
    tell.expires_at = tell.accepted_at + HOUR
    tell.wait(HOUR / SECOND)
    for one in tell.recipients:
        tell.move(one, State.EXPIRED, data_of(reason="deadline"))


def bounced(tell: Telling, ways: Ways) -> None:
    """It came back."""
    _take(tell, _reporting(ways))
    for one in tell.recipients:
        tell.wait(tell.random.uniform(2, 900))
        tell.report(one, State.BOUNCED, "550 5.1.1 No such mailbox")


def complained(tell: Telling, ways: Ways) -> None:
    """It arrived, and its reader marked it as spam."""
    handoff = _take(tell, _reporting(ways))
    _arrive(tell, handoff)
    tell.wait(tell.random.uniform(600, 90_000))
    tell.report(tell.recipients[0], State.COMPLAINED)


def deferred(tell: Telling, ways: Ways) -> None:
    """The recipient's server puts it off, often for as long as the provider tries."""
    handoff = _take(tell, _reporting(ways))
    for one in tell.recipients:
        tell.wait(tell.random.uniform(5, 60))
        tell.report(one, State.DEFERRED, "452 4.2.2 Mailbox full")
    if tell.random.random() < 0.7:
        tell.wait(tell.random.uniform(1800, 40_000))
        _arrive(tell, handoff)


def rejected(tell: Telling, ways: Ways) -> None:
    """The server refuses one of the recipients, and takes it for the others."""
    way = _smtp(ways)
    handoff = tell.hand_over(way)
    tell.wait(tell.random.uniform(0.05, 1))
    for attempt in handoff.attempts[:-1]:
        tell.end_attempt(handoff, attempt, way.reading, way.code, "2.0.0 OK")
    refusal = "5.7.1 Recipient refused"
    tell.end_attempt(handoff, handoff.attempts[-1], Reading.RECIPIENT_REFUSED, 550, refusal)


def failed(tell: Telling, ways: Ways) -> None:
    """The message itself is refused for good."""
    if ways[0].is_http:
        _refuse(tell, ways[0], Reading.MESSAGE_REFUSED, 422, "The subject is not allowed")
    else:
        _refuse(tell, ways[0], Reading.MESSAGE_REFUSED, 554, "5.7.1 Message refused")


def requeued(tell: Telling, ways: Ways) -> None:
    """Refused, until somebody mended what was wrong and sent it again."""
    failed(tell, ways)
    tell.wait(tell.random.uniform(1800, 80_000))
    tell.choose_again(STAFF, "The sender's domain is verified now.")
    _arrive(tell, _take(tell, ways[1]))


def in_doubt(tell: Telling, ways: Ways) -> None:
    """Nobody knows whether the provider took it; often somebody settles it."""
    way = _smtp(ways)
    _refuse(tell, way, Reading.AMBIGUOUS, None, "Connection unexpectedly closed")
    if tell.random.random() < 0.6:
        tell.wait(tell.random.uniform(3600, 150_000))
        tell.choose_again(STAFF, "The provider's log does not know it.")
        _arrive(tell, _take(tell, ways[0]))


def scheduled(tell: Telling, ways: Ways) -> None:
    """Sent at the time that was asked for."""
    _wait_until(tell, _begin_later(tell))
    for one in tell.recipients:
        tell.move(one, State.PENDING, "{}")
    _arrive(tell, _take(tell, ways[0]))


def cancelled(tell: Telling, _ways: Ways) -> None:
    """Stopped by its owner before its time came."""
    send_at = _begin_later(tell)
    tell.wait(tell.random.uniform(0.1, 0.9) * (send_at - tell.at) / SECOND)
    for one in tell.recipients:
        tell.move(one, State.CANCELLED, data_of(by=tell.owner))


def held(tell: Telling, _ways: Ways) -> None:
    """Held back."""
    for one in tell.recipients:
        one.state, one.due_at = State.HELD, None


def suppressed(tell: Telling, _ways: Ways) -> None:
    """Its address gets no mail, since an earlier message came back."""
    for one in tell.recipients:
        tell.move(one, State.SUPPRESSED, data_of(reason="bounced"))


def waiting(_tell: Telling, _ways: Ways) -> None:
    """Waits for a worker."""


def on_its_way(tell: Telling, ways: Ways) -> None:
    """A worker has just handed it over."""
    tell.at = max(tell.at, tell.now - SECOND)
    tell.hand_over(ways[0])


Story = Callable[[Telling, Ways], None]

STORIES: dict[Story, float] = {
    delivered: 88,
    failed_over: 4,
    put_off: 2.5,
    bounced: 1.6,
    scheduled: 1,
    deferred: 0.6,
    suppressed: 0.5,
    rejected: 0.5,
    cancelled: 0.2,
    complained: 0.2,
    failed: 0.15,
    requeued: 0.15,
    given_up: 0.1,
    in_doubt: 0.05,
    expired: 0.04,
    held: 0.02,
}
"""With how many of a hundred messages it happens."""

_EACH = tuple(STORIES)
_WEIGHTS = tuple(STORIES.values())
_PERIOD = 1500
"""Of so many messages each story is told at least once."""

_WAITING = 12
"""Messages at the end that no worker has taken up yet."""

_TO_COME = 5
"""Messages before them whose time has not come."""


def story_of(number: int, count: int, random: Random) -> Story:
    """What becomes of one of `count` messages, the `number`th of them."""
    if number == count - 1:
        return on_its_way
    if number >= count - 1 - _WAITING:
        return waiting
    if number >= count - 1 - _WAITING - _TO_COME:
        return scheduled
    if number % _PERIOD < len(_EACH):
        return _EACH[number % _PERIOD]
    return random.choices(_EACH, _WEIGHTS)[0]


def _take(tell: Telling, way: Way) -> Handoff:
    """Hand it to a provider that takes it."""
    handoff = tell.hand_over(way)
    tell.end(handoff, way.reading, way.code, "OK" if way.is_http else "2.0.0 OK: queued")
    if way.is_http:
        digits = f"{tell.random.getrandbits(128):032x}"
        handoff.provider_message_id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:]}"
    return handoff


def _refuse(tell: Telling, way: Way, reading: Reading, code: int | None, answer: str) -> None:
    """Hand it to a provider that does not take it, or does not say so."""
    tell.end(tell.hand_over(way), reading, code, answer)


def _try_all(tell: Telling, ways: Ways, number: int) -> None:
    """A round in which nobody takes it, and the wait after it."""
    for way in ways:
        _refuse(tell, way, Reading.TEMPORARY, 451, "4.3.0 Try again later")
    tell.put_off(DELAYS[min(number, len(DELAYS) - 1)] * tell.random.uniform(0.5, 1))
    _wait_until(tell, tell.due_at or tell.at)


def _arrive(tell: Telling, handoff: Handoff) -> None:
    """Have those providers that report say that it arrived."""
    if not handoff.way.is_http or tell.random.random() < 0.03:
        return
    for one in tell.recipients:
        tell.wait(tell.random.uniform(1, 40))
        tell.report(one, State.DELIVERED)


def _begin_later(tell: Telling) -> int:
    """Schedule it for some time of the next day; returns when."""
    at = tell.accepted_at + tell.random.randint(HOUR, HOUR + DAY)
    tell.schedule(at)
    return at


def _wait_until(tell: Telling, at: int) -> None:
    tell.wait((at - tell.at) / SECOND)


def _reporting(ways: Ways) -> Way:
    return next(way for way in ways if way.is_http)


def _smtp(ways: Ways) -> Way:
    return next(way for way in ways if not way.is_http)
