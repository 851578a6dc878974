"""The secret by which an endpoint knows that a call comes from Limbo.

It is needed for each signature, so it cannot be hashed: it is stored encrypted.
"""

import base64
import secrets

from cryptography.fernet import InvalidToken

from notifications.sealing import box_for
from notifications.webhooks.errors import SecretLostError

_PREFIX = "whsec_"
_SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""
_PURPOSE = "limbo webhook secrets"


def new_secret() -> str:
    """A random secret in the form of Standard Webhooks: `whsec_` and its bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def seal(secret: str) -> str:
    """The secret as it is stored."""
    return box_for(_PURPOSE).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret again. Raises SecretLostError when no known key opens it."""
    try:
        return box_for(_PURPOSE).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretLostError(
            "Its secret cannot be read: SECRET_KEY was changed, and the old one is not among "
            "SECRET_KEY_FALLBACKS. Make a new endpoint."
        ) from error
