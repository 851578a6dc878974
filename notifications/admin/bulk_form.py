"""What is asked before a choice is made: why, and through which provider."""

from typing import Any

from django import forms

from notifications.admin.choices import Choice
from notifications.admin.theme import Select, TextInput
from notifications.delivery.providers import configured_providers
from notifications.models import Provider

CONFIRMED = "confirmed"
"""Posted by the confirmation: whoever posts it has seen what will happen."""


class ChoiceForm(forms.Form):
    """The questions of one choice; without `data`, or before the confirmation, unanswered."""

    reason = forms.CharField(
        label="Why?",
        max_length=200,
        widget=TextInput(attrs={"autofocus": True}),
        help_text="It is kept in each message's history.",
    )
    through = forms.ChoiceField(
        label="Through which provider?",
        required=False,
        widget=Select(attrs={"x-model": "through"}),
        help_text="It is asked first; others after it, where the message's sender allows that.",
    )

    def __init__(self, choice: Choice, data: Any) -> None:
        super().__init__(data if CONFIRMED in data else None, label_suffix="")
        reason, through = self.fields["reason"], self.fields["through"]
        if not choice.needs_reason:
            reason.required = False
            reason.help_text = f"If you like. {reason.help_text}"
        if choice.asks_provider and isinstance(through, forms.ChoiceField):
            through.choices = [("", "whichever can take it"), *((n, n) for n in _enabled())]
        else:
            del self.fields["through"]

    def value(self, name: str) -> str:
        """An answer, once the form is valid; empty for what is not asked."""
        return str(self.cleaned_data.get(name, ""))


def _enabled() -> list[str]:
    rows = Provider.objects.filter(name__in=configured_providers(), enabled=True, is_draining=False)
    return list(rows.values_list("name", flat=True))
