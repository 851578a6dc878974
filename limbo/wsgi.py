"""The WSGI application that the web server runs."""

import os

from django.core.wsgi import get_wsgi_application

from notifications.checks import run_startup_checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "limbo.settings")

application = get_wsgi_application()

# a web server starts no command of Django's, so nothing else would check
run_startup_checks()
