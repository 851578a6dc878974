"""Settings, read from the environment; a variable may also come from a file named by `*_FILE`."""

from datetime import timedelta
from pathlib import Path

import django_stubs_ext
import environ
from django.templatetags.static import static

# lets field and admin classes be written with their types
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()

LIMBO_LOCAL = env.bool("LIMBO_LOCAL", default=False)
"""On this machine only, over plain HTTP: relaxes what a public service must not."""

SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
"""Older keys that still open what they sealed: sessions, and the secrets of webhooks."""
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"] if LIMBO_LOCAL else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

LIMBO_BASE_URL = env.str("LIMBO_BASE_URL", default="http://127.0.0.1:8000")
"""Where people reach the web front; links in answers and pages begin with it."""

LIMBO_SENDER = env.str("LIMBO_SENDER", default="")
"""Whom Limbo's own messages are from, such as links for a new password; empty: there are none."""

LIMBO_PROVIDERS = env.str("LIMBO_PROVIDERS", default="")
"""`name=URL`, comma-separated; see notifications.delivery.providers."""

ANYMAIL = {
    name: value
    for name in (
        "MAILERSEND_SIGNING_SECRET",
        "MAILGUN_WEBHOOK_SIGNING_KEY",
        "MANDRILL_WEBHOOK_KEY",
        "MANDRILL_WEBHOOK_URL",
        "POSTAL_WEBHOOK_KEY",
        "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY",
        "UNISENDER_GO_API_KEY",
    )
    if (value := env.str(f"ANYMAIL_{name}", default=""))
} | {"WEBHOOK_SECRET": env.list("LIMBO_TRACKING_SECRET", default=[])}
"""How providers' tracking webhooks are told from forgeries; see notifications.tracking.security."""

LIMBO_WEBHOOK_ALLOW_PRIVATE = env.bool("LIMBO_WEBHOOK_ALLOW_PRIVATE", default=False)
"""Whether users' webhooks may go to addresses within this network."""

LIMBO_MAX_ROUNDS = env.int("LIMBO_MAX_ROUNDS", default=0)
"""Give up after so many rounds in which every provider was asked; 0: only at the deadline."""

LIMBO_REQUESTS_PER_SECOND = env.int("LIMBO_REQUESTS_PER_SECOND", default=0)
"""Submitting requests a second of one user who has no limit of his own; 0: as many as come."""

LIMBO_MESSAGES_PER_DAY = env.int("LIMBO_MESSAGES_PER_DAY", default=0)
"""Submitted messages a day of one user who has no limit of his own; 0: as many as come."""

LIMBO_THREADS = env.int("LIMBO_THREADS", default=8)
"""Hand-offs that one worker process has under way at once, by SMTP and by HTTP each."""

LIMBO_WORKERS = env.int("LIMBO_WORKERS", default=2)
"""Worker processes of one `qcluster`."""

LIMBO_JOURNAL_DIR = Path(env.str("LIMBO_JOURNAL_DIR", default=str(BASE_DIR / "var" / "journal")))
"""Where workers note what they have on the wire; on a disk of this machine."""

LIMBO_TRUSTED_PROXIES = env.int("LIMBO_TRUSTED_PROXIES", default=0)
"""How many proxies in front append to X-Forwarded-For; 0: the header is not believed."""

LIMBO_WEB_THREADS = env.int("GRANIAN_BLOCKING_THREADS", default=8)
"""Threads of one web process, as granian itself reads it; half of them may wait for events."""

INSTALLED_APPS = [
    "notifications",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "pgtrigger",
    "anymail",
    "django_prometheus",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
]

MIDDLEWARE = [
    "notifications.request_id.RequestIdMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "notifications.policy.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "limbo.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "limbo.middleware.CsrfViewMiddleware",
    "limbo.middleware.AuthenticationMiddleware",
    "limbo.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "limbo.middleware.XFrameOptionsMiddleware",
    "notifications.metrics.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "limbo.urls"
WSGI_APPLICATION = "limbo.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {
                "display": "notifications.web.display",
                "limbo_display": "notifications.admin.template_filters",
                "passkey": "notifications.web.sign_in.passkey_tags",
            },
        },
    },
]

