"""Every operation, asked with every kind of token that does not open it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.intake.tokens import issue_token, revoke
from notifications.models import Message, Scope
from tests.api.conftest import Api, api_of
from tests.api.described import Operation, operations
from tests.api.problems import problem_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

SCOPES = {
    "submit_message": Scope.SEND,
    "submit_batch": Scope.SEND,
    "cancel_message": Scope.SEND,
    "retry_message": Scope.SEND,
    "reschedule_message": Scope.SEND,
    "list_messages": Scope.READ,
    "read_message": Scope.READ,
    "list_message_events": Scope.READ,
    "list_events": Scope.READ,
    "list_requests": Scope.READ,
    "read_stats": Scope.READ,
    "read_content": Scope.CONTENT,
    "list_templates": Scope.READ,
    "read_template": Scope.READ,
    "list_template_versions": Scope.READ,
    "preview_template": Scope.READ,
    "create_template": Scope.MANAGE,
    "change_template": Scope.MANAGE,
    "delete_template": Scope.MANAGE,
    "list_tokens": Scope.MANAGE,
    "read_token": Scope.MANAGE,
    "create_token": Scope.MANAGE,
    "revoke_token": Scope.MANAGE,
}
"""What each operation asks for; a new one fails here until it is decided."""

EVERY = pytest.mark.parametrize("operation", list(operations()), ids=lambda one: one.name)


def test_every_operation_has_its_scope() -> None:
    assert {one.name for one in operations()} == set(SCOPES)


@EVERY
def test_each_scope_but_one_is_refused(db: None, operation: Operation) -> None:
    for scope in Scope:
        answer = operation.ask(api_of(UserFactory(), scope))
        if scope is SCOPES[operation.name]:
            assert answer.status_code not in {401, 403}
        else:
            problem = problem_of(answer, 403, "forbidden")
            assert SCOPES[operation.name].value in problem["detail"]


@EVERY
@pytest.mark.parametrize("kind", ["none", "unknown", "expired", "revoked", "owner switched off"])
def test_a_token_that_does_not_hold_opens_nothing(operation: Operation, kind: str) -> None:
    answer = operation.ask(_with_token(kind))
    problem_of(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="limbo"'
    assert not Message.objects.exists()


def _with_token(kind: str) -> Api:
    owner = UserFactory(is_active=kind != "owner switched off")
    ends: Any = timezone.now() - timedelta(seconds=1) if kind == "expired" else None
    token, plain = issue_token(owner=owner, name="test", scopes=list(Scope), expires_at=ends)
    if kind == "revoked":
        revoke(token)
    unknown = {"none": "", "unknown": f"lk_{'A' * 43}"}
    return Api(owner, unknown.get(kind, plain))
