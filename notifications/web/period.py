"""The part of a filter that asks for a time: from when, until when, both in UTC."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(3000, 1, 1, tzinfo=UTC)


def _check_year(at: datetime) -> None:
    if not _EARLIEST <= at < _LATEST:
        raise ValidationError("Give a time from the years 2000 to 2999.")


class MomentField(forms.DateTimeField):
    """A minute in UTC, or none."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    default_validators = [_check_year]
    default_error_messages = {"invalid": "Give a date and a time, such as 2026-11-25T10:00."}

    def __init__(self, label: str) -> None:
        super().__init__(required=False, label=label)


class PeriodForm(forms.Form):
    """From when and until when; a part that cannot be read is told and not applied."""

    since = MomentField("From (UTC)")
    until = MomentField("Until (UTC)")

    folded: ClassVar[tuple[str, ...]] = ("since", "until")
    """What is seldom asked for: each time has seven stops for who goes by keyboard."""

    @property
    def folded_fields(self) -> list[forms.BoundField]:
        """The fields that the page folds away."""
        return [self[name] for name in self.folded]

    @property
    def is_unfolded(self) -> bool:
        """Whether something is asked for by one of them."""
        return any(field.data for field in self.folded_fields)

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since >= until:
            self.add_error("until", "This must be later than the beginning.")
        return cleaned
