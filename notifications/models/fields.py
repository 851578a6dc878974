"""Our one field of our own."""

from typing import Any

from django.db import models


class ChoiceField(models.CharField[str, str]):
    """A CharField whose choices stay out of migrations: a new kind is no change of schema."""

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Describe the field to migrations, without its choices."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)
        return name, path, list(args), dict(kwargs)
