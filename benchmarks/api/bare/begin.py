"""`python -m benchmarks.api.bare.begin`: the first user; prints the user's token."""

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 - Django must be set up first
from rest_framework.authtoken.models import Token  # noqa: E402

if __name__ == "__main__":
    print(Token.objects.create(user=get_user_model().objects.create(username="bench")).key)
