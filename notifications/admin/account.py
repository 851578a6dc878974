"""Users and groups: Django's own screens in the theme's dress."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from notifications.admin.theme import (
    AdminPasswordChangeForm,
    ModelAdmin,
    StackedInline,
    UserChangeForm,
    UserCreationForm,
)
from notifications.models import SendingLimit, User

admin.site.unregister(Group)


class SendingLimitInline(StackedInline[SendingLimit, User]):
    """How much the user may submit."""

    model = SendingLimit
    verbose_name = "limit of what is submitted"
    fields = ("requests_per_second", "messages_per_day")


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User], ModelAdmin[User]):
    """Developers, support staff and users: one kind of account."""

    form = UserChangeForm[User]
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login")

    def get_inlines(
        self, request: HttpRequest, obj: User | None
    ) -> list[type[InlineModelAdmin[Any, Any]]]:
        """A user has limits once there is one."""
        return [SendingLimitInline] if obj else []


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin[Group]):
    """Sets of permissions."""
