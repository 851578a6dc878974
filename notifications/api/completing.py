"""What drf-spectacular leaves out of the description, and every operation has."""

from typing import Any


def complete(result: dict[str, Any], **_named: object) -> dict[str, Any]:
    """Complete the description (drf-spectacular's POSTPROCESSING_HOOKS)."""
    for methods in result["paths"].values():
        for operation in methods.values():
            _require_body(operation)
    return result


def _require_body(operation: dict[str, Any]) -> None:
    """A body that must have something must be there."""
    body = operation.get("requestBody")
    if body is not None:
        forms = [content["schema"] for content in body["content"].values()]
        body["required"] = any(form.get("required") for form in forms)
