"""`limbo send`."""

import argparse
import sys

from limbo_client.command.exits import Exit
from limbo_client.command.output import as_json
from limbo_client.command.showing import show, wait_for
from limbo_client.mail import Attachment, Mail
from limbo_client.synchronous import Limbo


def run_send(limbo: Limbo, options: argparse.Namespace) -> Exit:
    """Submit the message, tell its id and state, and wait for its end if asked to."""
    submitted = limbo.send(_mail(options), idempotency_key=options.idempotency_key)
    if options.wait is not None:
        message, end = wait_for(limbo, submitted.id, options.wait)
        print(as_json(message) if options.json else show(message))
        return end
    print(as_json(submitted) if options.json else f"{submitted.id} {submitted.state}")
    return Exit.DONE


def _mail(options: argparse.Namespace) -> Mail:
    return Mail(
        sender=options.sender,
        to=options.to,
        cc=options.cc,
        bcc=options.bcc,
        reply_to=options.reply_to,
        subject=options.subject,
        text=_text(options),
        html=options.html.read_text(encoding="utf-8") if options.html else None,
        headers=dict(options.header) or None,
        attachments=[Attachment.from_path(path) for path in options.attach],
        tags=options.tag,
        metadata=dict(options.metadata) or None,
        priority=options.priority,
        send_at=options.send_at,
        expires_at=options.expires_at,
        provider=options.provider,
        template=options.template,
        variables=options.variables,
    )


def _text(options: argparse.Namespace) -> str | None:
    """What is given, or standard input where there is no other body."""
    if options.text is not None or options.html or options.template:
        return str(options.text) if options.text is not None else None
    return sys.stdin.read()
