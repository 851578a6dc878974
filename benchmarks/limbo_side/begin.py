"""`python -m benchmarks.limbo_side.begin`: the user whose messages a benchmark sends."""

import django

django.setup()

from notifications.models import User  # noqa: E402 - Django must be set up first

if __name__ == "__main__":
    User.objects.create_user("bench")
