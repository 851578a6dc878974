"""The pages of one's templates."""

import json
import re
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from notifications.intake.templates.drafts import Draft
from notifications.intake.templates.keeping import change_template, create_template
from notifications.intake.templates.shelf import compiled
from notifications.models import Template, TemplateVersion, User
from notifications.policy import FRAMED
from notifications.web import templates

PAGE = "/templates/"
NEW = {
    "name": "order-shipped",
    "description": "Sent by the shop",
    "subject": "Order {{ order.number }}",
    "text": "Dear {{ name }},\r\n\r\nit is on its way.\r\n",
    "html": "",
}


def text_of(client: Client, path: str, status: int = 200) -> str:
    """The page's text, in one line."""
    answer = client.get(path)
    assert answer.status_code == status
    return bare(answer.content)


def bare(page: bytes) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


def fault_at(field: str, page: bytes) -> str:
    """What is told at the field, and nowhere else."""
    found = re.findall(
        r'class="fault"\s+id="id_(\w+)_error"[^>]*>(.*?)</div>', page.decode(), re.DOTALL
    )
    ((name, fault),) = found
    assert name == field
    return unescape(fault)


def made(owner: User, name: str = "welcome", **parts: str) -> Template:
    parts = {"subject": "Hello {{ name }}", "text": "Dear {{ name }}.", **parts}
    return create_template(owner=owner, draft=Draft(name=name, **parts)).template


def page_of(template: Template, below: str = "") -> str:
    return f"{PAGE}{template.id}/{below}"


def test_the_empty_list_says_what_templates_are_for(signed_in: Client) -> None:
    page = signed_in.get(PAGE)
    assertContains(page, "Keep what a message says apart")
    assertContains(page, 'href="/templates/new/"')


def test_a_template_is_made_and_shown(signed_in: Client, ada: User) -> None:
    answer = signed_in.post(f"{PAGE}new/", NEW)
    template = Template.objects.get(owner=ada)
    assertRedirects(answer, page_of(template))
    version = TemplateVersion.objects.get(template=template)
    assert (template.name, template.description) == ("order-shipped", "Sent by the shop")
    assert version.subject == "Order {{ order.number }}"
    # as an editor would have it, not as browsers send it
    assert version.text == "Dear {{ name }},\n\nit is on its way.\n"
    assert version.html == ""
    told = text_of(signed_in, page_of(template))
    assert "Subject Order {{ order.number }}" in told
    assert '"template": "order-shipped"' in told
    assert "order-shipped Sent by the shop version 1" in text_of(signed_in, PAGE)


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"name": ""}, "name", "A name has up to 100"),
        ({"name": "Order Shipped"}, "name", "A name has up to 100"),
        ({"name": "x\0"}, "name", "Null characters are not allowed."),
        ({"description": "d" * 501}, "description", "longer than 500 characters"),
        ({"subject": " "}, "subject", "This must not be empty."),
        ({"subject": "{{ name"}, "subject", "Line 1: "),
        ({"subject": "{{ 2 * 3 }}"}, "subject", "Line 1: Arithmetic is not available"),
        ({"text": "\n{% include 'x' %}"}, "text", "Line 2: `include` is not available."),
        ({"html": "{{ range(9) }}"}, "html", "Line 1: Calls are not available."),
        ({"text": "", "html": ""}, "text", "A template needs a text, an HTML body, or both."),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_made(
    signed_in: Client, fields: dict[str, str], field: str, told: str
) -> None:
    page = signed_in.post(f"{PAGE}new/", {**NEW, **fields}).content
    assert told in fault_at(field, page)
    # whoever hears the field hears it too
    described = " ".join(re.findall(r'aria-describedby="([^"]+)"', page.decode()))
    assert f"id_{field}_error" in described
    assert not Template.objects.exists()


def test_what_was_written_stays_when_something_is_wrong(signed_in: Client) -> None:
    page = signed_in.post(f"{PAGE}new/", {**NEW, "name": "No Name"})
    assertContains(page, "Order {{ order.number }}")
    assertContains(page, "it is on its way.")


def test_a_name_is_there_once(signed_in: Client, ada: User) -> None:
    made(ada, "order-shipped")
    assertContains(signed_in.post(f"{PAGE}new/", NEW), "You have another template of this name.")
    assert Template.objects.count() == 1


