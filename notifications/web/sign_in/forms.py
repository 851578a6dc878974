"""The forms of signing in: allauth's, without the texts that stand in for labels."""

from typing import Any

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base import forms as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as webauthn
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.forms import Field
from django.http import HttpRequest

from notifications.web.sign_in.attempts import is_locked_out, note_wrong_code
from notifications.web.sign_in.reset import ask_for_link

_CODE = {
    "autocapitalize": "off",
    "autocomplete": "one-time-code",
    "autofocus": True,
    "inputmode": "numeric",
    "spellcheck": "false",
}

_USED_SECONDS = 90
"""As long as a code of the app is valid, the one before and the one after included."""


class SignInForm(account.LoginForm):
    """User name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs = {
            "autocapitalize": "off",
            "autocomplete": "username webauthn",
            "autofocus": True,
            "spellcheck": "false",
        }
        _plain(self.fields["password"], autocomplete="current-password")


class ConfirmForm(account.ReauthenticateForm):
    """The password again, before something that matters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["password"], autocomplete="current-password", autofocus=True)


class ChangePasswordForm(account.ChangePasswordForm):
    """The password, and a new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["oldpassword"], "Your password now", autocomplete="current-password")
        _name_new_password(self.fields)


class AskForLinkForm(account.ResetPasswordForm):
    """The address to which a link is to go. Who has it is looked up later, by a worker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attributes = {"type": "email", "autocomplete": "email", "autofocus": True}
        _plain(self.fields["email"], "Your address", **attributes)

    def clean_email(self) -> str:
        """The address, whoever has it or has it not."""
        return str(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Have the link sent; the same is done for every address."""
        address = str(self.cleaned_data["email"])
        ask_for_link(address)
        return address


class NewPasswordForm(account.ResetPasswordKeyForm):
    """A new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_new_password(self.fields)
        self.fields["password1"].widget.attrs["autofocus"] = True


class _CodeForm(mfa.BaseAuthenticateForm):
    """A code of the app, or a recovery code. Five wrong ones lock out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs = dict(_CODE)

    def clean_code(self) -> str:
        """The code. Raises ValidationError for a wrong one, a used one, and one too many."""
        request, user = context.request, self.user
        if is_locked_out(request, user):
            raise get_adapter().validation_error("too_many_login_attempts")
        try:
            return self._unused(super().clean_code())
        except ValidationError as error:
            if error.code == "incorrect_code" and note_wrong_code(request, user):
                raise get_adapter().validation_error("too_many_login_attempts") from error
            raise

    def _unused(self, code: str) -> str:
        """The code, if it was not used before; allauth remembers it for a third of its life."""
        is_of_app = self.authenticator.type == Authenticator.Type.TOTP
        key = f"limbo.code.used.{self.user.pk}.{''.join(code.split())}"
        if is_of_app and not cache.add(key, "yes", timeout=_USED_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(_CodeForm, mfa.AuthenticateForm):
    """The second step of signing in."""


class ConfirmCodeForm(_CodeForm, mfa.ReauthenticateForm):
    """A code, before something that matters."""


class SetUpAppForm(ActivateTOTPForm):
    """The first code, which shows that the app has the secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "The code that the app shows"
        self.fields["code"].widget.attrs = dict(_CODE)


class AddPasskeyForm(webauthn.AddWebAuthnForm):
    """A new passkey, and what it is to be called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("name", "")
        super().__init__(*args, **kwargs)
        _plain(self.fields["name"], "What do you call it?", autocomplete="off", maxlength=60)
        self.fields["name"].help_text = "Such as: my phone, or the blue key."
        self.fields["passwordless"].label = "Let it stand for name and password too"
        self.fields["passwordless"].help_text = "It must then know you, by a PIN or a finger."
        self.fields["passwordless"].initial = True


class RenamePasskeyForm(webauthn.EditWebAuthnForm):
    """Another name for a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["name"], "What do you call it?", autocomplete="off", maxlength=60)


def _name_new_password(fields: dict[str, Field]) -> None:
    """Label the two fields of a new password."""
    told = fields["password1"].help_text
    _plain(fields["password1"], "New password", autocomplete="new-password")
    fields["password1"].help_text = told
    _plain(fields["password2"], "The new one again", autocomplete="new-password")


def _plain(field: Field, label: str = "", **attributes: Any) -> None:
    """Take a field's place-holder and help away, and give it what it needs instead."""
    field.label = label or field.label
    field.help_text = ""
    field.widget.attrs = attributes
