"""`/v1/mail/batch`: submit many messages at once."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.auth import owner_of, token_of
from notifications.api.base import ApiView
from notifications.api.batch_schema import BATCH, BATCH_ANSWER
from notifications.api.errors import problem_for
from notifications.api.messages import submitted
from notifications.api.parsers import BatchJsonParser, refuse_unknown_length
from notifications.api.problems import not_submitted
from notifications.api.rate_limit import limit_headers
from notifications.api.schema import IDEMPOTENCY_KEY, problems
from notifications.intake.batch import Outcome, read_batch, submit_batch
from notifications.intake.submission import ACCEPTED, Submission
from notifications.intake.templates.shelf import Shelf


class BatchView(ApiView):
    """Many submissions in one request."""

    parser_classes = (BatchJsonParser,)
    http_method_names = ("post",)

    @extend_schema(
        operation_id="submit_batch",
        summary="Submit up to 1,000 messages",
        parameters=[IDEMPOTENCY_KEY],
        request=BATCH,
        responses={
            200: OpenApiResponse(BATCH_ANSWER, description="What became of each, in its place."),
            **problems(400, 401, 403, 409, 411, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Store each message that is not refused; with `atomic` all of them or none."""
        refuse_unknown_length(request.headers)
        owner = owner_of(request)
        batch = read_batch(request.data, shelf=Shelf(owner), token=token_of(request))
        answer = submit_batch(
            owner=owner,
            batch=batch,
            idempotency_key=request.headers.get("Idempotency-Key"),
            log=self.origin,
        )
        self.is_logged = True
        results = [_told(outcome) for outcome in answer.outcomes]
        stored = sum(isinstance(outcome, Submission) for outcome in answer.outcomes)
        body = {"stored": stored, "refused": len(results) - stored, "results": results}
        replayed = {"Idempotency-Replayed": "true"} if answer.is_repeat else {}
        return Response(body, headers={**replayed, **limit_headers(answer.limits)})


def _told(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Submission):
        return {"status": ACCEPTED, **submitted(outcome)}
    return not_submitted(problem_for(outcome).body())
