"""One message's page."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.delivery.reading import Reading
from notifications.models import (
    Attachment,
    Event,
    Handoff,
    Message,
    OnUncertain,
    Priority,
    State,
    User,
)
from tests.factories import (
    ApiTokenFactory,
    RequestLogFactory,
    TemplateFactory,
    TemplateVersionFactory,
)
from tests.stories import accepted, answered, deliveries_of, handed_over, moved

QUERIES = 11
"""What the page costs: the session, the reader and permissions, and each table once."""


def page_of(message: Message) -> str:
    return reverse("admin:notifications_message_change", args=[message.pk])


def read(client: Client, message: Message) -> str:
    """The page's text, its white space made even."""
    return " ".join(client.get(page_of(message)).content.decode().split())


@pytest.fixture
def mixed(owner: User) -> Message:
    """Delivered to one; refused for another; the third waits."""
    message = accepted(owner, "ada@example.org", "bob@example.org", "carol@example.org")
    first, second, third = deliveries_of(message)
    planned = handed_over(message, to="relay", deliveries=[first])
    answered(planned)
    Handoff.objects.filter(id=planned.handoff_id).update(provider_message_id="esp-77")
    moved(first, State.DELIVERED, provider="relay", source="tracking", report_id="1")
    answered(
        handed_over(message, to="relay", deliveries=[second]),
        Reading.RECIPIENT_REFUSED,
        code=550,
        answer="5.1.1 <bob@example.org>: unknown user",
    )
    waiting = handed_over(message, to="relay", deliveries=[third])
    answered(waiting, Reading.TEMPORARY, code=451, answer="4.7.1 Greylisted", wait=300)
    return message


def test_the_page_says_in_plain_words_what_became_of_the_message(
    viewer: Client, mixed: Message
) -> None:
    page = read(viewer, mixed)
    assert "Delivered to 1 of 3; one is waiting and will be tried again at" in page
    assert "relay refused this recipient for good (550 5.1.1 &lt;bob@example.org&gt;" in page
    assert "It will be tried again <time" in page
    assert "Limbo accepted the message." in page
    assert "<dt>Priority</dt> <dd> normal </dd>" in page
    assert "esp-77" in page
    assert mixed.header_message_id.strip("<>") in page


def test_the_providers_own_words_are_folded(viewer: Client, mixed: Message) -> None:
    page = read(viewer, mixed)
    folded = '<details> <summary>Raw answer</summary> <pre tabindex="0">451 4.7.1 Greylisted</pre>'
    # with the attempt, and with the line of history
    assert page.count(folded) == 2


def test_what_became_of_an_only_recipient_is_said_to_the_second(
    viewer: Client, owner: User
) -> None:
    message = accepted(owner, "ada@example.org")
    answered(handed_over(message, to="relay"))
    at = Event.objects.get(message=message, kind=State.SENT).at
    said = f"relay took it at {at:%H:%M:%S} UTC; not yet known to be delivered."
    page = read(viewer, message)
    assert f'<p class="lb-headline">{said}</p>' in page
    assert re.search(rf"since <time [^>]*>{at:%H:%M:%S} UTC</time>", page)


def test_the_request_that_made_the_message_is_named_with_its_token(
    viewer: Client, mixed: Message
) -> None:
    assert "None of its own is known" in read(viewer, mixed)
    token = ApiTokenFactory(owner=mixed.owner, name="shop checkout", revoked_at=timezone.now())
    row = RequestLogFactory(
        method="POST",
        message_id=mixed.id,
        address="203.0.113.7",
        token_id=token.id,
        request_id=uuid4(),
    )
    # a repeat of the same request, which made nothing
    RequestLogFactory(method="POST", message_id=mixed.id, address="203.0.113.8")
    page = read(viewer, mixed)
    assert reverse("admin:notifications_requestlog_change", args=[row.pk]) in page
    assert "POST /v1/mail" in page
    assert "<dt>Token</dt> <dd> shop checkout </dd>" in page
    assert '200 <span class="lb-soft">after 7 ms</span>' in page
    assert "203.0.113.7" in page
    assert "203.0.113.8" not in page
    assert f'data-copy="{row.request_id}"' in page


def test_who_may_see_tokens_is_led_to_the_one_that_made_the_message(
    support: Client, mixed: Message
) -> None:
    token = ApiTokenFactory(owner=mixed.owner, name="shop checkout", revoked_at=timezone.now())
    RequestLogFactory(message_id=mixed.id, token_id=token.id)
    page = read(support, mixed)
    assert (
        f'{reverse("admin:notifications_apitoken_change", args=[token.pk])}">shop checkout' in page
    )
    assert "lk_abcdefgh…, revoked" in page


def test_every_id_can_be_copied(viewer: Client, mixed: Message) -> None:
    page = read(viewer, mixed)
    handoffs = [str(id_) for id_ in Handoff.objects.values_list("id", flat=True)]
    assert len(handoffs) == 3
    header = mixed.header_message_id.replace("<", "&lt;").replace(">", "&gt;")
    for id_ in (str(mixed.id), header, "esp-77", *handoffs):
        assert page.count(f'data-copy="{id_}"') == 1
    assert 'aria-label="Copy: Id at relay"' in page
    assert page.count("<dt>Hand-off to relay, ") == 3


