"""The client's results have the members that the schema gives, with the same freedom to be null."""

import json
from dataclasses import fields
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from django.test import Client

from limbo_client import results
from limbo_client.reading import NAME

pytestmark = pytest.mark.django_db

FORMS: dict[str, type] = {
    "Submitted": results.Submitted,
    "Attempt": results.Attempt,
    "Delivery": results.Delivery,
    "Event": results.Event,
    "FeedEvent": results.FeedEvent,
    "Message": results.Message,
    "MessageDetail": results.MessageDetail,
    "UsedTemplate": results.UsedTemplate,
    "Stats": results.Stats,
    "ProviderCounts": results.ProviderCounts,
    "TagCounts": results.TagCounts,
    "StepCounts": results.StepCounts,
    "Template": results.Template,
    "TemplateDetail": results.TemplateDetail,
    "Version": results.TemplateVersion,
    "Preview": results.Preview,
}

NOT_IN_THE_BODY = {"is_replayed"}
FOR_OLDER_CLIENTS = {"Message"}


@cache
def components() -> dict[str, Any]:
    """The forms of the schema, by name."""
    schema = json.loads(Client().get("/v1/schema").content)
    return dict(schema["components"]["schemas"])


@pytest.mark.parametrize("name", FORMS)
def test_a_result_has_the_members_of_the_schema(name: str) -> None:
    known = {field.metadata.get(NAME, field.name) for field in fields(FORMS[name])}
    told = set(components()[name]["properties"])
    assert known - NOT_IN_THE_BODY == told - FOR_OLDER_CLIENTS


@pytest.mark.parametrize("name", FORMS)
def test_what_may_be_null_may_be_none(name: str) -> None:
    hints = get_type_hints(FORMS[name])
    members = {field.metadata.get(NAME, field.name): field.name for field in fields(FORMS[name])}
    null = {
        members[member]
        for member, form in components()[name]["properties"].items()
        if "null" in str(form.get("type", "")) or "null" in str(form.get("oneOf", ""))
    }
    assert null <= {name for name, hint in hints.items() if NoneType in get_args(hint)}
