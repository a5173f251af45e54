"""What this app adds to what lower apps show: the subscriptions and periods of an invoice, where a line comes from, and
which plans and metrics are in use. Each part answers for a whole list with a fixed number of queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from billing.api import part_shapes, subscription_forms
from billing.models import AppliedUsageThreshold, BilledPeriod, Contract, ContractPhase, RatedCharge, Subscription
from billing.queries import entitlements
from catalog.models import BillableMetric, Charge, Plan
from catalog.queries import features, metrics, plans
from config.kernel import registry
from config.platform.api.serializers import instant_text
from invoicing.models import Invoice, InvoiceLine

_LAST_SECOND = timedelta(seconds=1)
_LIVING = (
    Subscription.Status.INCOMPLETE,
    Subscription.Status.PENDING,
    Subscription.Status.ACTIVE,
    Subscription.Status.PAUSED,
)


def on_invoices(invoices: Sequence[Invoice]) -> Mapping[int, Mapping[str, Any]]:
    """Give each invoice its subscriptions, bare, and its billing periods; a period ends with its last second."""
    related = (
        "subscription__plan_version__plan",
        "subscription__customer__billing_entity",
        "subscription__billing_entity",
        "subscription__previous__plan_version__plan",
    )
    rows = BilledPeriod.objects.filter(invoice__in=invoices).select_related(*related).order_by("pk")
    rows = rows.prefetch_related("subscription__followers__plan_version__plan", "subscription__activation_rules")
    passed = _passed(invoices)
    periods: dict[int, list[BilledPeriod]] = defaultdict(list)
    for row in rows:
        periods[row.invoice_id].append(row)
    billed = {row.subscription_id: row.subscription for row in rows}
    shown = dict(zip(billed, subscription_forms.bare(list(billed.values()), at=timezone.now()), strict=True))
    return {
        invoice.pk: {**_on_invoice(periods[invoice.pk], shown), **passed.get(invoice.pk, {})} for invoice in invoices
    }


def on_lines(lines: Sequence[InvoiceLine]) -> Mapping[int, Mapping[str, Any]]:
    """Say of each line which subscription, charge, filter and group it was rated from, and what tops up what."""
    related = "subscription", "charge__metric", "charge_filter", "true_up_of", "fixed_charge__add_on"
    topping = RatedCharge.objects.filter(true_up_of=OuterRef("line")).values("line__uuid")[:1]
    rows = RatedCharge.objects.filter(line__in=lines).select_related(*related).defer("trace")
    rated = {row.line_id: (row, row.true_up) for row in rows.annotate(true_up=Subquery(topping))}
    return {line.pk: _on_line(*rated[line.pk]) if line.pk in rated else {} for line in lines}


def on_plans(found: Sequence[Plan]) -> Mapping[int, Mapping[str, Any]]:
    """Say which plans have living subscriptions."""
    living = Subscription.objects.filter(
        plan_version__plan=OuterRef("pk"),
        status__in=_LIVING,
    )
    wanted = Plan.objects.filter(Exists(living), pk__in=[plan.pk for plan in found])
    used = set(wanted.values_list("pk", flat=True))
    return {plan.pk: {"in_use": plan.pk in used} for plan in found}


def on_metrics(found: Sequence[BillableMetric]) -> Mapping[int, Mapping[str, Any]]:
    """Say of each metric whether living subscriptions, or phases of contracts that are to come, have a price on it."""
    charges = Charge.objects.filter(metric=OuterRef("pk"))
    living = Subscription.objects.filter(plan_version=OuterRef("plan_version"), status__in=_LIVING)
    to_come = ContractPhase.objects.alias(priced=Coalesce("own_version", "plan_version")).filter(
        priced=OuterRef("plan_version"),
        scheduled_at__isnull=True,
        item__contract__state__in=[Contract.State.DRAFT, Contract.State.ACTIVE],
    )
    rows = BillableMetric.objects.filter(pk__in=[metric.pk for metric in found])
    wanted = rows.filter(Exists(charges.filter(Exists(living))) | Exists(charges.filter(Exists(to_come))))
    used = set(wanted.values_list("pk", flat=True))
    return {metric.pk: {"in_use": metric.pk in used} for metric in found}


def _passed(invoices: Sequence[Invoice]) -> dict[int, dict[str, Any]]:
    """Return the usage thresholds that progressive invoices were made for, as they were then."""
    progressive = [invoice.pk for invoice in invoices if invoice.kind == Invoice.Kind.PROGRESSIVE_BILLING]
    if not progressive:
        return {}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in AppliedUsageThreshold.objects.filter(invoice__in=progressive).order_by("pk"):
        found[row.invoice_id].append(
            {
                "lifetime_usage_amount_cents": row.lifetime_cents,
                "created_at": instant_text(row.created_at),
                "usage_threshold": {
                    "lago_id": str(row.threshold_key),
                    "threshold_display_name": row.name or None,
                    "amount_cents": row.amount_cents,
                    "recurring": row.recurring,
                    "created_at": instant_text(row.created_at),
                    "updated_at": instant_text(row.created_at),
                },
            }
        )
    return {pk: {"applied_usage_thresholds": rows} for pk, rows in found.items()}


def _on_invoice(periods: Sequence[BilledPeriod], shown: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    return {
        "subscriptions": [shown[pk] for pk in dict.fromkeys(period.subscription_id for period in periods)],
        "billing_periods": [_period(period) for period in periods],
    }


def _period(period: BilledPeriod) -> dict[str, Any]:
    subscription = period.subscription
    # On a billing day in the midst of a period of usage there is no such time, as there is an empty one at a start.
    is_apart = period.reason == BilledPeriod.Reason.PERIODIC and period.charges_from_at == period.charges_to_at
    return {
        "lago_subscription_id": str(subscription.uuid),
        "external_subscription_id": subscription.external_id,
        "lago_plan_id": str(subscription.plan_version.public_uuid),
        "subscription_from_datetime": instant_text(period.from_at),
        "subscription_to_datetime": _last_second(period.from_at, period.to_at),
        "charges_from_datetime": None if is_apart else instant_text(period.charges_from_at),
        "charges_to_datetime": None if is_apart else _last_second(period.charges_from_at, period.charges_to_at),
        "fixed_charges_from_datetime": _first_instant(period.fixed_charges_from_at),
        "fixed_charges_to_datetime": _last_instant(period.fixed_charges_from_at, period.fixed_charges_to_at),
        "invoicing_reason": period.reason,
    }


def _on_line(rated: RatedCharge, true_up: UUID | None) -> dict[str, Any]:
    subscription, charge, charge_filter = rated.subscription, rated.charge, rated.charge_filter
    shown: dict[str, Any] = {
        "lago_subscription_id": str(subscription.uuid),
        "external_subscription_id": subscription.external_id,
        "from_date": instant_text(rated.from_at),
        "to_date": _last_second(rated.from_at, rated.to_at),
    }
    if rated.fixed_charge is not None:
        return {
            **shown,
            "lago_fixed_charge_id": str(rated.fixed_charge.key),
            "pay_in_advance": rated.fixed_charge.pay_in_advance,
            "item": {"lago_item_id": str(rated.fixed_charge.add_on.uuid), "item_type": "AddOn"},
        }
    if charge is None:
        return {**shown, "item": {"lago_item_id": str(subscription.uuid), "item_type": "Subscription"}}
    item: dict[str, Any] = {
        "lago_item_id": str(charge.metric.uuid),
        "item_type": "BillableMetric",
        # Official clients take texts alone: the empty one where events have no value.
        "grouped_by": {name: value or "" for name, value in rated.group.items()},
    }
    if charge_filter is not None:
        item["filters"] = charge_filter.values
        item["filter_invoice_display_name"] = charge_filter.invoice_display_name or None
    return {
        **shown,
        "lago_charge_id": str(charge.key),
        "pay_in_advance": charge.pay_in_advance,
        "invoiceable": charge.invoiceable,
        "lago_charge_filter_id": None if charge_filter is None else str(charge_filter.key),
        "lago_true_up_fee_id": None if true_up is None else str(true_up),
        "lago_true_up_parent_fee_id": None if rated.true_up_of is None else str(rated.true_up_of.uuid),
        "item": item,
    }


def _first_instant(start: datetime | None) -> str | None:
    return None if start is None else instant_text(start)


def _last_instant(start: datetime | None, end: datetime | None) -> str | None:
    return None if start is None or end is None else _last_second(start, end)


def _last_second(start: datetime, end: datetime) -> str:
    return instant_text(max(start, end - _LAST_SECOND))


SHAPES = part_shapes
"""How they look is registered once the module is there."""

registry.register_part("invoicing.invoice", on_invoices)
registry.register_part("invoicing.line", on_lines)
registry.register_part(metrics.USE, on_metrics)
registry.register_part(plans.USE, on_plans)
registry.register_part(features.USE, entitlements.used_values)
