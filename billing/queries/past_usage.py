"""The usage of billed periods, as it was billed: read from invoice lines and never computed again. Owns which periods
these are, and putting their lines into the parts that usage is shown in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import F, QuerySet
from moneyed import Money

from billing.domain.contract import FilterFacts
from billing.domain.pricing_units import PricingUnit
from billing.models import BilledPeriod, RatedCharge
from billing.queries import subscriptions
from billing.queries.usage_parts import ZERO, BucketUsage, ChargeUsage
from catalog.models import BillableMetric, Charge
from config.kernel import errors, money
from invoicing.domain import states
from invoicing.domain.totals import Taxed
from invoicing.models import Invoice

_ISSUED = (*states.UNISSUED, Invoice.Status.FINALIZED)


@dataclass(frozen=True, slots=True)
class BilledCharge:
    """What names a charge as it was billed."""

    key: str
    code: str
    name: str
    model: str
    filters: tuple[FilterFacts, ...]
    pricing_unit: PricingUnit | None


@dataclass(frozen=True, slots=True)
class PastUsage:
    """The usage of a billed period. The amount is the sum of its lines."""

    from_at: datetime
    ends_at: datetime
    invoice_id: str
    issuing_date: date
    currency: str
    charges: tuple[ChargeUsage, ...]
    amount: Taxed


def periods(
    *,
    external_customer_id: str,
    external_subscription_id: str,
    metric_code: str | None = None,
    periods_count: int | None = None,
) -> QuerySet[BilledPeriod]:
    """Return the periods whose usage is on an invoice or a draft, newest first; all plans of the external id.

    Raises NotFound (`customer_not_found`, `billable_metric_not_found`). Usage that was billed event by event is not
    here: no period was billed for it.
    """
    customer = subscriptions.customer(external_customer_id)
    if metric_code is not None and not BillableMetric.objects.filter(code=metric_code).exists():
        raise errors.NotFound("billable_metric_not_found", f"There is no metric {metric_code}.")
    return of_customer(
        customer_id=customer.pk, external_subscription_id=external_subscription_id, periods_count=periods_count
    )


def of_customer(
    *, customer_id: int, external_subscription_id: str, periods_count: int | None = None
) -> QuerySet[BilledPeriod]:
    """Return the periods as `periods` does, of a customer that may be gone."""
    rows = BilledPeriod.objects.filter(
        subscription__customer=customer_id,
        subscription__external_id=external_subscription_id,
        released_at__isnull=True,
        charges_to_at__gt=F("charges_from_at"),
        invoice__status__in=_ISSUED,
    ).exclude(reason__in=BilledPeriod.WITHIN)
    rows = rows.select_related("invoice").order_by("-charges_from_at", "-pk")
    return rows if periods_count is None else rows[:periods_count]


def read(*, found: Sequence[BilledPeriod], metric_code: str | None = None) -> list[PastUsage]:
    """Return the usage of billed periods, in their order, with a fixed number of queries."""
    rows = RatedCharge.objects.filter(period__in=found, charge__isnull=False)
    if metric_code is not None:
        rows = rows.filter(charge__metric__code=metric_code)
    rows = rows.select_related("charge__metric", "charge__pricing_unit", "line").prefetch_related("charge__filters")
    by_period: dict[int | None, dict[int, list[RatedCharge]]] = defaultdict(lambda: defaultdict(list))
    for row in rows.defer("trace").order_by("line__position", "pk"):
        by_period[row.period_id][row.charge_id].append(row)
    return [_period(one, list(by_period[one.pk].values())) for one in found]


def _period(period: BilledPeriod, by_charge: Sequence[Sequence[RatedCharge]]) -> PastUsage:
    currency = period.invoice.currency
    charges = [_charge(rows, currency) for rows in by_charge]
    none = money.zero(currency)
    return PastUsage(
        from_at=period.charges_from_at,
        ends_at=period.charges_to_at,
        invoice_id=str(period.invoice.uuid),
        issuing_date=period.invoice.issuing_date,
        currency=currency,
        charges=tuple(sorted(charges, key=lambda one: one.metric.name)),
        amount=Taxed.of(
            net=sum((one.amount for one in charges), none),
            tax=sum((one.tax for one in charges), none),
        ),
    )


def _charge(rows: Sequence[RatedCharge], currency: str) -> ChargeUsage:
    charge = rows[0].charge
    filters = {
        row.pk: FilterFacts(
            id=str(row.key), properties=row.properties, values=row.values, name=row.invoice_display_name
        )
        for row in charge.filters.all()
    }
    true_ups = [row.line for row in rows if row.true_up_of_id is not None]
    extra: tuple[Money, Money] | None = None
    if true_ups:
        none = money.zero(currency)
        extra = sum((line.amount for line in true_ups), none), sum((line.taxes_amount for line in true_ups), none)
    return ChargeUsage(
        charge=_named(charge, tuple(filters.values())),
        metric=charge.metric,
        currency=currency,
        buckets=tuple(_bucket(row, filters) for row in rows if row.true_up_of_id is None),
        extra=extra,
    )


def _named(charge: Charge, filters: tuple[FilterFacts, ...]) -> BilledCharge:
    unit, rate = charge.pricing_unit, charge.conversion_rate
    return BilledCharge(
        key=str(charge.key),
        code=charge.code,
        name=charge.invoice_display_name or charge.metric.name,
        model=charge.charge_model,
        filters=filters,
        pricing_unit=None
        if unit is None or rate is None
        else PricingUnit(str(unit.uuid), unit.code, unit.short_name, rate),
    )


def _bucket(row: RatedCharge, filters: dict[int, FilterFacts]) -> BucketUsage:
    line = row.line
    return BucketUsage(
        price_filter=None if row.charge_filter_id is None else filters[row.charge_filter_id],
        group=row.group,
        units=line.units,
        events_count=line.events_count or 0,
        amount=line.amount,
        total_units=line.units if line.total_units is None else line.total_units,
        tax=line.taxes_amount,
        unit_amount=ZERO if line.pricing_unit is None else Decimal(line.pricing_unit["amount"]),
        breakdowns=tuple(line.breakdowns),
    )
