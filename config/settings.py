"""The settings of an installation, read from the environment. `.env.example` lists and explains every variable.

Safe without any of them: no debug, a generated secret key, an embedded database and files under the data directory.
"""

import pathlib
import urllib.parse
from typing import Any

from config import api_page, environment, secrets
from config import logging as structured_logging

env = environment.env
BASE_DIR = environment.BASE_DIR
DATA_DIR = environment.make_private(environment.data_dir())

# --- Security -----------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or secrets.secret_key(DATA_DIR / "secret_key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
_public = urllib.parse.urlsplit(PUBLIC_URL)
HTTPS = _public.scheme == "https"

_hosts = ["localhost", "127.0.0.1", "[::1]", *filter(None, [_public.hostname])]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=list(dict.fromkeys(_hosts)))
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[f"{_public.scheme}://{_public.netloc}"])

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=12) * 3600
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"  # pages show documents of this server in a frame
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:  # believed only when said so: a client could send the header itself
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("REQUEST_MAX_MEGABYTES", default=16) * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a quote of a hundred products has thousands of prices

# --- Applications -------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "djmoney",
    "django_celery_beat",
    "config.platform",
    "catalog",
    "customers",
    "invoicing",
    "billing",
    "config",
]

MIDDLEWARE = [
    "config.logging.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.security.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.platform.admin.personal_viewing.PersonalViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True

TEMPLATES: list[dict[str, Any]] = [
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
        },
    },
]

# --- Database -----------------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASE: dict[str, Any]
if env.str("DATABASE_URL", default=""):
    DATABASE = env.db("DATABASE_URL")
else:  # the embedded server knows its own address
    DATABASE = {"ENGINE": "config.localdb", "NAME": "quittance", "OPTIONS": {}}
DATABASE["CONN_MAX_AGE"] = env.int("DATABASE_CONNECTION_SECONDS", default=60)
DATABASE["CONN_HEALTH_CHECKS"] = True
DATABASE["ATOMIC_REQUESTS"] = False  # the services own the transactions
DATABASES = {"default": DATABASE}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Amounts carry no list of currencies: a row's own field says which there are, and hundreds of names beside every amount
# make each start, and most of all a first migration, slow.
CURRENCY_CHOICES: list[tuple[str, str]] = []

# --- Background work ----------------------------------------------------------------------------------------------

BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or "filesystem://localhost"
if CELERY_BROKER_URL.startswith("filesystem://"):
    _queue = environment.make_private(BROKER_DIR / "queue")
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue),
        "data_folder_out": str(_queue),
        "control_folder": str(environment.make_private(BROKER_DIR / "control")),
        "broken_folder": str(environment.make_private(BROKER_DIR / "broken")),
        "polling_interval": 0.1,
    }
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ALWAYS_EAGER = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- E-mail -------------------------------------------------------------------------------------------------------

EMAIL_FILE_PATH = DATA_DIR / "outbox"
EMAIL_BACKEND = "config.mail.EmlBackend"
if env.str("EMAIL_URL", default=""):
    vars().update(env.email_url("EMAIL_URL"))
    EMAIL_FILE_PATH = EMAIL_FILE_PATH or DATA_DIR / "outbox"
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT_SECONDS", default=20)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="billing@localhost")
SERVER_EMAIL = env.str("SERVER_EMAIL", default=DEFAULT_FROM_EMAIL)

