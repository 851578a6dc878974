"""Where one signs in, under the names by which django-allauth looks for its pages.

Its page for signing up is not among them: accounts are made by staff.
"""

from collections.abc import Callable

from allauth.account import views
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.http import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache

from notifications.web.sign_in.views import ask_for_link_page, change_password_page


def _own(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
    """A page for who has signed in, which nothing keeps: it may show secrets."""
    return path(f"account/{route}", never_cache(login_required(view)), name=name)


urlpatterns = [
    path("sign-in/", views.login, name="account_login"),
    path("sign-in/code/", mfa.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/inactive/", views.account_inactive, name="account_inactive"),
    path("sign-out/", LogoutView.as_view(), name="account_logout"),
    path("password/", ask_for_link_page, name="account_reset_password"),
    path("password/sent/", views.password_reset_done, name="account_reset_password_done"),
    path(
        "password/new/<str:uidb36>/<str:key>/",
        never_cache(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    _own("", mfa.index, "mfa_index"),
    _own("password/", change_password_page, "account_change_password"),
    _own("confirm/", views.reauthenticate, "account_reauthenticate"),
    _own("confirm/code/", mfa.reauthenticate, "mfa_reauthenticate"),
    _own("confirm/passkey/", webauthn.reauthenticate_webauthn, "mfa_reauthenticate_webauthn"),
    _own("app/", totp.activate_totp, "mfa_activate_totp"),
    _own("app/remove/", totp.deactivate_totp, "mfa_deactivate_totp"),
    _own("passkeys/", webauthn.list_webauthn, "mfa_list_webauthn"),
    _own("passkeys/add/", webauthn.add_webauthn, "mfa_add_webauthn"),
    _own("passkeys/<int:pk>/remove/", webauthn.remove_webauthn, "mfa_remove_webauthn"),
    _own("passkeys/<int:pk>/rename/", webauthn.edit_webauthn, "mfa_edit_webauthn"),
    _own("recovery-codes/", recovery.view_recovery_codes, "mfa_view_recovery_codes"),
    _own("recovery-codes/new/", recovery.generate_recovery_codes, "mfa_generate_recovery_codes"),
    _own(
        "recovery-codes/recovery-codes.txt",
        recovery.download_recovery_codes,
        "mfa_download_recovery_codes",
    ),
]
