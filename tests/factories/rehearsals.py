"""Steps of stories about rehearsals of billing runs: rehearse, sign off, bill; and a digest of what there is."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection

from billing.models import BillingRun, Rehearsal, RehearsedInvoice
from billing.services import rehearsal_billing, rehearsal_computing, rehearsals, runs
from config.kernel.actors import Actor
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

JANUARY, FEBRUARY = "2026-02-01T00:10", "2026-03-01T00:10"
"""When these months are billed."""


def run(as_of: str, **options: Any) -> BillingRun:
    """Bill what is due at a clock."""
    return runs.run(as_of=instant(as_of), trigger="test", actor=ACTOR, **options)


def rehearse(as_of: str, actor: Actor, at: str | None = None) -> Rehearsal:
    """Rehearse the run at a clock, as it is known then or ``at`` another one."""
    clock = instant(at or as_of)
    row = rehearsals.request(as_of=instant(as_of), reason="month end", actor=actor, at=clock)
    return rehearsal_computing.compute(rehearsal_id=row.pk, at=clock)


def sign(row: Rehearsal, actor: Actor, **values: Any) -> Rehearsal:
    """Sign a rehearsal off, having seen all flags."""
    values = {"acknowledged": row.flagged_count, **values}
    return rehearsals.sign_off(rehearsal_id=row.pk, actor=actor, at=row.as_of, **values)


def bill(row: Rehearsal, actor: Actor = ACTOR) -> BillingRun:
    """Bill what was signed off."""
    return rehearsal_billing.bill(rehearsal_id=row.pk, actor=actor, at=row.as_of)


def fingerprint() -> dict[str, str]:
    """Digest all tables but those of rehearsals and their audit trail."""
    found = {}
    for model in apps.get_models():
        table = model._meta.db_table
        if model in (Rehearsal, RehearsedInvoice) or table in ("platform_auditentry", "billing_usageevent"):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t')
            found[table] = str(cursor.fetchone())
    return found
