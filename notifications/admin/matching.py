"""Which messages a list shows, told from its address alone: for what is done with all of them."""

from collections.abc import Mapping

from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet

from notifications.admin.filters import AcceptedFilter, OwnerFilter, ProviderFilter, StateFilter
from notifications.admin.search import found
from notifications.models import Message

FILTERS = (StateFilter, AcceptedFilter, ProviderFilter, OwnerFilter)
"""The list's filters, in the order in which they are shown."""


def matching_messages(parameters: Mapping[str, str]) -> QuerySet[Message]:
    """Every message that the list has for `parameters`, those of its address, on all its pages.

    In no order, and read anew whenever it is asked: `.values_list("pk")` gives ids, or a subquery.
    Parameters that do not choose messages, such as a page's, are passed over.
    """
    rows: QuerySet[Message] = Message.objects.all()
    for choice in FILTERS:
        if value := parameters.get(str(choice.parameter_name)):
            rows = choice.narrow(rows, value)
    if term := parameters.get(SEARCH_VAR, "").strip():
        rows = rows.filter(pk__in=found(term))
    return rows