# --- Files --------------------------------------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "files"
MEDIA_URL = "/files/"  # never served directly: documents are handed out by views that ask for a right
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default="") or str(DATA_DIR / "static")
pathlib.Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [folder for folder in (BASE_DIR / "static",) if folder.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # serves the packages' own files: no collectstatic step
WHITENOISE_AUTOREFRESH = DEBUG

# --- Languages and time -------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("it", "Italiano"),
    ("nb", "Norsk bokmål"),
    ("pt-br", "Português (Brasil)"),
    ("sv", "Svenska"),
    ("zh-hant", "繁體中文"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- Signing in ---------------------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- API ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["config.platform.api.auth.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["config.platform.api.auth.HasApiKey"],
    "DEFAULT_PAGINATION_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.platform.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Quittance",
    "DESCRIPTION": api_page.DESCRIPTION,
    "VERSION": "1",
    "LICENSE": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    "SERVERS": [{"url": "/", "description": "The installation that the description comes from."}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": api_page.SETTINGS,
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.platform.api.schema_hooks.complete",
    ],
    # The same name has different choices in different places.
    "ENUM_NAME_OVERRIDES": {
        "DisputeOutcome": "invoicing.domain.disputes.OUTCOMES",
        "FeePaymentStatus": "invoicing.domain.standalone.STATUSES",
        "InvoicePaymentStatus": "invoicing.models.Invoice.PaymentStatus",
    },
}

API_LOG_DAYS = env.int("API_LOG_DAYS", default=90)
API_LOG_EVENTS = env.bool("API_LOG_EVENTS", default=False)
API_LOG_HIDDEN_FIELDS = env.list(
    "API_LOG_HIDDEN_FIELDS",
    default="email,to,cc,bcc,phone,firstname,lastname,address_line1,address_line2,zipcode".split(","),
)
SECURITY_LOG_DAYS = env.int("SECURITY_LOG_DAYS", default=365)
PERSONAL_VIEW_DAYS = env.int("PERSONAL_VIEW_DAYS", default=365)
IMPORT_DAYS = env.int("IMPORT_DAYS", default=180)
IDEMPOTENCY_DAYS = env.int("IDEMPOTENCY_DAYS", default=30)

# --- Billing ------------------------------------------------------------------------------------------------------

BILLING_CATCH_UP = env.bool("BILLING_CATCH_UP", default=True)
BILLING_RUN_CHUNK = env.int("BILLING_RUN_CHUNK", default=200)
ENDING_NOTICE_DAYS = env.list("ENDING_NOTICE_DAYS", cast=int, default=[45, 15])
PORTAL_LINK_HOURS = env.int("PORTAL_LINK_HOURS", default=12)
MAX_ACTIVE_WALLETS = env.int("MAX_ACTIVE_WALLETS", default=6)
VIES_CHECKER = env.str("VIES_CHECKER", default="customers.services.vies.ask") or None
VIES_URL = env.str("VIES_URL", default="https://ec.europa.eu/taxation_customs/vies/rest-api")

# --- Webhooks -----------------------------------------------------------------------------------------------------

# Kept like the secret key: configured, or made on first use. Several machines need the same ones.
WEBHOOK_SIGNING_KEY = env.str("WEBHOOK_SIGNING_KEY", default="")
WEBHOOK_HMAC_KEY = env.str("WEBHOOK_HMAC_KEY", default="")
WEBHOOK_TIMEOUT_SECONDS = env.int("WEBHOOK_TIMEOUT_SECONDS", default=30)
WEBHOOK_ATTEMPTS = env.int("WEBHOOK_ATTEMPTS", default=25)
WEBHOOK_CONCURRENCY = env.int("WEBHOOK_CONCURRENCY", default=10)
WEBHOOK_KEEP_DAYS = env.int("WEBHOOK_KEEP_DAYS", default=90)

# --- Admin --------------------------------------------------------------------------------------------------------

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Quittance",
    "SITE_HEADER": "Quittance",
    "SITE_SUBHEADER": "Billing back office",
    "SITE_ICON": "config.admin_site.mark",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "config.admin_site.mark"}],
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "STYLES": ["config.admin_site.stylesheet"],
    "SCRIPTS": [
        "config.admin_site.pages_script",
        "config.admin_site.charts_script",
        "config.admin_site.progress_script",
        "config.admin_site.later_script",
        "config.admin_site.keys_script",
    ],
    "DASHBOARD_CALLBACK": "config.dashboard.overview.callback",
    "COMMAND": {"search_models": False},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "config.admin_site.navigation"},
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(96.2% .018 272.314)",
            "100": "oklch(93% .034 272.788)",
            "200": "oklch(87% .065 274.039)",
            "300": "oklch(78.5% .115 274.713)",
            "400": "oklch(67.3% .182 276.935)",
            "500": "oklch(58.5% .233 277.117)",
            "600": "oklch(51.1% .262 276.966)",
            "700": "oklch(45.7% .24 277.023)",
            "800": "oklch(39.8% .195 277.366)",
            "900": "oklch(35.9% .144 278.697)",
            "950": "oklch(25.7% .09 281.288)",
        },
    },
}

# --- Serving and logs ---------------------------------------------------------------------------------------------

WEB_HOST = env.str("WEB_HOST", default="127.0.0.1")
WEB_PORT = env.int("WEB_PORT", default=8000)
WEB_PROCESSES = env.int("WEB_PROCESSES", default=2)
WEB_THREADS = env.int("WEB_THREADS", default=4)
WORKER_PROCESSES = env.int("WORKER_PROCESSES", default=2)

LOG_FORMAT = env.str("LOG_FORMAT", default="human")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOG_TASKS = env.bool("LOG_TASKS", default=False)
LOGGING = structured_logging.configuration(log_format=LOG_FORMAT, level=LOG_LEVEL, tasks=LOG_TASKS)
