"""The forms of a template and of its preview. What may be said in them is intake's to decide."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from django import forms

from notifications.intake.errors import Fault
from notifications.intake.templates.drafts import PARTS
from notifications.intake.templates.preview import MAX_NUMBER
from notifications.intake.templates.sample import sample_of
from notifications.models import TemplateVersion

MAX_VARIABLES = 300_000
"""Characters of a preview's variables; intake counts what they hold."""

_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", "class": "code"}


class FaultsForm(forms.Form):
    """A form that shows the faults which intake finds, each at its field."""

    def tell(self, faults: Sequence[Fault]) -> None:
        """Add the faults; one that belongs to no field is the whole form's."""
        for fault in faults:
            name = fault.pointer.split("/")[1] if fault.pointer else ""
            self.add_error(name if name in self.fields else None, fault.detail)


class _SourceField(forms.CharField):
    """Text as it was written, but for the line ends that browsers send."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, strip=False, **options)

    def to_python(self, value: Any) -> Any:
        """With plain line ends: else each change in a browser would make another version."""
        return (super().to_python(value) or "").replace("\r\n", "\n")


class TemplateForm(FaultsForm):
    """A template: what it is called, and what it says."""

    name = forms.CharField(
        required=False,
        help_text="What programs send it by, such as order-shipped.",
        widget=forms.TextInput(attrs=_CODE | {"maxlength": 100}),
    )
    description = forms.CharField(
        required=False,
        help_text="For you and your colleagues. May be empty.",
        widget=forms.TextInput(attrs={"maxlength": 500}),
    )
    subject = _SourceField(
        help_text="Write {{ name }} where a variable goes.", widget=forms.TextInput(attrs=_CODE)
    )
    text = _SourceField(
        help_text="Empty: it is made of the HTML.", widget=forms.Textarea(attrs=_CODE | {"rows": 8})
    )
    html = _SourceField(
        label="HTML",
        help_text="Empty: there is none. Variables are escaped.",
        widget=forms.Textarea(attrs=_CODE | {"rows": 12}),
    )

    def draft_fields(self) -> dict[str, str]:
        """The fields for a new template; an empty body is none."""
        given = self.cleaned_data
        return {
            name: value for name, value in given.items() if value or name in ("name", "subject")
        }

    def changes(self) -> dict[str, str | None]:
        """The fields of a changed one; an empty body is removed."""
        given = self.cleaned_data
        return {
            name: value if value or name in ("name", "subject") else None
            for name, value in given.items()
        }


def initial_of(version: TemplateVersion) -> dict[str, str]:
    """What a form begins with to change a template, from one of its versions."""
    sources = {part: getattr(version, part) for part in PARTS}
    template = version.template
    return {"name": template.name, "description": template.description, **sources}


def sample_json(version: TemplateVersion) -> str:
    """Variables to begin a preview with, as they are written in a request."""
    sample = sample_of(getattr(version, part) for part in PARTS)
    return json.dumps(sample, indent=2, ensure_ascii=False)


class _VariablesField(forms.CharField):
    """A JSON object."""

    def to_python(self, value: Any) -> Any:
        """The decoded JSON. Raises ValidationError that says where it stops being some."""
        text = super().to_python(value) or "{}"
        if len(text) > MAX_VARIABLES:
            raise forms.ValidationError(f"This is longer than {MAX_VARIABLES} characters.")
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        except RecursionError:
            raise forms.ValidationError("This is nested too deeply.") from None
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise forms.ValidationError(f"This is not JSON: {error.msg} ({where}).") from error
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from error

    def run_validators(self, value: Any) -> None:
        """None: those of a text do not fit what it holds."""


class VersionForm(FaultsForm):
    """Which version is meant; none for the current one."""

    version = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_NUMBER, widget=forms.HiddenInput
    )


class PreviewForm(VersionForm):
    """What a template is shown with."""

    variables = _VariablesField(
        required=False,
        help_text="A JSON object, as in a request. It begins with what the template uses.",
        widget=forms.Textarea(attrs=_CODE | {"rows": 10}),
    )

    def asked(self) -> dict[str, Any]:
        """The fields of a preview."""
        return {name: self.cleaned_data[name] for name in ("variables", "version")}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
