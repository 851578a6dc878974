"""Some of the messages, made up one after the other; any process can make any chunk."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from limbo.local.demo_data import words
from limbo.local.demo_data.rows import Letter, Rows
from limbo.local.demo_data.stories import Story, story_of
from limbo.local.demo_data.telling import NotYetError, Recipient, Telling, Way, new_id
from limbo.local.demo_data.times import DAY, DAYS
from limbo.local.demo_data.words import Business, Topic
from notifications.models.state import OPEN, State

_WITH_METADATA = 0.3
_ASKED_IN_VAIN = 0.02
"""Requests beside those that were accepted, which were refused."""

_TO = 2
"""Recipients that are named in To; the others are in Cc."""

_RARE_PERIOD = 150_001
_RARE_OFFSET = 700
_OLD_SHARE = 0.2
"""Of the messages of the first `_OLD_DAYS`."""
_OLD_DAYS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What all chunks have in common."""

    count: int
    """Messages in all."""
    now: int
    owners: dict[str, int]
    """The ids of the users, by their names."""
    ways: tuple[Way, ...]
    """The providers."""
    seed: int
    stays: bool
    """What is not sent yet is for providers that are none: a real worker must not send it."""

    @property
    def people(self) -> int:
        """How many different recipients there are, those aside who get no mail any more."""
        return max(20, self.count // 5)


def make_chunk(plan: Plan, first: int, arrivals: Sequence[int]) -> dict[str, str]:
    """The rows of the messages from the `first` on that come at `arrivals`, as COPY takes them."""
    rows = Rows()
    random = Random(plan.seed + first)
    businesses = [one for one in words.BUSINESSES if one.username in plan.owners]
    weights = [business.weight for business in businesses]
    for number, at in enumerate(arrivals, first):
        (business,) = random.choices(businesses, weights)
        _add_message(rows, plan, random, business, number, at)
    return rows.texts()


def _add_message(
    rows: Rows, plan: Plan, random: Random, business: Business, number: int, at: int
) -> None:
    owner_id = plan.owners[business.username]
    story = story_of(number, plan.count, random)
    id_ = new_id(random, at)
    recipients = _recipients(plan, random, story, id_, at)
    tell = Telling(random, id_, at, plan.now, recipients, business.username)
    tell.note("accepted")
    ways = _ways(plan, random)
    with suppress(NotYetError):
        story(tell, ways)
    topic = _topic(plan, random, business, number, at)
    only = ways[0].name if plan.stays and tell.state in OPEN else ""
    rows.add(_letter(random, business, owner_id, topic, recipients[0].name, only), tell)
    rows.add_request(owner_id, at, 200, id_, new_id(random, at))
    if random.random() < _ASKED_IN_VAIN:
        status = random.choice((400, 422, 429))
        rows.add_request(owner_id, at, status, None, new_id(random, at))
    for one in recipients:
        if one.state in (State.BOUNCED, State.COMPLAINED, State.SUPPRESSED):
            # who was suppressed at once has come back before
            since = plan.now - DAYS * DAY if one.state is State.SUPPRESSED else tell.at
            reason = "complained" if one.state is State.COMPLAINED else "bounced"
            rows.add_suppression(new_id(random, at), owner_id, one.address, reason, since)


def _ways(plan: Plan, random: Random) -> list[Way]:
    """The providers, in the order in which they are asked."""
    first = random.choices(plan.ways, [3 if way.is_http else 2 for way in plan.ways])[0]
    return [first, *(way for way in plan.ways if way is not first)]


def _topic(plan: Plan, random: Random, business: Business, number: int, at: int) -> Topic:
    if number % _RARE_PERIOD == _RARE_OFFSET:
        return words.RARE_TOPIC
    if at < plan.now - (DAYS - _OLD_DAYS) * DAY and random.random() < _OLD_SHARE:
        return words.OLD_TOPIC
    return random.choice(business.topics)


def _letter(
    random: Random, business: Business, owner_id: int, topic: Topic, name: str, only: str
) -> Letter:
    number = random.randint(100_000, 9_999_999)
    values = {
        "number": number,
        "name": name.partition(" ")[0],
        "city": random.choice(words.CITIES),
        "month": random.choice(words.MONTHS),
        "day": random.choice(words.DAYS),
    }
    return Letter(
        owner_id,
        business.sender,
        business.address,
        topic.subject.format(**values),
        topic.text.format(**values),
        topic.tag,
        f'{{"reference": "{number}"}}' if random.random() < _WITH_METADATA else None,
        only,
    )


def _recipients(plan: Plan, random: Random, story: Story, id_: str, at: int) -> list[Recipient]:
    count = random.choices((1, 2, 3, 5), (88, 8, 3, 1))[0]
    # whose address gets no mail any more is nobody that gets mail later
    is_last = story.__name__ in ("bounced", "complained", "suppressed")
    found = []
    for place, number in enumerate(random.sample(range(plan.people), count)):
        name, mailbox = _person(number)
        user, _, domain = mailbox.partition("@")
        address = f"{user}-{id_[-12:]}@{domain}" if is_last else mailbox
        kind, position = ("to", place) if place < _TO else ("cc", place - _TO)
        found.append(
            Recipient(new_id(random, at), kind, position, address, name, State.PENDING, due_at=at)
        )
    return found


def _person(number: int) -> tuple[str, str]:
    """The name and the address of one of the recipients."""
    first = words.FIRST_NAMES[number % len(words.FIRST_NAMES)]
    last = words.LAST_NAMES[number % len(words.LAST_NAMES)]
    suffix = number // (len(words.FIRST_NAMES) * len(words.LAST_NAMES))
    domain = words.MAIL_DOMAINS[number * 7 % len(words.MAIL_DOMAINS)]
    user = f"{first}.{last}{suffix or ''}".lower()
    return f"{first} {last}", f"{user}@{domain}"
