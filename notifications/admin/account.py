"""Users and groups: Django's own screens in the theme's dress, with what roles need.

Whoever may change users could make himself a superuser; so only superusers touch staff, and what
makes somebody staff.
"""

from typing import Any

from allauth.account import admin as _registered_first  # noqa: F401 - not after us
from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse

from notifications.admin.account_notices import tell
from notifications.admin.lock_outs import let_in, lock_outs_of
from notifications.admin.own_page import OwnPage
from notifications.admin.reasons import answered, ask_why
from notifications.admin.roles import EXPLAINED
from notifications.admin.staff_log import in_words, told
from notifications.admin.theme import (
    AdminPasswordChangeForm,
    ModelAdmin,
    StackedInline,
    UserChangeForm,
    UserCreationForm,
)
from notifications.models import Role, RoleKey, SendingLimit, User

# a user's address is on the user's own page
admin.site.unregister([Group, EmailAddress])

_LET_IN = "What was wrong so far does not count any more: they can try again at once."

MAKES_STAFF = ("is_staff", "is_superuser", "groups", "user_permissions")
"""What gives power over others: superusers alone give it."""


class NewPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg] # the real one takes none
    """A password that staff choose, of which its user is told."""

    def save(self, commit: bool = True) -> User:
        """Store it, and have the user told."""
        user: User = super().save(commit)
        tell(user.email, ["Your password was changed"])
        return user


class SendingLimitInline(StackedInline[SendingLimit, User]):
    """How much the user may submit."""

    model = SendingLimit
    verbose_name = "limit of what is submitted"
    fields = ("requests_per_second", "messages_per_day")


@admin.register(User)
class UserAdmin(OwnPage[User], DjangoUserAdmin[User], ModelAdmin[User]):
    """Developers, support staff and users: one kind of account."""

    form = UserChangeForm[User]
    add_form = UserCreationForm
    change_password_form = NewPasswordForm
    change_form_outer_before_template = "admin/notifications/user/lock_outs.html"
    list_display = ("username", "email", "is_active", "is_staff", "roles_column", "last_login")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Users, with their groups."""
        return super().get_queryset(request).prefetch_related("groups")

    def get_inlines(
        self, request: HttpRequest, obj: User | None
    ) -> list[type[InlineModelAdmin[Any, Any]]]:
        """A user has limits once there is one."""
        return [SendingLimitInline] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """What only superusers may give."""
        seen = tuple(super().get_readonly_fields(request, obj))
        return seen if _is_superuser(request) else (*seen, *MAKES_STAFF)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff are changed by superusers alone: whoever sets a password can sign in with it."""
        if obj is not None and obj.is_limbo:
            # whoever signed in with it would read the links that let people in
            return False
        if obj is not None and (obj.is_staff or obj.is_superuser):
            return _is_superuser(request)
        return super().has_change_permission(request, obj)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """What was changed; of what gives power, from what to what."""
        changed = super().construct_change_message(request, form, formsets, add)
        given = [] if add else [_given(form, name) for name in (*MAKES_STAFF, "is_active")]
        steps = "; ".join(filter(None, given))
        return f"{in_words(changed)} {steps}." if steps else changed

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool
    ) -> None:
        """Store a user; who had another address is told there: the new one opens the account."""
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            tell(form.initial["email"], ["Your address was changed"])

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever is in the log of staff's actions stays; made inactive, he can do nothing more."""
        has_acted = obj is not None and LogEntry.objects.filter(user=obj).exists()
        return not has_acted and super().has_delete_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        """Django's, and that by which somebody who is locked out is let in."""
        view = self.admin_site.admin_view(self.let_in_view)
        return [
            path("<int:user_id>/let-in/", view, name="notifications_user_let_in"),
            *super().get_urls(),
        ]

    def own_context(self, request: HttpRequest, obj: User) -> dict[str, Any]:
        """Whether the user is locked out, and who may change that."""
        return {
            "lock_outs": lock_outs_of(obj, request),
            "may_let_in": self.has_change_permission(request, obj),
        }

    def let_in_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Let somebody sign in again who is locked out, with a reason."""
        user = get_object_or_404(User, pk=user_id)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        page = reverse("admin:notifications_user_change", args=[user_id])
        if not lock_outs_of(user, request):
            self.message_user(request, f"{user} is not locked out.", messages.WARNING)
            return HttpResponseRedirect(page)
        form = answered(request)
        if not form.is_valid():
            return ask_why(
                self, request, [user], form=form, verb="Let in", consequence=_LET_IN, back=page
            )
        with transaction.atomic():
            self.log_change(request, user, told("Let in again.", form.cleaned_data["why"]))
            let_in(user, request)
        self.message_user(request, f"{user} can sign in again.")
        return HttpResponseRedirect(page)

    @admin.display(description="Groups")
    def roles_column(self, user: User) -> str:
        """The groups that say what they may do."""
        return ", ".join(group.name for group in user.groups.all()) or "–"


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin[Group]):
    """Sets of permissions: Limbo's roles, and those that staff make."""

    list_display = ("name", "role_column")
    readonly_fields = ("role_column",)
    list_select_related = ("role",)

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        """What a role may is told in words too."""
        return ("name", "role_column", "permissions") if role_of(obj) else ("name", "permissions")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Group | None = None
    ) -> tuple[str, ...]:
        """A role's permissions are Limbo's own: the next migration would undo what was changed."""
        return ("role_column", "permissions") if role_of(obj) else ("role_column",)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Roles stay; one that is not wanted has no members."""
        return role_of(obj) is None and super().has_delete_permission(request, obj)

    @admin.display(description="May")
    def role_column(self, group: Group) -> str:
        """What its members may do, if it is a role."""
        role = role_of(group)
        return EXPLAINED[RoleKey(role.key)] if role else "What its permissions say."


def role_of(group: Group | None) -> Role | None:
    """The role that `group` carries, if it does."""
    role: Role | None = getattr(group, "role", None)
    return role


def _given(form: Any, name: str) -> str:
    """How the field `name` was changed; empty if it was not."""
    if name not in getattr(form, "changed_data", ()):
        return ""
    before, after = (_told(value) for value in (form.initial.get(name), form.cleaned_data[name]))
    return f"{form.fields[name].label}: {before} → {after}"


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(sorted(str(item) for item in value or ())) or "none"


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
