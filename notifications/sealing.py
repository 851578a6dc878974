"""Encryption of secrets that are stored and needed again.

The key is derived from SECRET_KEY, which is not in the database; SECRET_KEY_FALLBACKS can still
open what it sealed.
"""

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def box_for(purpose: str) -> MultiFernet:
    """What encrypts and decrypts for `purpose`, and opens nothing of another's."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_derive(key, purpose)) for key in keys])


def _derive(key: str, purpose: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode())
    return base64.urlsafe_b64encode(kdf.derive(key.encode()))
