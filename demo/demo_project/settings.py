"""Settings of the demo project; every DEMO_* variable is read here and nowhere else."""

import os
import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent


def env_list(name):
    """Split a comma-separated environment variable."""
    return [item.strip() for item in os.environ.get(name, "").split(",") if item.strip()]


def env_flag(name):
    """Tell whether an environment variable says yes."""
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


DEBUG = env_flag("DEMO_DEBUG")

# A key per process ends sessions and signatures with the process, which is
# right for a demo and wrong for two processes that share users.
SECRET_KEY = os.environ.get("DEMO_SECRET_KEY") or get_random_secret_key()

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "django", *env_list("DEMO_ALLOWED_HOSTS")]

# Registered by serve.py; without it every run gets a fresh key.
API_KEY = os.environ.get("DEMO_API_KEY")

# Password of the seeded users; without it they cannot sign in.
USER_PASSWORD = os.environ.get("DEMO_USER_PASSWORD")

# Whether applications can let users sign in here: then this is an OAuth
# authorization server too, and needs what requirements-sign-in.txt names.
SIGN_IN = env_flag("DEMO_SIGN_IN")

# Secret of the client that may ask whose a token is; without it none may.
INTROSPECTION_SECRET = os.environ.get("DEMO_INTROSPECTION_SECRET")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework_api_key",
    "django_filters",
    "drf_spectacular",
    "core",
    "orbit",
]

if SIGN_IN:
    INSTALLED_APPS.append("oauth2_provider")
    from demo_project.sign_in import LOGIN_URL, OAUTH2_PROVIDER  # noqa: F401

MIDDLEWARE = [
    # First, so that redirects and error pages carry the correlation id too.
    "core.correlation.CorrelationMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "demo_project.urls"
WSGI_APPLICATION = "demo_project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ],
        },
    },
]

STATIC_URL = "static/"

DATABASE = Path(os.environ.get("DEMO_DATABASE") or BASE_DIR / ".data" / "demo.sqlite3").resolve()
DATABASE.parent.mkdir(parents=True, exist_ok=True)

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATABASE,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            # A transaction that starts as a reader and then writes fails at once
            # when another thread wrote in between; one that starts as a writer waits.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}

# Not served by itself: documents leave through the contracts API only.
MEDIA_ROOT = Path(os.environ.get("DEMO_MEDIA") or DATABASE.parent / "media").resolve()

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

EXPORT_RATE = os.environ.get("DEMO_EXPORT_RATE") or "3/min"
if not re.fullmatch(r"\d+/(s|sec|m|min|h|hour|d|day)", EXPORT_RATE):
    raise ImproperlyConfigured("DEMO_EXPORT_RATE must look like 3/min or 100/hour")

REPORT_SECONDS = float(os.environ.get("DEMO_REPORT_SECONDS") or 5)

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["core.permissions.ApiKeyOrUser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_THROTTLE_RATES": {"exports": EXPORT_RATE},
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Orbit API",
    "DESCRIPTION": "Clients, opportunities and what happens with them.",
    "VERSION": "1.0.0",
    # Tags and operation ids start after this prefix: opportunities_list, stats_retrieve.
    "SCHEMA_PATH_PREFIX": r"/api/v1/\w+",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["core.permissions.ApiKeyOrUser"],
    # The key is checked by a permission, which the generator does not look at.
    "SECURITY": [{"ApiKey": []}],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "ApiKey": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Api-Key` followed by a space and the key.",
            }
        }
    },
    "ENUM_NAME_OVERRIDES": {
        "OpportunityStatusEnum": "orbit.models.Opportunity.Status",
        "OutcomeEnum": "orbit.models.OUTCOMES",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"correlation": {"()": "core.correlation.CorrelationFilter"}},
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} {message} correlation_id={correlation_id}",
            "style": "{",
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["correlation"],
            "formatter": "line",
        }
    },
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        "django": {"level": "WARNING", "handlers": [], "propagate": True},
        # The correlation middleware writes one line for every answer already.
        "django.request": {"level": "ERROR"},
    },
}
