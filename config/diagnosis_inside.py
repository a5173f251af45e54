"""What `manage.py doctor` finds inside the installation: companies that lack something on their invoices, and programs
that have not been heard of for a while.

These are hints, not faults: a company may be completed later, and programs may be stopped on purpose.
"""

import datetime
import pathlib

from django.conf import settings
from django.db.models import Max
from django_celery_beat.models import PeriodicTask
from kombu import Connection
from kombu.exceptions import KombuError

from config.diagnosis_findings import Finding
from config.platform.models import FirstStep
from config.platform.queries import first_steps
from customers.models import BillingEntity
from invoicing.models import TaxEngine

SILENCE = datetime.timedelta(minutes=15)
"""Some jobs are due every five minutes, so a scheduler or worker that is up is heard of more often than that."""
MANY_MESSAGES = 500
QUEUE = "celery"


def companies() -> list[Finding]:
    """What do the selling companies lack that a customer expects on an invoice, or that gets it there?"""
    found = []
    for entity in BillingEntity.objects.order_by("code"):
        lacks = _lacks(entity)
        advice = f"Complete {entity.code} in the admin under Billing entities, or through the API." if lacks else ""
        found.append(
            Finding("company", ok=True, text=f"{entity.code}: {'; '.join(lacks) or 'complete'}", advice=advice)
        )
    return found


def _lacks(entity: BillingEntity) -> list[str]:
    lacks = []
    if not (entity.address_line1 and entity.city and entity.country):
        lacks.append("no full address")
    if not entity.iban:
        lacks.append("no bank details")
    if "invoice.finalized" not in entity.email_settings:
        lacks.append("e-mails of invoices are off")
    if _is_untaxed(entity):
        lacks.append("applies no tax, so its invoices are issued without one")
    if not entity.net_payment_term:
        lacks.append("invoices are due at once (payment term of 0 days)")
    return lacks


def _is_untaxed(entity: BillingEntity) -> bool:
    """Say whether a seller has no way to any tax, and nobody said that this is meant."""
    if entity.eu_tax_management or entity.taxes.exists():
        return False
    asked = [
        TaxEngine.objects.filter(billing_entity=entity, is_active=True),
        first_steps.ticked(code=FirstStep.Code.NO_TAX),
    ]
    return not any(first_steps.exist(rows=asked))


def scheduler(*, at: datetime.datetime) -> list[Finding]:
    """Has the scheduler sent a job lately?"""
    enabled = PeriodicTask.objects.filter(enabled=True)
    if not enabled.exists():
        advice = "Run `manage.py sync_schedule` (`make run` does it too)."
        return [Finding("scheduler", ok=True, text="no job is on the schedule", advice=advice)]
    last = enabled.aggregate(last=Max("last_run_at"))["last"]
    if last is None:
        return [Finding("scheduler", ok=True, text="has never sent a job", advice="Start it: `make run`, or beat.")]
    is_silent = at - last > SILENCE
    text = f"last sent a job at {last:%Y-%m-%d %H:%M} {settings.TIME_ZONE}"
    return [Finding("scheduler", ok=True, text=text, advice="Is it up? `make run`, or beat." if is_silent else "")]


def worker(*, at: datetime.datetime) -> list[Finding]:
    """Does a worker take the messages? Those that wait tell: for long, or where the broker says no times, many."""
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        folder = pathlib.Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])
        times = [stamp for path in folder.glob("*.msg") if (stamp := _written(path)) is not None]
        is_silent = bool(times) and at - min(times) > SILENCE
        return [_waiting(len(times), is_silent=is_silent)]
    try:
        with Connection(settings.CELERY_BROKER_URL, connect_timeout=3) as connection:
            count = connection.default_channel.queue_declare(QUEUE, passive=True).message_count
    except (KombuError, OSError, *Connection(settings.CELERY_BROKER_URL).channel_errors):
        return []  # whether the broker answers is another finding, and there is no queue before the first message
    return [_waiting(count, is_silent=count > MANY_MESSAGES)]


def _waiting(count: int, *, is_silent: bool) -> Finding:
    advice = "Is a worker up? `make run`, or celery worker." if is_silent else ""
    return Finding("worker", ok=True, text=f"{count} messages are waiting for it", advice=advice)


def _written(path: pathlib.Path) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC)
    except FileNotFoundError:  # a worker has just taken it
        return None
