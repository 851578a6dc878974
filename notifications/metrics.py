"""django-prometheus's counts of requests, cheaper."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from django_prometheus import middleware


class PrometheusAfterMiddleware(middleware.PrometheusAfterMiddleware):  # type: ignore[misc]  # its types are not told
    """Keeps the counter of each set of labels: the library looks each up through a lock.

    There are as many as the library keeps itself: labels are views, methods and statuses.
    """

    _kept: ClassVar[dict[Any, Any]] = {}

    def label_metric(
        self,
        metric: Any,
        request: HttpRequest,
        response: HttpResponseBase | None = None,
        **labels: str,
    ) -> Any:
        """The counter to count in (the library's hook)."""
        key = (metric, *labels.values())
        counter = self._kept.get(key)
        if counter is None:
            counter = self._kept[key] = super().label_metric(metric, request, response, **labels)
        return counter
