"""The Celery application. Its settings are Django's `CELERY_*`; tasks live in the apps' `tasks.py`.

A message is only a wake-up: what has to be done is rows in the database. So any broker will do, and no result is kept.
"""

import os
from typing import Any

from celery import Celery, signals

from config import file_broker
from config import logging as structured_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

file_broker.install()
app = Celery("quittance")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _keep_logging(**_: Any) -> None:
    """Keep Django's logging: Celery leaves the loggers alone where this signal has a receiver."""


@signals.task_prerun.connect
def _name_task(task_id: str, **_: Any) -> None:
    structured_logging.set_request_id(task_id)
