"""Keeping templates, and sending by them, through the client."""

import pytest

from limbo_client import ImpossibleRequestError, Limbo, Mail, NameTakenError, NotFoundError


def test_a_template_is_kept_changed_previewed_and_deleted(limbo: Limbo) -> None:
    created = limbo.create_template("hello", subject="Hi {{ name }}", text="Dear {{ name }}")
    assert (created.version, created.html) == (1, None)

    changed = limbo.change_template("hello", text="Dearest {{ name }}", description="A greeting")
    assert (changed.version, changed.text) == (2, "Dearest {{ name }}")
    assert limbo.get_template(created.id, version=1).text == "Dear {{ name }}"
    assert [one.version for one in limbo.template_versions("hello", page_size=1)] == [2, 1]
    assert [one.description for one in limbo.list_templates()] == ["A greeting"]

    preview = limbo.preview_template("hello", variables={"name": "Ada"})
    assert (preview.subject, preview.text) == ("Hi Ada", "Dearest Ada")

    limbo.delete_template("hello")
    with pytest.raises(NotFoundError):
        limbo.get_template("hello")


def test_a_message_is_sent_by_a_template(limbo: Limbo) -> None:
    limbo.create_template("hello", subject="Hi {{ name }}", text="Dear {{ name }}")
    mail = Mail(
        sender="app@example.com",
        to="ada@example.org",
        template="hello",
        template_version=1,
        variables={"name": "Ada"},
    )
    message = limbo.get(limbo.send(mail).id)
    assert message.subject == "Hi Ada"
    assert message.template is not None
    assert (message.template.name, message.template.version) == ("hello", 1)


def test_a_missing_variable_is_named(limbo: Limbo) -> None:
    limbo.create_template("hello", subject="Hi", text="Dear {{ name }}")
    with pytest.raises(ImpossibleRequestError) as caught:
        limbo.preview_template("hello")
    assert [(fault.code, fault.pointer) for fault in caught.value.errors] == [
        ("missing_variable", "#/variables/name")
    ]


def test_a_fault_in_a_template_is_told_with_its_line(limbo: Limbo) -> None:
    with pytest.raises(ImpossibleRequestError) as caught:
        limbo.create_template("hello", subject="Hi", text="Dear\n{% if %}")
    assert [(fault.pointer, fault.line) for fault in caught.value.errors] == [("#/text", 2)]


def test_a_name_that_is_taken_is_told_as_such(limbo: Limbo) -> None:
    limbo.create_template("hello", subject="Hi", text="Dear")
    with pytest.raises(NameTakenError):
        limbo.create_template("hello", subject="Hi", text="Dear")
