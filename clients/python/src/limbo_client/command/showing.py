"""`limbo status`: a message and what became of it."""

import argparse
import time
from collections.abc import Iterator

from limbo_client.command.exits import Exit
from limbo_client.command.output import as_json, moment, printable
from limbo_client.results import Delivery, MessageDetail
from limbo_client.synchronous import Limbo

_LOOK_EVERY = 0.5
"""Seconds."""


def run_status(limbo: Limbo, options: argparse.Namespace) -> Exit:
    """Tell where the message stands, after its end if asked to wait for it."""
    if options.wait is None:
        message, end = limbo.get(options.id), Exit.DONE
    else:
        message, end = wait_for(limbo, options.id, options.wait)
    print(as_json(message) if options.json else show(message))
    return end


def wait_for(limbo: Limbo, message_id: str, seconds: float) -> tuple[MessageDetail, Exit]:
    """The message once it is settled, or after so many seconds, and what that means."""
    deadline = time.monotonic() + seconds
    while not (message := limbo.get(message_id)).is_settled:
        if time.monotonic() > deadline:
            return message, Exit.UNSETTLED
        time.sleep(_LOOK_EVERY)
    return message, Exit.FAILED if message.is_failed else Exit.DONE


def show(message: MessageDetail) -> str:
    """The message in lines for people."""
    head = [
        f"{message.id} {message.state}",
        f"  {message.subject}",
        f"  from {message.sender}, accepted {moment(message.accepted_at)}",
    ]
    lines = [*head, *(line for one in message.deliveries for line in _lines(one))]
    return "\n".join(printable(line) for line in lines)


def _lines(delivery: Delivery) -> Iterator[str]:
    when = delivery.finalized_at or delivery.due_at
    told = f" {moment(when)}" if when else ""
    yield f"  {delivery.kind} {delivery.address}: {delivery.state}{told}"
    for attempt in delivery.attempts:
        answer = f": {attempt.answer}" if attempt.answer else ""
        yield f"    {moment(attempt.started_at)} {attempt.provider} {attempt.outcome}{answer}"
