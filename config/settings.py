"""The one settings file. Values from outside come through config.env, which names the variable when one is wrong."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).resolve()

# --- What kind of start this is -------------------------------------------------------------------
DEMO = env.boolean("DEMO")
DEBUG = env.boolean("DEBUG")
TESTING = env.boolean("SWITCHBOARD_TESTING")
PORT = env.whole("PORT", 8000, least=1, most=65535)
BIND = env.text("BIND", "127.0.0.1")
PUBLIC_URL = env.url("PUBLIC_URL", f"http://127.0.0.1:{PORT}")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", ("127.0.0.1", "localhost", "[::1]"))
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
# Who may read /metrics besides this machine: with a token its bearer alone, else these networks.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
METRICS_NETWORKS = env.networks("METRICS_NETWORKS")
SECRET_KEY = env.text("SECRET_KEY")
FIELD_ENCRYPTION_KEYS = env.words("FIELD_ENCRYPTION_KEYS")

# --- Identity ----------------------------------------------------------------------------------------
SUPABASE_URL = env.url("SUPABASE_URL", "")
SUPABASE_JWT_SECRET = env.text("SUPABASE_JWT_SECRET", "")
SUPABASE_PUBLISHABLE_KEY = env.text("SUPABASE_PUBLISHABLE_KEY", "")
SUPABASE_SECRET_KEY = env.text("SUPABASE_SECRET_KEY", "")
BOOTSTRAP_ADMINS = env.people("BOOTSTRAP_ADMINS")
CRM_API_KEY = env.text("CRM_API_KEY", "")
CRM_API_KEY_WORKSPACE = env.slug("CRM_API_KEY_WORKSPACE")
if CRM_API_KEY and not CRM_API_KEY_WORKSPACE:
    raise ImproperlyConfigured("CRM_API_KEY_WORKSPACE must name the workspace that CRM_API_KEY reads.")

# --- Providers ---------------------------------------------------------------------------------------
STRIPE_WORKSPACE = env.slug("STRIPE_WORKSPACE")
IDENTITY_WORKSPACE = env.slug("IDENTITY_WORKSPACE")
STRIPE_WEBHOOK_SECRETS = env.secrets("STRIPE_WEBHOOK_SECRET")
STRIPE_API_KEY = env.text("STRIPE_API_KEY", "")
IDENTITY_WEBHOOK_SECRETS = env.secrets("IDENTITY_WEBHOOK_SECRET", base64_encoded=True)
SCORES_SECRETS = env.secrets("SCORES_SECRET", base64_encoded=True)
KAPSO_API_URL = env.url("KAPSO_API_URL", "https://api.kapso.ai")
TWILIO_API_URL = env.url("TWILIO_API_URL", "https://api.twilio.com")
STRIPE_API_URL = env.url("STRIPE_API_URL", "https://api.stripe.com")
ALLOWED_PRIVATE_HOSTS = env.words("ALLOWED_PRIVATE_HOSTS")
# Deliveries are kept so long: those that worked, and those that failed or were not handled.
JOURNAL_DAYS = env.whole("JOURNAL_DAYS", 30, least=1, most=3650)
JOURNAL_TROUBLE_DAYS = env.whole("JOURNAL_TROUBLE_DAYS", 90, least=1, most=3650)
# A Supabase on this machine may be called; elsewhere its keys and our tokens travel encrypted.
_supabase = urlsplit(SUPABASE_URL)
if _supabase.hostname in {"127.0.0.1", "localhost", "::1"}:
    ALLOWED_PRIVATE_HOSTS.append(_supabase.hostname)
elif _supabase.scheme == "http":
    raise ImproperlyConfigured("SUPABASE_URL must begin with https:// unless its host is this machine's loopback.")

# --- Mail --------------------------------------------------------------------------------------------
# Without EMAIL_URL nothing is sent: who invites hands the link over.
vars().update(env.mail("EMAIL_URL", f"Switchboard <noreply@{urlsplit(PUBLIC_URL).hostname}>"))

# Without it no browser is woken for a notice.
VAPID_PRIVATE_KEY = env.vapid("VAPID_PRIVATE_KEY")

# --- Processes ---------------------------------------------------------------------------------------
ASGI_SERVER = env.choice("ASGI_SERVER", "daphne", ("daphne", "uvicorn"))
PROCESSES = env.whole("PROCESSES", 1, least=1, most=64)
# Sync connections a process keeps at most (Django's pool) and async ones for the hot roads.
DATABASE_POOL_MAX = 10
HOT_POOL_MAX = 4

DATABASES: dict[str, Any] = {
    "default": {
        **env.database("DATABASE_URL"),
        "CONN_HEALTH_CHECKS": True,  # or every dead connection fails one request after the database came back
        "CONN_MAX_AGE": 0,  # the pool keeps connections; anything else leaks backends under ASGI
        "ATOMIC_REQUESTS": False,
    }
}
DATABASES["default"]["OPTIONS"] |= {"pool": {"min_size": 1, "max_size": DATABASE_POOL_MAX, "timeout": 10}}
REDIS_URL = env.redis("REDIS_URL")
# Everything we put into Redis begins so; parallel test workers share one server.
REDIS_PREFIX = env.text("REDIS_PREFIX", "sb")

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "health_check_interval": 15}], "prefix": REDIS_PREFIX},
    }
}

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # its templates come before Django admin's
    "unfold.contrib.filters",
    "config.admin.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config.live",
    "config.run",
    "jobs",
    "crm",
    "inbox",
    "proctoring",
    "webhooks",
]

APPEND_SLASH = False  # config.addresses does it, for a POST as well
MIDDLEWARE = [
    "config.metrics.Requests",
    "config.problems.middleware",
    "config.addresses.middleware",
    "config.timing.ServerTiming",
    "django.middleware.security.SecurityMiddleware",
    "config.headers.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.admin.site.AdminMessages",
    "crm.middleware.IdentityMiddleware",
]
# The admin knows people by our own middleware and keeps no session.
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E410"]
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
CSRF_FAILURE_VIEW = "crm.views.csrf_failure"

# Cookies ignore ports, so two copies on one host need names of their own.
CSRF_COOKIE_NAME = f"sb_csrf_{PORT}"
SESSION_COOKIE_NAME = f"sb_admin_{PORT}"
SIGN_IN_COOKIE_NAME = f"sb_session_{PORT}"
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = "Lax"
SECURE_COOKIES = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = SECURE_COOKIES
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "crm.User"
# Only the demo's issuer keeps passwords. Django's first choice takes 1.6 s of a small machine's CPU for each sign-in,
# scrypt 0.3 s at a strength that is recommended just as well; tests take what costs nothing.
PASSWORD_HASHERS = [f"django.contrib.auth.hashers.{'MD5' if TESTING else 'Scrypt'}PasswordHasher"]

LANGUAGE_CODE = "en"
# Of the public pages (config/languages.py).
LANGUAGES = [("en", "English"), ("es", "Español"), ("id", "Bahasa Indonesia"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": env.storage("STORAGE_URL", VAR_DIR / "media"),
    "staticfiles": {"BACKEND": "config.staticfiles.CollectedOnce"},
}
# An upload goes to a file of its own from here on; memory is not for films.
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
STATICFILES_DIRS = [("ui", BASE_DIR / "config" / "static")]
WHITENOISE_USE_FINDERS = True
# To list all files takes 20 ms, which nearly every request of a test would pay: it begins with a client of its own.
WHITENOISE_AUTOREFRESH = DEBUG or TESTING

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["crm.identity.drf.FromMiddleware"],
    "DEFAULT_PERMISSION_CLASSES": ["crm.identity.drf.IsSignedIn"],
    "EXCEPTION_HANDLER": "config.problems.exception_handler",
    "DEFAULT_RENDERER_CLASSES": ["config.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["crm.identity.request_pace.RequestPace"],
}
# Requests to the REST API; an API key has a limit of its own.
PERSON_REQUESTS_PER_MINUTE = env.whole("PERSON_REQUESTS_PER_MINUTE", 12_000, least=1)
ADDRESS_REQUESTS_PER_MINUTE = env.whole("ADDRESS_REQUESTS_PER_MINUTE", 12_000, least=1)

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Switchboard",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.openapi.finish.finish"],
    "DESCRIPTION": (
        "Everything that belongs to a workspace is under `/api/v1/workspaces/<slug>/`.\n\n"
        "**Lists** come in pages: `results`, and `next` and `previous` as addresses or null: follow them as they are."
        "\n\n"
        "**Errors** are `application/problem+json` with a stable `code`. Not a member and not there are the same 404."
        "\n\n"
        "**Once and only once:** a `client_id` (a UUID made by the client) in a body makes a message the same message "
        "however often it is sent; `Idempotency-Key` does it where it is listed. The same id for something else is 409."
        "\n\n"
        "**Limits:** too many requests are answered 429 with `Retry-After`, counted by person, API key or address."
    ),
    "ENUM_NAME_OVERRIDES": {  # several fields are called `type`
        "AttributeTypeEnum": "crm.models.AttributeType",
        "CommandTypeEnum": "proctoring.states.CommandType",
        "ChatMessageTypeEnum": ["text"],
        "MessageTypeEnum": "inbox.api.messages.SEND_TYPES",
    },
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    # Groups closed: with every operation drawn at once the page does not answer for long
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "filter": True},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# The one accent of the product, from its lightest to its darkest
_ACCENT: list[tuple[int, float, float]] = [
    *((50, 97, 0.014), (100, 94, 0.03), (200, 89, 0.055), (300, 82, 0.09), (400, 70, 0.145), (500, 59, 0.18)),
    *((600, 50.5, 0.195), (700, 45.5, 0.19), (800, 39, 0.16), (900, 33, 0.12), (950, 25, 0.08)),
]
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Switchboard",
    "SITE_HEADER": "Switchboard",
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "config.admin.navigation.favicon"}],
    "COLORS": {"primary": {str(step): f"oklch({light}% {strength} 264)" for step, light, strength in _ACCENT}},
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "config.admin.dashboard.fill",
    "ACCOUNT": {"navigation": [{"title": "Inbox", "link": "/inbox"}, {"title": "Outbox", "link": "/outbox"}]},
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "config.admin.navigation.groups"},
}

# --- Celery: an engine woken by empty nudges; the job table is the truth -------------------------------
# kombu spells a Unix socket in its own way
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_DEFAULT_QUEUE = f"{REDIS_PREFIX}.jobs"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "config.logs.Formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}