DATABASES = {
    "default": {
        **env.db_url("DATABASE_URL", default="postgres:///limbo", engine="limbo.postgres"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    },
}
CACHES = {
    # shared by all web processes: it counts attempts to sign in, and knows which codes were used
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "notifications_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "notifications.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "web:sign-in"
LOGIN_REDIRECT_URL = "web:messages"
LOGOUT_REDIRECT_URL = "web:sign-in"
AUTHENTICATION_BACKENDS = [
    # refuses who has been wrong too often; the next one looks at the password
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]

ACCOUNT_ADAPTER = "notifications.web.sign_in.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "change_password": "notifications.web.sign_in.forms.ChangePasswordForm",
    "login": "notifications.web.sign_in.forms.SignInForm",
    "reset_password": "notifications.web.sign_in.forms.AskForLinkForm",
    "reset_password_from_key": "notifications.web.sign_in.forms.NewPasswordForm",
    "reauthenticate": "notifications.web.sign_in.forms.ConfirmForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
# operators make the accounts, and give them their addresses
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
# how long the link to a new password opens, in seconds
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_USER_DISPLAY = "notifications.web.sign_in.adapter.name_of"
ACCOUNT_RATE_LIMITS = {
    # a wide bound against guessing from many addresses: whoever reaches it locks the user out
    # everywhere, so it is well above what axes allows one address
    "login_failed": "30/m/ip,20/h/key",
}

MFA_ADAPTER = "notifications.web.sign_in.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "activate_totp": "notifications.web.sign_in.forms.SetUpAppForm",
    "add_webauthn": "notifications.web.sign_in.forms.AddPasskeyForm",
    "authenticate": "notifications.web.sign_in.forms.CodeForm",
    "edit_webauthn": "notifications.web.sign_in.forms.RenamePasskeyForm",
    "reauthenticate": "notifications.web.sign_in.forms.ConfirmCodeForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Limbo"
# the code before and the one after too: clocks differ, and people type while theirs ends
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True

LIMBO_STAFF_SECOND_FACTOR = env.bool("LIMBO_STAFF_SECOND_FACTOR", default=not LIMBO_LOCAL)
"""Whether the admin opens only to those who have proved a second factor."""

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
# a name alone would let anybody lock anybody out, an address alone a whole office
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "notifications.client_address.client_address"
AXES_SENSITIVE_PARAMETERS = [
    *("login", "username", "password", "oldpassword", "password1", "password2"),
    *("code", "credential", "csrfmiddlewaretoken"),
]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# its middleware would answer with a page of its own; the sign-in form says it, and /v1/ has no use
SILENCED_SYSTEM_CHECKS = ["axes.W002"]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [
    BASE_DIR / "notifications" / "web" / "static",
    BASE_DIR / "notifications" / "admin" / "static",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if LIMBO_LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}
WHITENOISE_USE_FINDERS = LIMBO_LOCAL
WHITENOISE_AUTOREFRESH = False

LIMBO_MAX_ATTACHMENTS_MB = env.int("LIMBO_MAX_ATTACHMENTS_MB", default=10)
# 10 MB, and the files in base64
LIMBO_MAX_REQUEST_OCTETS = (10 + LIMBO_MAX_ATTACHMENTS_MB * 4 // 3) * 1024 * 1024
# a little more than the largest, a batch, lets the API answer for itself what is too large
DATA_UPLOAD_MAX_MEMORY_SIZE = max(LIMBO_MAX_REQUEST_OCTETS, 30 * 1024 * 1024) + 64 * 1024

SESSION_COOKIE_SECURE = not LIMBO_LOCAL
CSRF_COOKIE_SECURE = not LIMBO_LOCAL
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 0 if LIMBO_LOCAL else 3600
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https")
    if env.bool("LIMBO_BEHIND_TLS_PROXY", default=False)
    else None
)
X_FRAME_OPTIONS = "DENY"

Q_CLUSTER = {
    "name": "limbo",
    "broker_class": "notifications.queue.broker.OutboxBroker",
    "orm": "default",
    # it notes there every second how it is, which nobody reads
    "cache": "process",
    "workers": LIMBO_WORKERS,
    # none: the broker hands over nothing that waits, and a full queue would block it
    "queue_limit": 0,
    "timeout": 60,
    "retry": 120,
    "max_attempts": 5,
    "ack_failures": True,
    "catch_up": False,
    # the broker waits for wake-ups itself
    "poll": 0,
    "save_limit": 1000,
    "label": "Tasks",
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["notifications.api.auth.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["notifications.api.auth.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["notifications.api.parsers.StrictJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "notifications.api.negotiation.Negotiation",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "notifications.api.errors.handle_exception",
    # the Accept header says it, and `format` would be one more parameter
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Limbo",
    "DESCRIPTION": "Submit messages, and see what became of them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    # operations are grouped by what follows it
    "SCHEMA_PATH_PREFIX": "/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "notifications.api.completing.complete",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # no validator of others', and an address for each operation
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "ENUM_NAME_OVERRIDES": {
        "State": "notifications.models.state.State",
        "Outcome": "notifications.models.handoff.Outcome",
        "RecipientKind": "notifications.models.delivery.RecipientKind",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request": {"()": "notifications.request_id.RequestIdFilter"},
        "probes": {"()": "notifications.api.probes.ProbeFilter"},
    },
    "formatters": {
        "line": {
            "format": "{asctime} {levelname:<7} {name}{request_mark}: {message}",
            "style": "{",
        },
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # one line a task is noise at thousands of messages a second
    "loggers": {
        "django-q": {"level": "WARNING"},
        # whom it locks out, not each step on the way
        "axes": {"level": "WARNING"},
        "django.request": {"filters": ["probes"]},
    },
}

UNFOLD = {
    "SITE_TITLE": "Limbo",
    "SITE_HEADER": "Limbo",
    "SITE_ICON": lambda _: static("limbo/mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("limbo/mark.svg")}
    ],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda _: static("limbo-admin/admin.css")],
    "SCRIPTS": [lambda _: static("limbo-admin/names.js")],
    "DASHBOARD_CALLBACK": "notifications.admin.home.dashboard",
    "SIDEBAR": {"navigation": "notifications.admin.navigation.sidebar"},
    # the theme's own is violet; this blue keeps 4.5:1 against white in 600 and black in 400
    "COLORS": {
        "primary": {
            "50": "#eff6ff",
            "100": "#dbeafe",
            "200": "#bfdbfe",
            "300": "#93c5fd",
            "400": "#60a5fa",
            "500": "#3b82f6",
            "600": "#2563eb",
            "700": "#1d4ed8",
            "800": "#1e40af",
            "900": "#1e3a8a",
            "950": "#172554",
        },
    },
}
