"""`python -m benchmarks.admin.session`: signs staff in, and prints the cookie and a path.

The path is of a page that is found by its key.
"""

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django must be set up first
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from notifications.models import Provider, User  # noqa: E402

if __name__ == "__main__":
    user, _ = User.objects.get_or_create(
        username="bench", defaults={"is_staff": True, "is_superuser": True}
    )
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    print(client.cookies[settings.SESSION_COOKIE_NAME].value)
    provider = Provider.objects.get(name="relay")
    print(reverse("admin:notifications_provider_change", args=[provider.pk]))