def test_changing_a_source_makes_a_version_and_changing_a_name_does_not(
    signed_in: Client, ada: User
) -> None:
    template = made(ada)
    form = {"name": "hello", "subject": "Hello {{ name }}", "text": "Dear {{ name }}."}
    assertRedirects(signed_in.post(page_of(template, "edit/"), form), page_of(template))
    template.refresh_from_db()
    assert (template.name, template.version) == ("hello", 1)
    form["text"] = "Dear {{ name }},\r\nwelcome."
    signed_in.post(page_of(template, "edit/"), form)
    template.refresh_from_db()
    assert template.version == 2
    # sent again as a browser sends what the form shows, it is no other text
    shown = signed_in.get(page_of(template, "edit/")).content.decode()
    (text,) = re.findall(r"<textarea[^>]*name=\"text\"[^>]*>\n(.*?)</textarea>", shown, re.DOTALL)
    signed_in.post(page_of(template, "edit/"), {**form, "text": text.replace("\n", "\r\n")})
    template.refresh_from_db()
    assert template.version == 2


def test_a_body_is_removed_by_emptying_it_but_one_stays(signed_in: Client, ada: User) -> None:
    template = made(ada, html="<p>{{ name }}</p>")
    form = {"name": "welcome", "subject": "Hello", "text": "", "html": "<p>{{ name }}</p>"}
    signed_in.post(page_of(template, "edit/"), form)
    assert "Text It is made of the HTML." in text_of(signed_in, page_of(template))
    refused = signed_in.post(page_of(template, "edit/"), {**form, "html": ""})
    assertContains(refused, "A template needs a text, an HTML body, or both.")


def test_an_earlier_version_is_shown_as_such_and_can_be_gone_back_to(
    signed_in: Client, ada: User
) -> None:
    template = made(ada, subject="First")
    change_template(owner=ada, reference="welcome", draft=Draft(subject="Second"))
    now = text_of(signed_in, page_of(template))
    assert "Subject Second" in now
    assert "This is version" not in now
    earlier = text_of(signed_in, page_of(template, "?version=1"))
    assert "This is version 1. What is sent is version 2" in earlier
    assert "Subject First" in earlier
    form = signed_in.get(page_of(template, "edit/?version=1"))
    assertContains(form, 'value="First"')
    assert text_of(signed_in, page_of(template, "?version=9"), 404)
    # what names no version is left aside
    assert "Subject Second" in text_of(signed_in, page_of(template, "?version=x"))


def test_versions_and_templates_lead_from_page_to_page(
    signed_in: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "PAGE", 2)
    monkeypatch.setattr(templates, "VERSIONS", 2)
    for number in range(3):
        template = made(ada, f"t{number}")
    for number in range(2, 6):
        change_template(owner=ada, reference="t2", draft=Draft(subject=f"S{number}"))
    lists = [(PAGE, r'">(t\d)</a>', ["t2", "t1"], ["t0"])]
    lists += [(page_of(template), r">(\d)</a>", ["5", "4"], ["3", "2"])]
    for path, pattern, first, second in lists:
        page = signed_in.get(path).content.decode()
        assert re.findall(pattern, page) == first
        (older,) = re.findall(r'rel="next"\s+href="([^"]+)"', page)
        page = signed_in.get(path + unescape(older)).content.decode()
        assert re.findall(pattern, page) == second
        (newer,) = re.findall(r'rel="prev"\s+href="([^"]+)"', page)
        page = signed_in.get(path + unescape(newer)).content.decode()
        assert re.findall(pattern, page) == first


def test_a_template_is_deleted_after_a_question(signed_in: Client, ada: User) -> None:
    template = made(ada)
    assert "Delete “welcome”?" in text_of(signed_in, page_of(template, "delete/"))
    assert Template.objects.owned_by(ada).exists()
    assertRedirects(signed_in.post(page_of(template, "delete/")), PAGE)
    assert not Template.objects.owned_by(ada).exists()
    text_of(signed_in, page_of(template), 404)
    assertNotContains(signed_in.get(PAGE), "welcome")


