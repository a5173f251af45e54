"""Retiring metrics that plans may still have a price for: their charges are taken off all plans with them."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from django.db import transaction

from catalog.domain import publications
from catalog.models import BillableMetric, Plan
from catalog.queries import metrics as known
from catalog.services import metrics, price_lists, versions
from config.kernel import db
from config.kernel.actors import Actor


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> BillableMetric:
    """Retire a metric, and take its charges off every plan that is sold, with a new version of each.

    Those who have such a plan follow, also with own terms of theirs, as they do where a charge is taken off: what they
    used of it and was not billed yet is not billed. Raises NotFound (`billable_metric_not_found`), VersionWaits where a
    version of such a plan waits for its moment, and MetricInUse where it gets a price meanwhile, or from a later
    day on, or where somebody keeps the prices as they were, as contracts do.
    """
    metric = known.by_code(code=code)
    codes = known.plan_codes(metric)
    # Plans before the metric, in the order of their keys: as whoever gives it a price does.
    db.lock(Plan.objects.filter(code__in=codes, deleted_at__isnull=True))
    for plan_code in codes:
        version = versions.lock(code=plan_code, at=at)
        before = price_lists.read(version)
        kept = tuple(charge for charge in before.charges if charge.metric_id != metric.pk)
        content = dataclasses.replace(before, charges=kept)
        versions.publish(version=version, content=content, actor=actor, at=at, publication=publications.CASCADED)
    return metrics.delete(code=code, actor=actor, at=at)
