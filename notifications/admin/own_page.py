"""Pages of one object that show more than its form."""

from typing import Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from notifications.admin.theme import ModelAdmin

M = TypeVar("M", bound=Model)


class OwnPage(ModelAdmin[M]):
    """Screens whose template is told more about an object that is there already."""

    def own_context(self, request: HttpRequest, obj: M) -> dict[str, Any]:
        """What the object's page is told beside what Django tells it."""
        raise NotImplementedError

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        """The object's page, or the form for a new one."""
        if obj is not None:
            context |= self.own_context(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)
