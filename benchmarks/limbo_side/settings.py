"""Limbo's settings with one application more, which changes a part of it for one row only."""

import os

from limbo.settings import *  # noqa: F403
from limbo.settings import INSTALLED_APPS as _INSTALLED_APPS

INSTALLED_APPS = [*_INSTALLED_APPS, os.environ["BENCH_APP"]]
