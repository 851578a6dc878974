"""What a submission says beyond addresses, subject and text, as the tables take it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from psycopg.types.numeric import Int4

from notifications.intake.mail_request import MailRequest
from notifications.intake.options.attachments import AttachedFile
from notifications.intake.options.times import LIFETIME
from notifications.models import Attachment, State


def option_parameters(request: MailRequest) -> Mapping[str, Any]:
    """The columns of Message and Content; NULL stands for what the request does not say."""
    send_at = request.send_at
    return {
        "lifetime": LIFETIME,
        "send_at": send_at,
        "expires_at": request.expires_at,
        "state": (State.PENDING if send_at is None else State.SCHEDULED).value,
        "accepted": "{}" if send_at is None else Jsonb({"send_at": send_at.isoformat()}),
        "html": request.html,
        "attached_octets": Int4(sum(len(file.content) for file in request.attachments)),
        "reply_to": [str(mailbox) for mailbox in request.reply_to] or None,
        "headers": Jsonb(request.headers) if request.headers else None,
        "tags": list(request.tags) or None,
        "metadata": Jsonb(dict(request.metadata)) if request.metadata else None,
        "on_uncertain": request.on_uncertain.value,
        "provider": request.provider,
        "failover": request.failover,
        "template_version": request.template and request.template.version_id,
        "is_test": request.is_test,
    }


def store_files(messages: Iterable[tuple[UUID, Sequence[AttachedFile]]]) -> None:
    """Store messages' files, in their transaction; nothing happens where there are none."""
    rows = [
        Attachment(
            message_id=message_id,
            position=position,
            name=file.name,
            type=file.type,
            content_id=file.content_id,
            content=file.content,
        )
        for message_id, files in messages
        for position, file in enumerate(files)
    ]
    if rows:
        Attachment.objects.bulk_create(rows)
