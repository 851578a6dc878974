"""Second factors: who has one, and taking one away from whoever has lost it."""

from allauth.mfa import admin as _registered_first  # noqa: F401 - not after us
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from notifications.admin.account_notices import tell
from notifications.admin.display import moment
from notifications.admin.removal import RemovalAdmin
from notifications.models import User

_REMOVED = {
    Authenticator.Type.TOTP: "Your authenticator app was removed",
    Authenticator.Type.WEBAUTHN: "A passkey was removed",
    Authenticator.Type.RECOVERY_CODES: "Your recovery codes were removed",
}
"""What users are told, the most telling first."""

# allauth's own screen would show the sealed secrets
admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class SecondFactorAdmin(RemovalAdmin[Authenticator]):
    """Only their owner sets them up; staff take them away. Their secrets are never shown."""

    noun = "second factor"
    consequence = "Without another one its user signs in by the password alone, and is told so."

    list_display = ("user", "type", "created_column", "used_column")
    fields = ("user", "type", "created_column", "used_column")
    readonly_fields = fields
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__username",)
    search_help_text = "User"
    ordering = ("user__username", "type")
    list_per_page = 50
    sortable_by = ()

    @admin.display(description="Set up")
    def created_column(self, factor: Authenticator) -> SafeString:
        """When it was set up."""
        return moment(factor.created_at)

    @admin.display(description="Last used", empty_value="never")
    def used_column(self, factor: Authenticator) -> SafeString | None:
        """When it was last used; None for never."""
        return moment(factor.last_used_at) if factor.last_used_at else None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: it takes what only its owner has."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who may; only superusers for staff, who would be let in again by less."""
        is_of_staff = isinstance(obj, Authenticator) and obj.user.is_staff
        is_open = request.user.is_superuser or not is_of_staff
        return is_open and super().has_delete_permission(request, obj)

    def called(self, row: Authenticator) -> str:
        """It has no name that says whose it is."""
        return f"{row} of {row.user.get_username()}"

    def remove(self, rows: QuerySet[Authenticator]) -> None:
        """Take them away, and recovery codes that then stand in for nothing; tell their users."""
        removed = list(rows.values_list("user_id", "type"))
        rows.delete()
        kinds = Authenticator.Type
        still = Authenticator.objects.exclude(type=kinds.RECOVERY_CODES).values("user_id")
        codes = Authenticator.objects.filter(
            user_id__in={user_id for user_id, _ in removed}, type=kinds.RECOVERY_CODES
        ).exclude(user_id__in=still)
        removed += codes.values_list("user_id", "type")
        codes.delete()
        for user in User.objects.filter(pk__in={user_id for user_id, _ in removed}):
            kinds_of = {kind for user_id, kind in removed if user_id == user.pk}
            tell(user.email, [words for kind, words in _REMOVED.items() if kind in kinds_of])
