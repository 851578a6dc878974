"""The environment that the settings read under test; loaded by pytest before Django's settings."""

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-only-for-tests-only-for-tests-only-for-tests")
os.environ.setdefault("LIMBO_LOCAL", "1")
os.environ.setdefault("LIMBO_PROVIDERS", "first=smtp://127.0.0.1:1,second=smtp://127.0.0.1:2")
os.environ.setdefault("LOG_LEVEL", "WARNING")
