"""`limbo tail`: the events as they happen."""

import argparse
import os
from collections import deque
from pathlib import Path

from limbo_client.command.exits import Exit
from limbo_client.command.output import as_line, moment, printable
from limbo_client.feed import END, LONGEST_WAIT
from limbo_client.results import FeedEvent
from limbo_client.synchronous import Limbo


def run_tail(limbo: Limbo, options: argparse.Namespace) -> Exit:
    """Print each event in a line, for ever unless asked not to wait."""
    feed = limbo.events(_cursor(limbo, options), wait=0 if options.no_wait else LONGEST_WAIT)
    _keep(options.cursor_file, feed.cursor)
    for event in feed:
        print(as_line(event) if options.json else _line(event), flush=True)
        _keep(options.cursor_file, feed.cursor)
    _keep(options.cursor_file, feed.cursor)
    return Exit.DONE


def _cursor(limbo: Limbo, options: argparse.Namespace) -> str | None:
    """Where to begin: None is the first event there is."""
    if options.all:
        return None
    return _kept(options.cursor_file) or options.cursor or _present(limbo)


def _present(limbo: Limbo) -> str | None:
    """The cursor of what happens from now on, so that it is known before anything happens."""
    feed = limbo.events(END, wait=0)
    deque(feed, maxlen=0)
    return feed.cursor


def _kept(path: Path | None) -> str:
    return path.read_text(encoding="ascii").strip() if path and path.exists() else ""


def _keep(path: Path | None, cursor: str | None) -> None:
    """Write the cursor, so that the file holds the old one or the new one at any moment."""
    if path is None or cursor is None or _kept(path) == cursor:
        return
    new = path.with_name(f"{path.name}.new")
    new.write_text(f"{cursor}\n", encoding="ascii")
    os.replace(new, path)


def _line(event: FeedEvent) -> str:
    said = [
        str(event.data[name]) for name in ("provider", "reason", "answer") if event.data.get(name)
    ]
    words = [moment(event.at), event.message_id, event.kind, event.recipient or "", *said]
    return printable(" ".join(word for word in words if word))