def test_what_the_request_asked_for_is_shown(viewer: Client, owner: User) -> None:
    message = accepted(owner, "ada@example.org")
    template = TemplateFactory(owner=owner, name="invoice", version=3)
    Message.objects.filter(id=message.id).update(
        reply_to=["Desk <desk@shop.example>"],
        headers=[["X-Campaign", "november"]],
        tags=["invoices"],
        metadata={"order": "A-1001", "items": "3"},
        send_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        expires_at=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
        preferred_provider="relay",
        failover=False,
        on_uncertain=OnUncertain.RESEND,
        priority=Priority.URGENT,
        template_version=TemplateVersionFactory(template=template, number=2),
    )
    page = read(viewer, message)
    for shown in (
        "<dt>Reply to</dt> <dd> Desk &lt;desk@shop.example&gt; </dd>",
        '<span class="lb-soft">X-Campaign:</span> november',
        '?tag=invoices">invoices</a>',
        '<span class="lb-soft">order:</span> A-1001',
        '<span class="lb-soft">items:</span> 3',
        "2 January 2026, 03:04:05 UTC",
        "3 February 2026, 04:05:06 UTC",
        "<dt>Provider</dt> <dd> relay and no other </dd>",
        "send it again, at the risk of a second copy",
        "<dt>Priority</dt> <dd> urgent </dd>",
        "<dt>Template</dt> <dd> invoice, version 2 </dd>",
    ):
        assert shown in page


def test_what_the_request_left_open_is_not_shown(viewer: Client, owner: User) -> None:
    page = read(viewer, accepted(owner, "ada@example.org"))
    for label in (
        "Reply to",
        "Headers",
        "Tags",
        "Metadata",
        "Attachments",
        "Not before",
        "Template",
    ):
        assert f"<dt>{label}</dt>" not in page
    assert "<dt>Provider</dt> <dd> any </dd>" in page


def test_a_test_is_said_to_be_one(viewer: Client, owner: User) -> None:
    message = accepted(owner, "ada@example.org")
    assert "A test:" not in read(viewer, message)
    Message.objects.update(is_test=True)
    page = read(viewer, message)
    assert "A test: it goes to the sandbox" in page
    assert "the sandbox, since it is a test" in page


def test_attachments_are_named_and_nothing_of_what_is_in_them_is_shown(
    viewer: Client, owner: User
) -> None:
    message = accepted(owner, "ada@example.org")
    files = (("invoice.pdf", "application/pdf", ""), ("logo.png", "image/png", "logo@shop"))
    for position, (name, type_, content_id) in enumerate(files):
        Attachment.objects.create(
            message=message,
            position=position,
            name=name,
            type=type_,
            content_id=content_id,
            content=b"secret" * 1024,
        )
    with CaptureQueriesContext(connection) as caught:
        page = read(viewer, message)
    assert 'invoice.pdf <span class="lb-soft">application/pdf, 6.0 KB</span>' in page
    assert "image/png, 6.0 KB, in the HTML as logo@shop" in page
    assert "secret" not in page
    asked = [query["sql"] for query in caught if "_attachment" in query["sql"]]
    assert len(asked) == 1
    assert '"notifications_attachment"."content",' not in asked[0]


def test_hostile_text_from_anywhere_is_escaped(support: Client, owner: User) -> None:
    evil = "<img src=x onerror=alert(1)>"
    message = accepted(owner, f"{evil}@example.org", subject=evil, name=evil, text=evil)
    Message.objects.update(
        reply_to=[evil], headers=[[evil, evil]], tags=[evil], metadata={evil: evil}, sender=evil
    )
    Attachment.objects.create(
        message=message, position=0, name=evil, type=evil, content_id=evil, content=b"x"
    )
    RequestLogFactory(method=evil[:8], path=evil, message_id=message.id)
    planned = handed_over(message, to="relay")
    answered(planned, Reading.MESSAGE_REFUSED, code=554, answer=evil)
    Handoff.objects.update(provider_message_id=evil)
    page = support.get(page_of(message)).content.decode()
    assert evil not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 15


def cost(reader: Client, message: Message) -> int:
    """The queries of the message's page."""
    with CaptureQueriesContext(connection) as caught:
        assert reader.get(page_of(message)).status_code == 200
    return len(caught)


def test_the_page_costs_the_same_however_much_there_is_to_tell(viewer: Client, owner: User) -> None:
    short = accepted(owner, "ada@example.org")
    answered(handed_over(short, to="relay"))
    long = accepted(owner, *(f"reader{n}@example.org" for n in range(20)))
    for name in ("first", "second", "third"):
        answered(handed_over(long, to=name), Reading.TEMPORARY, code=451, answer="4.7.1 Later")
    answered(handed_over(long, to="relay"))
    assert (
        Event.objects.filter(message=long).count()
        > 20 * Event.objects.filter(message=short).count()
    )
    assert (cost(viewer, short), cost(viewer, long)) == (QUERIES, QUERIES)


def test_the_page_costs_two_queries_more_where_token_and_template_are_known(
    viewer: Client, owner: User
) -> None:
    message = accepted(owner, "ada@example.org")
    Message.objects.update(template_version=TemplateVersionFactory())
    RequestLogFactory(message_id=message.id, token_id=ApiTokenFactory().id)
    assert cost(viewer, message) == QUERIES + 2


def test_a_message_that_does_not_exist_leads_back_home(viewer: Client) -> None:
    missing = reverse("admin:notifications_message_change", args=[uuid4()])
    assert viewer.get(missing)["Location"] == "/admin/"


def test_a_viewer_is_offered_neither_choices_nor_the_body(viewer: Client, mixed: Message) -> None:
    page = read(viewer, mixed)
    assert "Requeue dead letters" not in page
    assert "Read the body" not in page
    assert "your invoice is ready" not in page


def test_support_are_offered_only_what_would_change_something(
    support: Client, owner: User, mixed: Message
) -> None:
    page = read(support, mixed)
    assert "Retry now" in page
    assert "Requeue dead letters" in page
    assert 'value="cancel"' in page
    sent = accepted(owner, "ada@example.org")
    answered(handed_over(sent))
    page = read(support, sent)
    assert "Requeue dead letters" not in page
    assert 'value="cancel"' not in page
