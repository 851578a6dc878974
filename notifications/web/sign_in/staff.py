"""The way into the admin: the one sign-in, never a form of its own that asks for less."""

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite


def guard(site: AdminSite) -> None:
    """Have the admin's own form of signing in replaced by ours."""
    site.login = secure_admin_login(site.login)  # type: ignore[method-assign]
