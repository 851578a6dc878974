"""OwnersList: one owner's messages in the order of their ids, whatever state they are in."""

from typing import TYPE_CHECKING, Any, Self

from django.db.models import F, QuerySet, Subquery
from django.db.models.expressions import OrderBy, RawSQL

from notifications.models.state import State

if TYPE_CHECKING:
    from notifications.models.message import Message

_LISTS = ",".join(state.value for state in State if state != State.SENDING)
"""What `list_state` can be."""

# Nulls stand where only `message_owner_state` has them: there are none, but in the order of the
# key PostgreSQL would walk everybody's messages if it thinks that many of them are the owner's.
_NEWEST_FIRST = ("DESC", F("id").desc(nulls_last=True))
_OLDEST_FIRST = ("ASC", F("id").asc(nulls_first=True))
_ORDERS: dict[tuple[Any, ...], tuple[str, OrderBy]] = {
    ("-id",): _NEWEST_FIRST,
    ("-pk",): _NEWEST_FIRST,
    ("id",): _OLDEST_FIRST,
    ("pk",): _OLDEST_FIRST,
}


class _FirstOfEachState(Subquery):
    """The ids of the first messages, of the first ones that a query finds in each state."""

    template = f"""(
        SELECT listed.id FROM unnest('{{{_LISTS}}}'::text[]) AS lists (state)
        CROSS JOIN LATERAL (%(subquery)s) AS listed (id) ORDER BY listed.id %(way)s LIMIT %(most)s
    )"""  # noqa: S608 - made of constants


class OwnersList(QuerySet["Message"]):
    """One owner's messages; a slice of them in the order of ids is found by an index.

    No index has all of an owner's in this order, since it would learn of each claim and each end.
    That of his lists by state has each of these in order, and the first ones of all are among the
    first of each.
    """

    @classmethod
    def of(cls, rows: "QuerySet[Message]") -> Self:
        """The same messages, which must be one owner's."""
        return cls(rows.model, rows.query.chain(), rows.db)

    def __getitem__(self, k: Any) -> Any:
        """As of any query."""
        order = _ORDERS.get(tuple(self.query.order_by))
        if order is None or self._result_cache is not None or getattr(k, "stop", None) is None:
            return super().__getitem__(k)
        way, by_index = order
        of_one_state = self.filter(list_state=RawSQL("lists.state", ())).order_by(by_index)
        ids = of_one_state.values("pk")[: k.stop]
        first = self.filter(pk__in=_FirstOfEachState(ids, way=way, most=k.stop))
        return super(OwnersList, first).__getitem__(k)
