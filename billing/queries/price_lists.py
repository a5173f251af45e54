"""Price lists as plain values: what a plan version charges, for rating. Owns reading them from the catalogue, for many
versions at once; the usage that is priced comes from `aggregates`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch
from moneyed import Money

from billing.domain.contract import ChargeFacts, FilterFacts, UsageFacts
from billing.domain.minimums import Minimum
from billing.domain.pricing_units import PricingUnit
from billing.domain.proration import Share
from billing.queries import fixed_prices
from billing.queries.fixed_prices import PricedFixedCharge
from catalog.domain.intervals import Interval
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.models import ChargeModel
from catalog.domain.rounding import Rounding, RoundingFunction
from catalog.models import Charge, PlanVersion
from config.kernel import money
from config.kernel.dates import Period


@dataclass(frozen=True, slots=True)
class Metric:
    """What a charge counts. `declared` are the values that it declares by property, for filters that take them all."""

    id: int
    code: str
    name: str
    event_code: str
    field_name: str
    aggregation: Aggregation
    is_recurring: bool
    rounding: Rounding | None
    declared: Mapping[str, Sequence[str]]
    uuid: str = ""

    @property
    def aggregation_type(self) -> str:
        """Return the aggregation by the name that the metric's row has it under."""
        return str(self.aggregation)


@dataclass(frozen=True, slots=True)
class PricedCharge:
    """A charge of a plan version. `key` and the ids of the filters are the keys that outlive versions; `filter_ids`
    gives the rows of this version by them.
    """

    id: int
    key: str
    code: str
    name: str
    model: ChargeModel
    properties: Mapping[str, object]
    metric: Metric
    filters: tuple[FilterFacts, ...]
    filter_ids: Mapping[str, int]
    tax_ids: tuple[int, ...]
    currency: str = ""
    is_prorated: bool = False
    minimum: Decimal = Decimal(0)
    pricing_unit: PricingUnit | None = None
    pay_in_advance: bool = False
    invoiceable: bool = True
    is_tax_inclusive: bool = False

    @property
    def counts_time(self) -> bool:
        """Say whether units count for the time that they are there."""
        return self.is_prorated or self.metric.aggregation is Aggregation.WEIGHTED_SUM

    def facts(self, *, period: Period, usage: Sequence[UsageFacts], share: Share | None = None) -> ChargeFacts:
        """Return the charge with its usage in a period, ready for rating.

        The minimum is billed for the ``share`` of a whole period that the period is; without it there is none.
        """
        return ChargeFacts(
            id=self.key,
            code=self.code,
            metric_code=self.metric.code,
            aggregation=self.metric.aggregation,
            model=self.model,
            properties=self.properties,
            period=period,
            usage=usage,
            filters=self.filters,
            rounding=self.metric.rounding,
            name=self.name,
            minimum=Minimum(self.minimum, share) if share is not None and self.minimum else None,
            pricing_unit=self.pricing_unit,
        )


@dataclass(frozen=True, slots=True)
class PricedCommitment:
    """What a whole interval costs at least, in major units. Taxes are those of the commitment itself."""

    amount: Decimal
    name: str
    tax_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceList:
    """A version of a plan. `amount` is the fee of a whole interval. Taxes are those of the price itself."""

    version_id: int
    number: int
    plan_id: int
    plan_uuid: str
    plan_code: str
    plan_name: str
    invoice_name: str
    interval: Interval
    currency: str
    amount: Money
    tax_ids: tuple[int, ...]
    charges: tuple[PricedCharge, ...]
    fixed_charges: tuple[PricedFixedCharge, ...] = ()
    minimum_commitment: PricedCommitment | None = None
    is_tax_inclusive: bool = False


def load(*, version_ids: Collection[int]) -> dict[int, PriceList]:
    """Return the price lists of plan versions by the version's id, in a fixed number of queries."""
    charges = Charge.objects.select_related("metric", "pricing_unit")
    charges = charges.prefetch_related("filters", "taxes", "metric__filters")
    versions = (
        PlanVersion.objects.filter(pk__in=set(version_ids))
        .select_related("plan", "minimum_commitment")
        .prefetch_related(
            "taxes",
            "minimum_commitment__taxes",
            Prefetch("charges", queryset=charges),
            Prefetch("fixed_charges", queryset=fixed_prices.rows()),
        )
    )
    return {version.pk: _price_list(version) for version in versions}


def _price_list(version: PlanVersion) -> PriceList:
    plan = version.plan
    return PriceList(
        version_id=version.pk,
        number=version.number,
        plan_id=plan.pk,
        plan_uuid=str(plan.uuid),
        plan_code=plan.code,
        plan_name=version.name,
        invoice_name=version.name_on_invoices,
        interval=Interval(version.interval),
        currency=version.currency,
        amount=version.amount,
        tax_ids=tuple(tax.pk for tax in version.taxes.all()),
        charges=tuple(_charge(charge, version) for charge in version.charges.all()),
        fixed_charges=tuple(fixed_prices.priced(row) for row in version.fixed_charges.all()),
        minimum_commitment=_minimum_commitment(version),
        is_tax_inclusive=version.tax_inclusive,
    )


def _minimum_commitment(version: PlanVersion) -> PricedCommitment | None:
    row = version.commitment
    if row is None:
        return None
    return PricedCommitment(
        amount=money.from_minor(row.amount_cents, version.currency).amount,
        name=row.invoice_display_name or "Minimum commitment – True-up",
        tax_ids=tuple(tax.pk for tax in row.taxes.all()),
    )


def _charge(charge: Charge, version: PlanVersion) -> PricedCharge:
    currency = version.currency
    filters = list(charge.filters.all())
    return PricedCharge(
        id=charge.pk,
        key=str(charge.key),
        code=charge.code,
        name=charge.invoice_display_name or charge.metric.name,
        model=ChargeModel(charge.charge_model),
        properties=charge.properties,
        metric=_metric(charge),
        filters=tuple(
            FilterFacts(id=str(row.key), properties=row.properties, values=row.values, name=row.invoice_display_name)
            for row in filters
        ),
        filter_ids={str(row.key): row.pk for row in filters},
        tax_ids=tuple(tax.pk for tax in charge.taxes.all()),
        currency=currency,
        is_prorated=charge.prorated,
        minimum=money.from_minor(charge.min_amount_cents, currency).amount,
        pricing_unit=_pricing_unit(charge),
        pay_in_advance=charge.pay_in_advance,
        invoiceable=charge.invoiceable,
        is_tax_inclusive=version.tax_inclusive if charge.tax_inclusive is None else charge.tax_inclusive,
    )


def _pricing_unit(charge: Charge) -> PricingUnit | None:
    unit, rate = charge.pricing_unit, charge.conversion_rate
    return None if unit is None or rate is None else PricingUnit(str(unit.uuid), unit.code, unit.short_name, rate)


def _metric(charge: Charge) -> Metric:
    metric = charge.metric
    rounding = None
    if metric.rounding_function:
        rounding = Rounding(RoundingFunction(metric.rounding_function), metric.rounding_precision or 0)
    return Metric(
        id=metric.pk,
        code=metric.code,
        name=metric.name,
        event_code=metric.event_code,
        field_name=metric.field_name,
        aggregation=Aggregation(metric.aggregation_type),
        is_recurring=metric.recurring,
        rounding=rounding,
        declared={row.key: row.values for row in metric.filters.all()},
        uuid=str(metric.uuid),
    )
