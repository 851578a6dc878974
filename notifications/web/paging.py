"""Pages of a list, newest first, cut by the keys of its rows: none is slower than the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from django.db.models import QuerySet

MAX_NUMBER = 2**62
"""Of a row; the database's numbers go further."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Stretch(Generic[Row]):
    """One page's rows, newest first, and the cursors of its neighbours."""

    rows: Sequence[Row]
    newer: Any = None
    older: Any = None


class CursorForm(forms.Form):
    """Where a page begins or ends, by the rows' UUIDs. One that cannot be read is none."""

    before = forms.UUIDField(required=False, widget=forms.HiddenInput)
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)


class NumberCursorForm(forms.Form):
    """The same by the rows' numbers."""

    before = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_NUMBER, widget=forms.HiddenInput
    )
    after = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_NUMBER, widget=forms.HiddenInput
    )


def what_was_read(form: forms.Form) -> dict[str, Any]:
    """What is asked for in a form, a cursor included, as far as it can be read."""
    form.is_valid()  # what could not be read is absent from cleaned_data
    return {name: value for name, value in form.cleaned_data.items() if value}


def stretch_of(
    query: QuerySet[Any, Row], asked: Mapping[str, Any], *, key: str, size: int, field: str = ""
) -> Stretch[Row]:
    """The rows of `query` that lie before, or after, the key that is asked for; one query.

    `key` gives the order and is different for each row; `field` is the attribute that holds it,
    where the rows are not the keys themselves.
    """
    before, after = asked.get("before"), asked.get("after")
    if after:
        query = query.filter(**{f"{key}__gt": after}).order_by(key)
    else:
        query = query.filter(**{f"{key}__lt": before} if before else {}).order_by(f"-{key}")
    found = list(query[: size + 1])
    more, rows = len(found) > size, found[:size]
    if after:
        rows.reverse()
    if not rows:
        return Stretch([])
    newest, oldest = ((getattr(row, field) if field else row) for row in (rows[0], rows[-1]))
    has_newer = more if after else bool(before)
    has_older = more or bool(after)
    return Stretch(rows, newer=newest if has_newer else None, older=oldest if has_older else None)
