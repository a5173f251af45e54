"""Settings of test runs: the installation's own, made quick and self-contained. Nothing here reaches outside the
process but the database, and that is one of its own on the same server.
"""

from config.settings import *  # noqa: F403
from config.settings import DATABASE, STORAGES

SECRET_KEY = "a key for tests only, never used to serve anyone"
DEBUG = False

# Losing a test's rows in a crash is no loss: nothing waits for the disk.
DATABASE["OPTIONS"] = {**DATABASE.get("OPTIONS", {}), "options": "-c synchronous_commit=off"}
DATABASE["CONN_MAX_AGE"] = 0

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
VIES_CHECKER = "tests.factories.vat_checkers.every_number"  # the register itself is never asked by a test
STORAGES = {**STORAGES, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
