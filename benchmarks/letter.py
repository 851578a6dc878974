"""The message that everybody sends: one recipient, a body of 1,000 octets, plain ASCII."""

SENDER = "app@example.com"
SUBJECT = "Your order has been shipped"
_LINE = "The parcel is on its way and will reach you within two working days.\n"
BODY = (_LINE * 15)[:999] + "\n"


def recipient(number: int) -> str:
    """The address of the message `number`."""
    return f"user{number}@example.com"


def ready_made(number: int) -> bytes:
    """The message as bytes, for those who build nothing."""
    head = (
        f"Subject: {SUBJECT}\r\nFrom: {SENDER}\r\nTo: {recipient(number)}\r\n"
        "Date: Wed, 01 Jan 2025 12:00:00 +0000\r\n"
        f"Message-ID: <{number}@example.com>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n'
    )
    return (head + BODY.replace("\n", "\r\n")).encode()
