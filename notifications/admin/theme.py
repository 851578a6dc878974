"""Django's admin classes in the theme's dress: the one place that knows django-unfold.

The theme has no types. Its classes are Django's with other templates and widgets, so the type
checker is shown Django's.
"""

from typing import TYPE_CHECKING, TypeVar

from django.db.models import Model
from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline
    from django.contrib.admin.views.main import ChangeList
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
    from django.contrib.auth.forms import AdminUserCreationForm as UserCreationForm
    from django.forms import CheckboxSelectMultiple, Select, Textarea, TextInput
else:
    from unfold.admin import ModelAdmin, StackedInline
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from unfold.views import ChangeList
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

__all__ = [
    "AdminPasswordChangeForm",
    "ChangeList",
    "CheckboxSelectMultiple",
    "ModelAdmin",
    "ReadOnlyAdmin",
    "Select",
    "StackedInline",
    "TextInput",
    "Textarea",
    "UserChangeForm",
    "UserCreationForm",
]

M = TypeVar("M", bound=Model)


class ReadOnlyAdmin(ModelAdmin[M]):
    """Screens that only show: nobody adds, changes or removes here, superusers included."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False
