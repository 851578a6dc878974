"""The API's addresses, from the root."""

from django.urls import path, re_path

from notifications.api.batch import BatchView
from notifications.api.choices import CancelView, RescheduleView, RetryView
from notifications.api.content import ContentView
from notifications.api.events import EventsView, MessageEventsView
from notifications.api.messages import MessagesView, MessageView
from notifications.api.pages import problem_list, problem_page
from notifications.api.reference import ReferenceView
from notifications.api.requests import RequestsView
from notifications.api.service import (
    HealthView,
    HelloView,
    MetricsView,
    NothingView,
    ReadyView,
    SchemaView,
)
from notifications.api.stats import StatsView
from notifications.api.templates import (
    TemplatePreviewView,
    TemplatesView,
    TemplateVersionsView,
    TemplateView,
)
from notifications.api.tokens import TokensView, TokenView

app_name = "api"

urlpatterns = [
    path("", HelloView.as_view(), name="hello"),
    path("health", HealthView.as_view(), name="health"),
    path("ready", ReadyView.as_view(), name="ready"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("v1/mail", MessagesView.as_view(), name="messages"),
    path("v1/mail/batch", BatchView.as_view(), name="batch"),
    path("v1/mail/<uuid:message_id>", MessageView.as_view(), name="message"),
    path("v1/mail/<uuid:message_id>/events", MessageEventsView.as_view(), name="message-events"),
    path("v1/mail/<uuid:message_id>/content", ContentView.as_view(), name="message-content"),
    path("v1/mail/<uuid:message_id>/cancel", CancelView.as_view(), name="message-cancel"),
    path("v1/mail/<uuid:message_id>/retry", RetryView.as_view(), name="message-retry"),
    path(
        "v1/mail/<uuid:message_id>/reschedule",
        RescheduleView.as_view(),
        name="message-reschedule",
    ),
    path("v1/events", EventsView.as_view(), name="events"),
    path("v1/stats", StatsView.as_view(), name="stats"),
    path("v1/requests", RequestsView.as_view(), name="requests"),
    path("v1/templates", TemplatesView.as_view(), name="templates"),
    path("v1/templates/<str:template>", TemplateView.as_view(), name="template"),
    path(
        "v1/templates/<str:template>/versions",
        TemplateVersionsView.as_view(),
        name="template-versions",
    ),
    path(
        "v1/templates/<str:template>/preview",
        TemplatePreviewView.as_view(),
        name="template-preview",
    ),
    path("v1/tokens", TokensView.as_view(), name="tokens"),
    path("v1/tokens/<uuid:token_id>", TokenView.as_view(), name="token"),
    path("v1/schema", SchemaView.as_view(), name="schema"),
    path("docs/api", ReferenceView.as_view(), name="reference"),
    path("docs/errors", problem_list, name="problems"),
    path("docs/errors/<slug:kind>", problem_page, name="problem"),
    # keep last
    re_path(r"^v1(?:/.*)?$", NothingView.as_view(), name="nothing"),
]
