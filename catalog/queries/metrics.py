"""Reading billable metrics, and which prices use them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db import models

from catalog.models import BillableMetric, Charge, ChargeFilter
from config.kernel import errors, registry, statements

USE = "catalog.metric_use"
"""Under this name upper apps say whether somebody is still billed by a price on a metric: "in_use"."""

# Written out: building a query from the models would take longer than running it.
_EXPRESSIONS = """
SELECT event_code, field_name, expression FROM catalog_billablemetric
WHERE event_code = ANY(%s) AND expression <> '' AND deleted_at IS NULL
ORDER BY id
"""


def listed(*, aggregation_types: Sequence[str] = (), search_term: str | None = None) -> models.QuerySet[BillableMetric]:
    """Return the metrics that exist with their filters, newest first; the term is looked for in name and code."""
    rows = BillableMetric.objects.filter(deleted_at__isnull=True)
    if aggregation_types:
        rows = rows.filter(aggregation_type__in=aggregation_types)
    if search_term:
        rows = rows.filter(models.Q(name__icontains=search_term) | models.Q(code__icontains=search_term))
    return rows.prefetch_related("filters").order_by("-created_at", "-id")


def by_code(*, code: str) -> BillableMetric:
    """Return a metric with its filters. Raises NotFound (`billable_metric_not_found`)."""
    metric = listed().filter(code=code).first()
    if metric is None:
        raise errors.NotFound("billable_metric_not_found", f"There is no billable metric {code}.")
    return metric


def by_uuids(*, uuids: Sequence[UUID]) -> dict[UUID, BillableMetric]:
    """Return the metrics of these public ids with their filters. Raises NotFound if one does not exist."""
    found = {metric.uuid: metric for metric in listed().filter(uuid__in=uuids)}
    if set(uuids) - found.keys():
        raise errors.NotFound("billable_metric_not_found", "One of the billable metrics does not exist.")
    return found


def declared(metric: BillableMetric) -> dict[str, list[str]]:
    """Return the values that the metric declares, by property."""
    return {row.key: list(row.values) for row in metric.filters.all()}


def is_priced(metric: BillableMetric) -> bool:
    """Say whether any price list was ever made with the metric, also of a retired plan: drafts may still use it."""
    return Charge.objects.filter(metric=metric).exists()


def is_sold(metric: BillableMetric) -> bool:
    """Say whether a plan's current price list has a charge on the metric, or one that waits for its moment."""
    waiting = Charge.objects.filter(
        metric=metric, plan_version__is_scheduled=True, plan_version__plan__deleted_at__isnull=True
    )
    return _current(metric).exists() or waiting.exists()


def is_kept(metric: BillableMetric) -> bool:
    """Say whether somebody is billed by a price on the metric that no plan sells any more, as upper apps tell."""
    return bool(registry.parts(USE, [metric])[metric.pk].get("in_use"))


def plan_codes(metric: BillableMetric) -> list[str]:
    """Return the codes of the plans whose current price list has a charge on the metric, oldest plan first."""
    rows = _current(metric).order_by("plan_version__plan_id")
    return list(dict.fromkeys(rows.values_list("plan_version__plan__code", flat=True)))


def used_filter_values(metric: BillableMetric) -> list[Mapping[str, Sequence[str]]]:
    """Return the values that filters of current charges on the metric name."""
    rows = ChargeFilter.objects.filter(charge__in=_current(metric))
    return list(rows.values_list("values", flat=True))


def is_computed_otherwise(metric: BillableMetric) -> bool:
    """Say whether another metric that exists computes the same property of the same events by another expression."""
    others = BillableMetric.objects.filter(
        deleted_at__isnull=True, event_code=metric.event_code, field_name=metric.field_name
    )
    return others.exclude(pk=metric.pk).exclude(expression__in=("", metric.expression)).exists()


def expressions(*, event_codes: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the expressions of the metrics that read these events: by code of the event, then by property.

    Codes whose events nothing computes are left out. Asked for each request that brings events.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for code, field_name, expression in statements.fetch_prepared(_EXPRESSIONS, [list(event_codes)]):
        found[code].setdefault(field_name, expression)
    return found


def _current(metric: BillableMetric) -> models.QuerySet[Charge]:
    return Charge.objects.filter(
        metric=metric, plan_version__is_current=True, plan_version__plan__deleted_at__isnull=True
    )
