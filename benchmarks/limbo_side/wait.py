"""`python -m benchmarks.limbo_side.wait N`: N messages that are due, and whose events are no news.

What workers do besides sending them is then for what they send only, however many wait.
"""

import sys

import django

django.setup()

from benchmarks.limbo_side.fill import fill  # noqa: E402 - Django must be set up first
from benchmarks.limbo_side.follow import follow  # noqa: E402

if __name__ == "__main__":
    fill(int(sys.argv[1]))
    follow()
