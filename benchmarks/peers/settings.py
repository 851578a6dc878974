"""The peers' project: each peer with its defaults, or as `PEER` tells to tune it."""

import os
from urllib.parse import unquote, urlsplit

_database = urlsplit(os.environ["DATABASE_URL"])

SECRET_KEY = "only-for-benchmarks"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "anymail",
    "django_q",
    "mailer",
    "post_office",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": _database.username,
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _database.hostname,
        "PORT": _database.port,
        "CONN_MAX_AGE": 60,
    },
}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ.get("SINK_PORT", "0"))

MAILER_EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

POST_OFFICE: dict[str, object] = {}
if os.environ.get("PEER") == "post-office-tuned":
    POST_OFFICE = {"BATCH_SIZE": 5000, "THREADS_PER_PROCESS": 10}

if os.environ.get("PEER") == "q2-http":
    EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
ANYMAIL = {
    "POSTMARK_SERVER_TOKEN": "token",
    "POSTMARK_API_URL": f"http://127.0.0.1:{EMAIL_PORT}/",
}

# `retry` only has to be longer than the whole run: nothing is to be sent twice here
Q_CLUSTER = {"name": "peer", "orm": "default", "workers": 2, "timeout": 60, "retry": 3600}

CELERY_BROKER_URL = os.environ.get("REDIS_URL", "")
CELERY_TASK_IGNORE_RESULT = True

LOGGING = {"version": 1, "root": {"level": "WARNING"}, "loggers": {"django-q": {"level": "ERROR"}}}
