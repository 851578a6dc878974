"""The papers that are made from the code: `python -m tests.docs.made` writes them."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parents[2]

_ERRORS_HEAD = """\
# Problems

Every error is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
Its `type` is the address of a page that Limbo serves, `/docs/errors/` and the name below; the name
stays, so programs may compare it. `errors` has every fault, `request_id` is also in the header
`X-Request-Id`, in the request log and in the logs. How the API may change is in
[versioning](versioning.md).
"""


def errors() -> str:
    """docs/reference/errors.md."""
    from notifications.api.pages import example_of
    from notifications.api.problem_kinds import KINDS

    parts = [_ERRORS_HEAD]
    for name, kind in KINDS.items():
        example = json.dumps(example_of(name, kind), indent=2, ensure_ascii=False)
        statuses = " or ".join(map(str, kind.statuses))
        parts.append(
            f"## `{name}`\n\n{kind.title}. Status {statuses}.\n\n"
            f"**Why.** {kind.cause}\n\n**What to do.** {kind.remedy}\n\n"
            f"```json\n{example}\n```\n"
        )
    return "\n".join(parts)


def openapi() -> str:
    """docs/reference/openapi.yaml."""
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiYamlRenderer

    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    made: bytes = OpenApiYamlRenderer().render(schema, renderer_context={})  # type: ignore[no-untyped-call]
    return made.decode()


MADE: Mapping[str, Callable[[], str]] = {
    "docs/reference/errors.md": errors,
    "docs/reference/openapi.yaml": openapi,
}
"""What each is made by."""


def write() -> None:
    """Write all of them."""
    for path, make in MADE.items():
        (ROOT / path).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    write()
