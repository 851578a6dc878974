"""A local SMTP server that delivers to nobody: what it takes lies in a Maildir.

`python -m limbo.local.sink --port 2525 --inbox var/inbox`
"""

import argparse
import asyncio
import itertools
import os
import signal
import socket
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
LARGEST = 64 * 1024 * 1024
"""Bytes of one message; more than Limbo accepts, with its attachments encoded."""


class Inbox:
    """A Maildir (https://cr.yp.to/proto/maildir.html) that keeps every message as it came.

    Above it stand `X-MailFrom` and, for each recipient of the envelope, `X-RcptTo`: a Bcc shows
    nowhere else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = itertools.count(1)
        for part in ("tmp", "new", "cur"):
            (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Aiosmtpd's hook: keep a message, and answer only then."""
        name = f"{time.time_ns()}.M{os.getpid()}Q{next(self._count)}.{socket.gethostname()}"
        fresh = self._folder / "tmp" / name
        fresh.write_bytes(_envelope_lines(envelope) + (envelope.original_content or b""))
        fresh.rename(self._folder / "new" / name)
        recipients = ", ".join(envelope.rcpt_tos)
        print(f"took a message from {envelope.mail_from} to {recipients}", flush=True)
        return "250 2.0.0 Ok: kept in the local inbox"


def _envelope_lines(envelope: Envelope) -> bytes:
    lines = [f"X-MailFrom: {envelope.mail_from or ''}"]
    lines += [f"X-RcptTo: {recipient}" for recipient in envelope.rcpt_tos]
    return "".join(f"{line}\r\n" for line in lines).encode()


async def serve(port: int, inbox: Path) -> None:
    """Take messages on `port` of 127.0.0.1 until SIGTERM or SIGINT. Raises OSError: port in use."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    keeper = Inbox(inbox)

    def session() -> SMTP:
        # by default every session looks the host's name up in the DNS
        return SMTP(
            keeper,
            hostname="localhost",
            ident="Limbo's local inbox",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            loop=loop,
        )

    server = await loop.create_server(session, HOST, port, backlog=1024)
    print(f"listens on {HOST}:{port}, keeps messages in {inbox}", flush=True)
    await end.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Keep every message in a Maildir.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--inbox", type=Path, required=True)
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.port, options.inbox))
    except OSError as error:
        raise SystemExit(f"the local inbox cannot listen on port {options.port}: {error}") from None


if __name__ == "__main__":
    main()
