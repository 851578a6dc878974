"""Keeping the answer to a POST under its Idempotency-Key, for whoever has to repeat it."""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.auth import owner_of
from notifications.intake.idempotency import check_key, keep_answer, take_key

P = ParamSpec("P")
V = TypeVar("V")
_Post = Callable[Concatenate[V, Request, P], Response]


def kept(post: _Post[V, P]) -> _Post[V, P]:
    """Let `post` answer a request with a key once; a repeat within 24 hours gets the same answer.

    It runs in the transaction that keeps the answer: after an exception, or in a process that is
    killed, nothing is done and the key is free. Submissions keep theirs in their own statement.
    """

    @wraps(post)
    def answered(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return post(view, request, *args, **kwargs)
        check_key(key)
        with transaction.atomic():
            taken = take_key(owner=owner_of(request), key=key, digest=_digest(request))
            if isinstance(taken, dict):
                return _again(taken)
            response = post(view, request, *args, **kwargs)
            keep_answer(taken, _told(response))
        return response

    return answered


def _digest(request: Request) -> bytes:
    """What two requests have in common when they ask for the same."""
    canonical = json.dumps([request.method, request.path, request.data], sort_keys=True)
    return hashlib.sha256(canonical.encode()).digest()


def _told(response: Response) -> dict[str, Any]:
    return {
        "status": response.status_code,
        # as text: the database would not keep the members' order
        "body": JSONRenderer().render(response.data).decode(),
        "location": response.headers.get("Location"),
    }


def _again(answer: dict[str, Any]) -> Response:
    location = {"Location": answer["location"]} if answer["location"] else {}
    headers = {**location, "Idempotency-Replayed": "true"}
    return Response(json.loads(answer["body"]), answer["status"], headers=headers)
