"""`python -m benchmarks.limbo_side.turns`: gives all that is due its turn."""

import django

django.setup()

from benchmarks.limbo_side.line import give_turns  # noqa: E402 - Django must be set up first

if __name__ == "__main__":
    while give_turns():
        pass
