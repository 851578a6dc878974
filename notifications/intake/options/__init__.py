"""What a submission may say beyond addresses, subject and text: one reader a field.

A reader gets the value as it was given, never null, and returns what it means; where it is of no
use, the reader notes why and returns None.
"""

from collections.abc import Callable, Mapping
from typing import Any

from notifications.intake.options.attachments import read_attachments
from notifications.intake.options.headers import read_headers
from notifications.intake.options.html import read_html
from notifications.intake.options.labels import read_metadata, read_tags
from notifications.intake.options.reply_to import read_reply_to
from notifications.intake.options.routing import read_failover, read_on_uncertain, read_provider
from notifications.intake.options.times import read_time
from notifications.intake.reader import Reader

OPTIONS: Mapping[str, Callable[[Reader, str, object], Any]] = {
    "html": read_html,
    "reply_to": read_reply_to,
    "headers": read_headers,
    "attachments": read_attachments,
    "tags": read_tags,
    "metadata": read_metadata,
    "send_at": read_time,
    "expires_at": read_time,
    "on_uncertain": read_on_uncertain,
    "provider": read_provider,
    "failover": read_failover,
}
"""By field, which is also the name of MailRequest's attribute; with the field's pointer."""
