"""Billable metrics: making, changing, retiring them. How they count events is the domain's and billing's.

A metric that was priced means something to somebody: from then on only its name, description and filters change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction

from catalog.domain import filters, metrics, recurring, rounding
from catalog.domain.expressions import parsing
from catalog.models import BillableMetric, MetricFilter
from catalog.queries import metrics as metric_queries
from catalog.services import webhook_types
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, outbox, uniqueness

ALWAYS_EDITABLE = frozenset({"name", "description", "filters"})


class MetricInUse(errors.NotAllowed):
    """The metric has a price in a current price list, or in one that somebody keeps."""


class MetricValues(TypedDict, total=False):
    """What a metric is made of.

    ``event_code`` is the code of the events that it reads: its own unless given, so that several metrics may count the
    same events. ``expression`` computes the property ``field_name`` of events that come in from then on. ``filters`` is
    a list of ``{"key", "values"}``.
    """

    code: str
    name: str
    description: str
    aggregation_type: str
    field_name: str
    expression: str
    event_code: str
    recurring: bool
    rounding_function: str
    rounding_precision: int | None
    filters: Sequence[Mapping[str, Any]]


@transaction.atomic
def create(*, values: MetricValues, actor: Actor, at: datetime) -> BillableMetric:
    """Make a metric. Raises Invalid for a taken code, a missing field name, an unknown rounding or wrong filters."""
    content: dict[str, Any] = dict(values)
    declared = filters.declare(content.pop("filters", None))
    metric = BillableMetric(**content, created_at=at)
    metric.event_code = metric.event_code or metric.code
    _check(metric)
    with uniqueness.told(catalog_metric_code="code"):
        metric.save(force_insert=True)
    _declare(metric, declared, at)
    audit.record(actor=actor, at=at, verb="create", instance=metric, new=values)
    outbox.record(webhook_types.METRIC_CREATED, [metric], at=at)
    return metric_queries.by_code(code=metric.code)


@transaction.atomic
def update(*, code: str, values: MetricValues, actor: Actor, at: datetime) -> BillableMetric:
    """Change what ``values`` holds. Once the metric is priced, other keys than name, description, filters are ignored.

    Present filters are the full list. Raises NotFound, Invalid as `create` does, and for filter values that are gone
    although a current price names them (`value_in_use`).
    """
    metric = db.lock_one(BillableMetric.objects.filter(pk=metric_queries.by_code(code=code).pk))
    content: dict[str, Any] = dict(values)
    if metric_queries.is_priced(metric):
        content = {field: value for field, value in content.items() if field in ALWAYS_EDITABLE}
    raw_filters = content.pop("filters", None)
    old = {field: getattr(metric, field) for field, value in content.items() if getattr(metric, field) != value}
    reads_own_events = metric.event_code == metric.code
    for field, value in content.items():
        setattr(metric, field, value)
    if not metric.event_code or (reads_own_events and not content.get("event_code")):
        metric.event_code = metric.code
    _check(metric)
    with uniqueness.told(catalog_metric_code="code"):
        metric.save(update_fields=[*content, "event_code", "field_name", "expression"])
    new = {field: getattr(metric, field) for field in old}
    if raw_filters is not None:
        _redeclare(metric, filters.declare(raw_filters), old, new, at)
    if new:
        audit.record(actor=actor, at=at, verb="update", instance=metric, old=old, new=new)
        outbox.record(webhook_types.METRIC_UPDATED, [metric], at=at)
    return metric_queries.by_code(code=metric.code)


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> BillableMetric:
    """Retire a metric; its code may be used again.

    Raises NotFound, and MetricInUse while a current price list has it, or one that waits for its moment, or somebody
    keeps an earlier one that does, as contracts do: what they use would not be read as it was agreed any more.
    """
    found = metric_queries.by_code(code=code)
    metric = db.lock_one(BillableMetric.objects.filter(pk=found.pk))
    if metric_queries.is_sold(metric):
        raise MetricInUse("billable_metric_in_use", "A plan has a price for this metric: take it off the plan first.")
    if metric_queries.is_kept(metric):
        raise MetricInUse("billable_metric_in_use", "A contract or a subscription keeps a price for this metric.")
    metric.deleted_at = at
    metric.save(update_fields=["deleted_at"])
    audit.record(actor=actor, at=at, verb="delete", instance=metric)
    outbox.record(webhook_types.METRIC_DELETED, [metric], at=at)
    return found


def _check(metric: BillableMetric) -> None:
    details: dict[str, list[str]] = {}
    try:
        aggregation = metrics.Aggregation(metric.aggregation_type)
    except ValueError:
        details["aggregation_type"] = ["value_is_invalid"]
    else:
        if not metrics.reads_field(aggregation):
            metric.field_name = metric.expression = ""
        elif not metric.field_name.strip():
            details["field_name"] = ["value_is_mandatory"]
        if metric.recurring and not recurring.can_recur(aggregation):
            details["recurring"] = ["not_compatible_with_aggregation_type"]
    try:
        rounding.rounding(function=metric.rounding_function, precision=metric.rounding_precision)
    except errors.Invalid as error:
        details.update(error.details)
    details.update(_wrong_expression(metric))
    if details:
        raise errors.Invalid("validation_errors", "The metric is not valid.", details)


def _wrong_expression(metric: BillableMetric) -> Mapping[str, list[str]]:
    """Return what is wrong with the expression. An event has one value of a property, whoever reads it."""
    if not metric.expression:
        return {}
    try:
        parsing.parse(metric.expression)
    except errors.Invalid as error:
        return error.details
    return {"expression": ["field_is_computed_already"]} if metric_queries.is_computed_otherwise(metric) else {}


def _declare(metric: BillableMetric, declared: Mapping[str, Sequence[str]], at: datetime) -> None:
    MetricFilter.objects.bulk_create(
        MetricFilter(metric=metric, key=key, values=list(values), created_at=at) for key, values in declared.items()
    )


def _redeclare(
    metric: BillableMetric,
    declared: Mapping[str, Sequence[str]],
    old: dict[str, Any],
    new: dict[str, Any],
    at: datetime,
) -> None:
    before = metric_queries.declared(metric)
    after = {key: list(values) for key, values in declared.items()}
    if before == after:
        return
    for values in metric_queries.used_filter_values(metric):
        for key, accepted in values.items():
            if not set(accepted) <= {*after.get(key, ()), filters.ALL_VALUES} or key not in after:
                message = f"A plan has a price for values of {key} that would be gone."
                raise errors.Invalid("validation_errors", message, {"filters": ["value_in_use"]})
    metric.filters.all().delete()
    _declare(metric, declared, at)
    old["filters"], new["filters"] = before, after
