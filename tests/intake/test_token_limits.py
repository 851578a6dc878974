"""A limited token sends only as whom it may, and is used only from where it may."""

import pytest

from notifications.intake.errors import ImpossibleRequestError
from notifications.intake.templates.shelf import Shelf
from notifications.intake.token_limits import may_come_from, read_allowed
from notifications.models import ApiToken, User


@pytest.mark.parametrize(
    ("allowed", "sender", "may"),
    [
        ([], "anyone@example.com", True),
        (["app@example.com"], "app@example.com", True),
        (["app@example.com"], "App@EXAMPLE.com", True),
        (["app@example.com"], "Shop <app@example.com>", True),
        (["app@example.com"], "other@example.com", False),
        (["example.com"], "anyone@example.com", True),
        (["Example.com"], "anyone@example.com", True),
        (["example.com"], "anyone@mail.example.com", False),
        (["example.com"], "anyone@notexample.com", False),
        (["example.org", "app@example.com"], "app@example.com", True),
        (["bücher.example"], "ada@xn--bcher-kva.example", True),
    ],
)
def test_a_sender_is_allowed_by_address_or_domain(
    allowed: list[str], sender: str, may: bool
) -> None:
    token = ApiToken(allowed_senders=allowed)
    fields = {"from": sender, "to": "ada@example.org", "subject": "Hello", "message": "Hello."}
    if may:
        read_allowed(fields, token=token, shelf=Shelf(User()))
        return
    with pytest.raises(ImpossibleRequestError) as refused:
        read_allowed(fields, token=token, shelf=Shelf(User()))
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.code) == ("/from", "sender_not_allowed")
    assert "sender not allowed" in fault.detail


@pytest.mark.parametrize(
    ("allowed", "address", "may"),
    [
        (["192.0.2.0/24"], "192.0.2.7", True),
        (["192.0.2.0/24"], "192.0.3.7", False),
        (["192.0.2.7/32"], "192.0.2.7", True),
        (["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
        (["2001:db8::/32"], "192.0.2.7", False),
        (["0.0.0.0/0"], None, False),
    ],
)
def test_an_address_is_allowed_by_its_network(
    allowed: list[str], address: str | None, may: bool
) -> None:
    assert may_come_from(ApiToken(allowed_networks=allowed), address) is may
