"""Limbo's message, written by `django.core.mail` as Django's SMTP backend writes it."""

from typing import cast

from django.core.mail import EmailMessage, SafeMIMEText

from notifications.delivery.addresses import display_name
from notifications.delivery.handoff import Outgoing


def build_mime(outgoing: Outgoing) -> bytes:
    """The whole message, headers and body, with CRLF line ends."""
    by_kind: dict[str, list[str]] = {"to": [], "cc": [], "bcc": []}
    for recipient in outgoing.recipients:
        name, address = recipient.name, recipient.address
        by_kind[recipient.kind].append(f"{name} <{address}>" if name else address)
    name = display_name(outgoing.sender)
    message = EmailMessage(
        outgoing.subject,
        outgoing.text,
        f"{name} <{outgoing.sender_address}>" if name else outgoing.sender_address,
        to=by_kind["to"],
        cc=by_kind["cc"],
        headers={"Message-ID": outgoing.header_message_id},
    )
    mime = cast("SafeMIMEText", message.message())
    return mime.as_bytes(linesep="\r\n")
