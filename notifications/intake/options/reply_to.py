"""`reply_to`: where answers go."""

from notifications.intake.addresses import Mailbox
from notifications.intake.reader import Reader

MAX_REPLY_TO = 10


def read_reply_to(reader: Reader, pointer: str, value: object) -> tuple[Mailbox, ...]:
    """One mailbox, or a list of at most `MAX_REPLY_TO`."""
    if not isinstance(value, list):
        named = [(pointer, value)]
    else:
        named = list(reader.items(pointer, value, most=MAX_REPLY_TO, what="addresses"))
    mailboxes = [reader.mailbox(place, item) for place, item in named]
    return tuple(mailbox for mailbox in mailboxes if mailbox is not None)
