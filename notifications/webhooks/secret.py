"""The secret by which an endpoint knows that a call comes from Limbo.

It is needed for each signature, so it cannot be hashed: it is stored encrypted. The key is derived
from SECRET_KEY, which is not in the database; SECRET_KEY_FALLBACKS can still open what it sealed.
"""

import base64
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from notifications.webhooks.errors import SecretLostError

_PREFIX = "whsec_"
_SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""


def new_secret() -> str:
    """A random secret in the form of Standard Webhooks: `whsec_` and its bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def seal(secret: str) -> str:
    """The secret as it is stored."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret again. Raises SecretLostError when no known key opens it."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretLostError(
            "Its secret cannot be read: SECRET_KEY was changed, and the old one is not among "
            "SECRET_KEY_FALLBACKS. Make a new endpoint."
        ) from error


def _box() -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"limbo webhook secrets")
    return base64.urlsafe_b64encode(kdf.derive(key.encode()))
