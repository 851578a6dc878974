"""Limbo's settings, with the environment that the tests want."""

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-only-for-tests-only-for-tests-only-for-tests")
os.environ.setdefault("LIMBO_LOCAL", "1")
os.environ.setdefault("LIMBO_PROVIDERS", "first=smtp://127.0.0.1:1,second=smtp://127.0.0.1:2")
os.environ.setdefault("LOG_LEVEL", "WARNING")

from limbo.settings import *  # noqa: F403

# half a second a user, for nothing that is tested here
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