def test_a_preview_shows_subject_text_and_a_frame(signed_in: Client, ada: User) -> None:
    template = made(ada, html="<b>{{ name }}</b>")
    page = signed_in.post(page_of(template, "preview/"), {"variables": '{"name": "Eve & Bob"}'})
    told = bare(page.content)
    assert "Hello Eve & Bob" in told
    assert "Dear Eve & Bob." in told
    assertContains(page, '<iframe name="rendered" title="The HTML" sandbox></iframe>', html=True)
    assert page.headers["Content-Security-Policy"].endswith("; frame-src 'self'")
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_the_frame_says_what_the_html_says_and_lets_nothing_run(
    signed_in: Client, ada: User
) -> None:
    template = made(ada, html="<b>{{ name }}</b><script>alert(1)</script>")
    path = page_of(template, "preview/html/")
    frame = signed_in.post(path, {"variables": '{"name": "<i>"}', "version": "1"})
    assert frame.content.decode() == "<b>&lt;i&gt;</b><script>alert(1)</script>"
    assert frame.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
        "frame-ancestors 'self'"
    )
    assert frame.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert frame.headers["X-Content-Type-Options"] == "nosniff"
    assert signed_in.get(path).status_code == 405
    refused = signed_in.post(path, {"variables": "{}"})
    assert refused.status_code == 422
    assert refused.headers["Content-Type"].startswith("text/plain")
    assert refused.headers["Content-Security-Policy"] == FRAMED


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ("", "The variable name is missing (subject, line 1)."),
        ("{}", "The variable name is missing (subject, line 1)."),
        ('{"name": [1]}', "only texts and numbers can be written out"),
        ('{"name": "Ada"', "This is not JSON: Expecting ',' delimiter (line 1, column 15)."),
        ('{\n  "name": Ada\n}', "(line 2, column 11)."),
        ('{"name": NaN}', "This is not JSON: NaN is not a JSON value."),
        ("[" * 200_000, "This is nested too deeply."),
        ('{"name": %s}' % ("9" * 5000), "This is not JSON"),
        ("[]", "This must be an object."),
        ('{"name": "%s"}' % ("a" * 210_000), "All variables together may have 204800 octets."),
        ('{"name": "%s"}' % ("a" * 300_000), "This is longer than 300000 characters."),
        ('{"name": "\0"}', "This is not JSON: Invalid control character"),
    ],
)
def test_what_cannot_be_previewed_is_told_at_the_variables(
    signed_in: Client, ada: User, variables: str, told: str
) -> None:
    template = made(ada, text="Same for all.")
    page = signed_in.post(page_of(template, "preview/"), {"variables": variables})
    assert told in fault_at("variables", page.content)
    assertNotContains(page, "<iframe")


def test_a_preview_begins_with_what_the_template_uses(signed_in: Client, ada: User) -> None:
    template = made(ada, text='{% for line in lines %}{{ line["it\'s"] }}{% endfor %}')
    page = signed_in.get(page_of(template, "preview/")).content.decode()
    (shown,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    variables = unescape(shown).strip()
    assert json.loads(variables) == {"name": "name", "lines": [{"it's": "it's"}]}
    rendered = signed_in.post(page_of(template, "preview/"), {"variables": variables})
    assert "Hello name" in bare(rendered.content)
    # the command keeps within its quotes
    shown = unescape(signed_in.get(page_of(template)).content.decode())
    (posted,) = re.findall(r"-d '([^']*)'", shown)
    assert json.loads(posted)["variables"]["lines"] == [{"it's": "it's"}]


def test_every_missing_variable_is_named(signed_in: Client, ada: User) -> None:
    template = made(ada, subject="{{ order.number }}", text="{{ name }}")
    page = signed_in.post(page_of(template, "preview/"), {"variables": '{"order": {}}'})
    told = bare(page.content)
    assert "The variable order.number is missing (subject, line 1)." in told
    assert "The variable name is missing (text, line 1)." in told


def test_an_earlier_version_is_previewed(signed_in: Client, ada: User) -> None:
    template = made(ada, subject="First", text="One.")
    change_template(owner=ada, reference="welcome", draft=Draft(subject="Second"))
    form = signed_in.get(page_of(template, "preview/?version=1"))
    assertContains(form, 'name="version" value="1"')
    page = signed_in.post(page_of(template, "preview/"), {"variables": "{}", "version": "1"})
    assert "Subject and text First One." in bare(page.content)
    missing = signed_in.post(page_of(template, "preview/"), {"variables": "{}", "version": "7"})
    assert missing.status_code == 404


def test_sources_are_shown_as_text(signed_in: Client, ada: User) -> None:
    hostile = "</pre></textarea><script>alert(1)</script>"
    template = made(ada, subject=hostile, text=hostile, html=hostile)
    for below in ("", "edit/", "preview/", "delete/"):
        assertNotContains(signed_in.get(page_of(template, below)), "<script>alert")
    assertNotContains(signed_in.post(page_of(template, "preview/")), "<script>alert")


@pytest.mark.parametrize("others", [0, 12])
def test_the_pages_take_as_few_queries_however_much_there_is(
    signed_in: Client,
    ada: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    others: int,
) -> None:
    template = made(ada)
    for number in range(others):
        made(ada, f"other-{number}")
        change_template(owner=ada, reference="welcome", draft=Draft(subject=f"S{number}"))
    # session and user, then what the page is about
    with django_assert_num_queries(3):
        signed_in.get(PAGE)
    with django_assert_num_queries(4):
        signed_in.get(page_of(template))
    for below in ("edit/", "preview/", "delete/"):
        with django_assert_num_queries(3):
            signed_in.get(page_of(template, below))
    compiled.cache_clear()
    with django_assert_num_queries(5):
        signed_in.post(page_of(template, "preview/"), {"variables": '{"name": "Ada"}'})
