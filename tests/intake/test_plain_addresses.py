"""Plain addresses are read without the library, which would read them no differently."""

import string

from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifications.intake.addresses import AddressError, Mailbox, read_mailbox

_LOCAL = st.from_regex(r"\A[a-z0-9'+_=-]{1,20}(\.[A-Z0-9!#$]{1,20}){0,3}\Z") | st.text(
    string.ascii_letters + string.digits + "._-+!#'/=?^`{|}~$%&*\" @ä", max_size=66
)
_DOMAIN = st.from_regex(r"\A([a-zA-Z0-9-]{1,63}\.){1,3}[a-z0-9-]{1,10}\Z") | st.text(
    string.ascii_letters + string.digits + ".-_xn ä", max_size=70
)


def by_the_library(address: str) -> Mailbox | None:
    """What the library makes of it."""
    try:
        checked = validate_email(address, strict=True, check_deliverability=False)
    except EmailNotValidError:
        return None
    return Mailbox(checked.normalized, "", checked.ascii_domain)


@settings(max_examples=500)
@given(_LOCAL, _DOMAIN)
@example("a", "Example.ORG")
@example("a" * 64, "example.org")
@example("a" * 65, "example.org")
@example("a", "a." * 126 + "org")
@example("a" * 64, f"{'b' * 63}.{'c' * 63}.{'d' * 58}.org")
@example("a" * 64, f"{'b' * 63}.{'c' * 63}.{'d' * 57}.org")
@example("a", f"{'b' * 63}.org")
@example("a", f"{'b' * 64}.org")
@example("a", "xn--mnchen-3ya.de")
@example("a", "ab--c.de")
@example("a", "example.1a")
@example("a", "example.a1")
@example("a", "localhost")
@example("a", "-a.org")
@example("a", "a-.org")
@example("a.", "example.org")
@example(".a", "example.org")
@example("a..b", "example.org")
@example("a", "example.org.")
@example("a_b", "exa_mple.org")
def test_an_address_is_read_as_the_library_reads_it(local: str, domain: str) -> None:
    address = f"{local}@{domain}".strip()
    if "<" in address:
        return
    try:
        read: Mailbox | None = read_mailbox(address)
    except AddressError:
        read = None
    assert read == by_the_library(address)
