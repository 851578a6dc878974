"""The users' pages. Included at the root, under the namespace `web`."""

from allauth.account.views import login
from django.contrib.auth.views import LogoutView
from django.urls import path

from notifications.web import (
    choices,
    requests,
    sharing,
    template_preview,
    templates,
    tokens,
    usage,
    views,
)

app_name = "web"

urlpatterns = [
    path("sign-in/", login, name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("tokens/", tokens.token_list, name="tokens"),
    path("tokens/<uuid:token_id>/revoke/", tokens.token_revoke, name="token-revoke"),
    path("templates/", templates.template_list, name="templates"),
    path("templates/new/", templates.template_new, name="template-new"),
    path("templates/<uuid:template_id>/", templates.template_page, name="template"),
    path("templates/<uuid:template_id>/edit/", templates.template_edit, name="template-edit"),
    path("templates/<uuid:template_id>/delete/", templates.template_delete, name="template-delete"),
    path(
        "templates/<uuid:template_id>/preview/",
        template_preview.template_preview,
        name="template-preview",
    ),
    path(
        "templates/<uuid:template_id>/preview/html/",
        template_preview.template_frame,
        name="template-frame",
    ),
    path("requests/", requests.request_list, name="requests"),
    path("usage/", usage.usage_page, name="usage"),
    path("messages/", views.message_list, name="messages"),
    path("messages/<uuid:message_id>/", views.message_page, name="message"),
    path("messages/<uuid:message_id>/live/", views.message_live, name="message-live"),
    path("messages/<uuid:message_id>/cancel/", choices.message_cancel, name="message-cancel"),
    path("messages/<uuid:message_id>/retry/", choices.message_retry, name="message-retry"),
    path("messages/<uuid:message_id>/links/", sharing.link_list, name="links"),
    path("links/<uuid:link_id>/revoke/", sharing.link_revoke, name="link-revoke"),
    path("shared/<str:key>/", sharing.shared, name="shared"),
]
