"""The second factor: how its secrets are kept, and how it is called."""

import logging

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import InvalidToken

from notifications.models import User
from notifications.sealing import box_for

logger = logging.getLogger(__name__)

_PURPOSE = "limbo second factors"


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets are stored encrypted, and pages speak of passkeys."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is wrong, or was used before.",
    }

    def encrypt(self, text: str) -> str:
        """The secret as it is stored."""
        return box_for(_PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again; one that nobody knows, where no known key opens it."""
        try:
            return box_for(_PURPOSE).decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logger.error(  # noqa: TRY400 - the traceback says nothing more
                "A second factor cannot be read: SECRET_KEY was changed, and the old one is not "
                "among SECRET_KEY_FALLBACKS."
            )
            return str(generate_totp_secret())

    def build_totp_svg(self, url: str) -> str:
        """The picture to scan, without the line that only a file of its own begins with."""
        svg: str = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]

    def get_totp_label(self, user: User) -> str:
        """How the account is called in the app: people may have several."""
        return user.get_username()

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002 - allauth's
        """How a passkey is called that was given no name."""
        return "Passkey"
