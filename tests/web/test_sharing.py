"""Links that show a message's status without a sign-in."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from notifications.delivery.reading import Reading
from notifications.history import sharing
from notifications.history.sharing import key_of, share
from notifications.models import Delivery, Message, RecipientKind, SharedLink, User
from tests.stories import accepted, answered, deliveries_of, handed_over

WEEK = timedelta(days=7)


def made(message: Message, delivery: Delivery | None = None) -> SharedLink:
    with transaction.atomic():
        return share(message, delivery=delivery, lasts=WEEK)


def address_of(link: SharedLink) -> str:
    return f"/shared/{key_of(link)}/"


def refused(owner: User) -> Message:
    """A message to three people, of whom the last is in bcc; refused by the provider."""
    message = accepted(owner, "bob@example.org", "carol@example.net", "dan@example.com")
    Delivery.objects.filter(id=deliveries_of(message)[2].id).update(kind=RecipientKind.BCC)
    answered(handed_over(message), Reading.MESSAGE_REFUSED, code=554, answer="policy 7")
    return message


def test_a_link_is_made_followed_by_a_stranger_and_revoked(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org", subject="Your invoice")
    (delivery,) = deliveries_of(message)
    page = f"/messages/{message.id}/links/"
    assertContains(signed_in.get(f"/messages/{message.id}/"), page)
    assertRedirects(signed_in.post(page, {"recipient": delivery.id, "lasts": "7"}), page)
    shown = unescape(signed_in.get(page).content.decode())
    (path,) = re.findall(r'href="http://127\.0\.0\.1:8000(/shared/[^"]+)"', shown)
    stranger = Client()
    assertContains(stranger.get(path), "This is not over yet")
    answered(handed_over(message))
    answer = stranger.get(path)
    for told in ("Your invoice", "bob@example.org", "On its way"):
        assertContains(answer, told)
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    link = SharedLink.objects.get()
    assertRedirects(signed_in.post(f"/links/{link.id}/revoke/"), page)
    assertContains(stranger.get(path), "This link has ended", status_code=410)
    assertContains(signed_in.get(page), "revoked")


def test_it_tells_neither_what_is_said_nor_answers_nor_providers(client: Client, ada: User) -> None:
    message = refused(ada)
    for delivery in (None, deliveries_of(message)[0]):
        page = client.get(address_of(made(message, delivery)))
        assertContains(page, "Could not be sent")
        for hidden in ("your invoice is ready", "policy 7", "554", "sink", "ada"):
            assertNotContains(page, hidden)


def test_a_link_to_all_masks_everybody_and_leaves_bcc_out(client: Client, ada: User) -> None:
    page = client.get(address_of(made(refused(ada))))
    for told in ("b•••@example.org", "c•••@example.net"):
        assertContains(page, told)
    for hidden in ("bob@", "carol@", "dan@", "d•••"):
        assertNotContains(page, hidden)


def test_a_link_to_one_masks_the_others_and_leaves_bcc_out(client: Client, ada: User) -> None:
    message = refused(ada)
    page = client.get(address_of(made(message, deliveries_of(message)[0])))
    for told in ("bob@example.org", "Also to c•••@example.net"):
        assertContains(page, told)
    for hidden in ("carol@", "dan@", "d•••"):
        assertNotContains(page, hidden)


def test_it_ends_by_itself(client: Client, ada: User) -> None:
    link = made(accepted(ada, "bob@example.org", subject="over"))
    SharedLink.objects.filter(id=link.id).update(expires_at=timezone.now())
    assertNotContains(client.get(address_of(link)), "over", status_code=410)


def test_a_key_that_nobody_signed_opens_nothing(client: Client, ada: User) -> None:
    link = made(accepted(ada, "bob@example.org"))
    name, signature = key_of(link).split(".")
    other = key_of(made(accepted(ada, "bob@example.org"))).split(".")[0]
    for key in (name, f"{name}.x", f"{other}.{signature}", "nothing"):
        assert client.get(f"/shared/{key}/").status_code == 404


def test_links_of_a_closed_account_show_nothing(client: Client, ada: User) -> None:
    link = made(accepted(ada, "bob@example.org"))
    User.objects.update(is_active=False)
    assert client.get(address_of(link)).status_code == 404


def test_anothers_links_are_not_there(signed_in: Client, eve: User) -> None:
    message = accepted(eve, "bob@example.org")
    link = made(message)
    page = f"/messages/{message.id}/links/"
    answers = [signed_in.get(page), signed_in.post(page, {"lasts": "7"})]
    answers.append(signed_in.post(f"/links/{link.id}/revoke/"))
    assert {answer.status_code for answer in answers} == {404}
    assert SharedLink.objects.get().revoked_at is None


def test_a_link_shows_only_recipients_of_its_message(signed_in: Client, ada: User) -> None:
    message, other = accepted(ada, "bob@example.org"), accepted(ada, "carol@example.org")
    fields = {"recipient": deliveries_of(other)[0].id, "lasts": "7"}
    assertContains(signed_in.post(f"/messages/{message.id}/links/", fields), 'role="alert"')
    assert not SharedLink.objects.exists()


def test_a_message_has_only_so_many_open_links(
    signed_in: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "MOST_OPEN", 1)
    message = accepted(ada, "bob@example.org")
    made(message)
    page = signed_in.post(f"/messages/{message.id}/links/", {"lasts": "7"})
    assertContains(page, "too many open links")
    assert SharedLink.objects.count() == 1
