"""The users' pages. Included at the root, under the namespace `web`."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from notifications.web import choices, sharing, tokens, views

app_name = "web"

sign_in = LoginView.as_view(template_name="web/sign_in.html", redirect_authenticated_user=True)

urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("tokens/", tokens.token_list, name="tokens"),
    path("tokens/<uuid:token_id>/revoke/", tokens.token_revoke, name="token-revoke"),
    path("messages/", views.message_list, name="messages"),
    path("messages/<uuid:message_id>/", views.message_page, name="message"),
    path("messages/<uuid:message_id>/live/", views.message_live, name="message-live"),
    path("messages/<uuid:message_id>/cancel/", choices.message_cancel, name="message-cancel"),
    path("messages/<uuid:message_id>/retry/", choices.message_retry, name="message-retry"),
    path("messages/<uuid:message_id>/links/", sharing.link_list, name="links"),
    path("links/<uuid:link_id>/revoke/", sharing.link_revoke, name="link-revoke"),
    path("shared/<str:key>/", sharing.shared, name="shared"),
]
