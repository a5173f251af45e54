"""Price lists as values: what a version of a plan holds, read from one version and stored as the next.

Owns the step between tables and values. What a good price list is, is checked where the input is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Max
from moneyed import Money

from catalog.domain import publications, usage_thresholds
from catalog.domain.publications import Publication
from catalog.models import Charge, ChargeFilter, FixedCharge, MinimumCommitment, Plan, PlanVersion, UsageThreshold

UsageThresholdContent = usage_thresholds.UsageThreshold


@dataclass(frozen=True)
class FilterContent:
    """Another price for some values of the events' properties. ``key`` stays over versions."""

    key: UUID
    values: dict[str, list[str]]
    properties: dict[str, Any]
    invoice_display_name: str


@dataclass(frozen=True)
class ChargeContent:
    """The price of a metric. ``key`` stays over versions; ``since`` is when the charge first came.

    In units of account of the seller's, ``conversion_rate`` is what one of them is worth in the plan's currency.
    """

    key: UUID
    metric_id: int
    code: str
    charge_model: str
    properties: dict[str, Any]
    invoice_display_name: str
    filters: tuple[FilterContent, ...]
    tax_ids: tuple[int, ...]
    since: datetime = field(compare=False)
    pay_in_advance: bool = False
    invoiceable: bool = True
    regroup_paid_fees: str = ""
    prorated: bool = False
    min_amount_cents: int = 0
    pricing_unit_id: int | None = None
    conversion_rate: Decimal | None = None
    tax_inclusive: bool | None = None


@dataclass(frozen=True)
class FixedChargeContent:
    """The price of an agreed number of an add-on. ``key`` stays over versions; ``since`` is when the charge first came.

    ``immediately`` is a wish that comes with the content and is not stored: that who has the plan gets the units now.
    """

    key: UUID
    add_on_id: int
    code: str
    charge_model: str
    units: Decimal
    properties: dict[str, Any]
    invoice_display_name: str
    tax_ids: tuple[int, ...]
    since: datetime = field(compare=False)
    pay_in_advance: bool = False
    prorated: bool = False
    immediately: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class MinimumCommitmentContent:
    """What a whole interval costs at least, in minor units. ``key`` stays over versions; ``since`` is when it came."""

    key: UUID
    amount_cents: int
    invoice_display_name: str
    tax_ids: tuple[int, ...]
    since: datetime = field(compare=False)


@dataclass(frozen=True)
class PriceList:
    """Fee of an interval and when it is billed, prices of usage and add-ons, in one currency. The trial is in days."""

    interval: str
    amount: Money
    tax_ids: tuple[int, ...]
    charges: tuple[ChargeContent, ...]
    pay_in_advance: bool = False
    trial_period: Decimal = Decimal(0)
    bill_charges_monthly: bool = False
    bill_fixed_charges_monthly: bool = False
    fixed_charges: tuple[FixedChargeContent, ...] = ()
    minimum_commitment: MinimumCommitmentContent | None = None
    usage_thresholds: tuple[UsageThresholdContent, ...] = ()
    tax_inclusive: bool = False


def read(version: PlanVersion) -> PriceList:
    """Return what a version holds. Costs no query where charges, filters and taxes are prefetched."""
    return PriceList(
        interval=version.interval,
        amount=version.amount,
        tax_ids=tuple(sorted(tax.pk for tax in version.taxes.all())),
        charges=tuple(_charge(charge) for charge in version.charges.all()),
        pay_in_advance=version.pay_in_advance,
        trial_period=version.trial_period,
        bill_charges_monthly=version.bill_charges_monthly,
        bill_fixed_charges_monthly=version.bill_fixed_charges_monthly,
        fixed_charges=tuple(_fixed_charge(charge) for charge in version.fixed_charges.all()),
        minimum_commitment=_minimum_commitment(version),
        usage_thresholds=tuple(_usage_threshold(row) for row in version.usage_thresholds.all()),
        tax_inclusive=version.tax_inclusive,
    )


def next_number(*, plan: Plan) -> int:
    """Return the number of the plan's next version, private or not. The caller holds the lock of the plan."""
    last: int | None = PlanVersion.objects.filter(plan=plan).aggregate(number=Max("number"))["number"]
    return (last or 0) + 1


def store(
    *,
    plan: Plan,
    number: int,
    content: PriceList,
    at: datetime,
    base: PlanVersion | None = None,
    overrides: Mapping[str, Any] | None = None,
    publication: Publication = publications.FOLLOWED,
) -> PlanVersion:
    """Store a price list as the plan's version of that number, and as its current one. Needs a transaction.

    With a ``base`` it is a private one, made of it with these ``overrides``, and what is sold stays what it is, as it
    does while the moment of its ``publication`` is to come.
    """
    is_scheduled = publication.waits(at=at)
    is_current = base is None and not is_scheduled
    if is_current:
        PlanVersion.objects.filter(plan=plan, is_current=True).update(is_current=False)
    version = PlanVersion.objects.create(
        plan=plan,
        number=number,
        is_current=is_current,
        effective_at=publication.effective_at,
        is_scheduled=is_scheduled,
        moves_existing=publication.moves_existing,
        base=base,
        overrides=dict(overrides or {}),
        interval=content.interval,
        currency=content.amount.currency.code,
        amount=content.amount,
        pay_in_advance=content.pay_in_advance,
        trial_period=content.trial_period,
        bill_charges_monthly=content.bill_charges_monthly,
        bill_fixed_charges_monthly=content.bill_fixed_charges_monthly,
        tax_inclusive=content.tax_inclusive,
        created_at=at,
    )
    version.taxes.set(content.tax_ids)
    _store_charges(version, content, at)
    _store_fixed_charges(version, content)
    _store_minimum_commitment(version, content.minimum_commitment)
    _store_usage_thresholds(version, content, at)
    return version


def _store_charges(version: PlanVersion, content: PriceList, at: datetime) -> None:
    charges = Charge.objects.bulk_create(
        Charge(
            plan_version=version,
            key=charge.key,
            metric_id=charge.metric_id,
            code=charge.code,
            invoice_display_name=charge.invoice_display_name,
            charge_model=charge.charge_model,
            pay_in_advance=charge.pay_in_advance,
            invoiceable=charge.invoiceable,
            regroup_paid_fees=charge.regroup_paid_fees,
            prorated=charge.prorated,
            min_amount_cents=charge.min_amount_cents,
            pricing_unit_id=charge.pricing_unit_id,
            conversion_rate=charge.conversion_rate,
            tax_inclusive=charge.tax_inclusive,
            properties=charge.properties,
            position=position,
            created_at=charge.since,
        )
        for position, charge in enumerate(content.charges)
    )
    for row, charge in zip(charges, content.charges, strict=True):
        if charge.tax_ids:
            row.taxes.set(charge.tax_ids)
    ChargeFilter.objects.bulk_create(
        ChargeFilter(
            charge=row,
            key=part.key,
            values=part.values,
            properties=part.properties,
            invoice_display_name=part.invoice_display_name,
            position=position,
            created_at=at,
        )
        for row, charge in zip(charges, content.charges, strict=True)
        for position, part in enumerate(charge.filters)
    )


def _store_fixed_charges(version: PlanVersion, content: PriceList) -> None:
    rows = FixedCharge.objects.bulk_create(
        FixedCharge(
            plan_version=version,
            key=charge.key,
            add_on_id=charge.add_on_id,
            code=charge.code,
            invoice_display_name=charge.invoice_display_name,
            charge_model=charge.charge_model,
            pay_in_advance=charge.pay_in_advance,
            prorated=charge.prorated,
            units=charge.units,
            properties=charge.properties,
            position=position,
            created_at=charge.since,
        )
        for position, charge in enumerate(content.fixed_charges)
    )
    for row, charge in zip(rows, content.fixed_charges, strict=True):
        if charge.tax_ids:
            row.taxes.set(charge.tax_ids)


def _store_minimum_commitment(version: PlanVersion, content: MinimumCommitmentContent | None) -> None:
    if content is None:
        return
    row = MinimumCommitment.objects.create(
        plan_version=version,
        key=content.key,
        amount_cents=content.amount_cents,
        invoice_display_name=content.invoice_display_name,
        created_at=content.since,
    )
    row.taxes.set(content.tax_ids)


def _store_usage_thresholds(version: PlanVersion, content: PriceList, at: datetime) -> None:
    UsageThreshold.objects.bulk_create(
        UsageThreshold(
            plan_version=version,
            key=one.key,
            amount_cents=one.amount_cents,
            recurring=one.recurring,
            name=one.name,
            created_at=one.since or at,
        )
        for one in content.usage_thresholds
    )


def _usage_threshold(row: UsageThreshold) -> UsageThresholdContent:
    return UsageThresholdContent(
        key=row.key, amount_cents=row.amount_cents, recurring=row.recurring, name=row.name, since=row.created_at
    )


def _minimum_commitment(version: PlanVersion) -> MinimumCommitmentContent | None:
    row = version.commitment
    if row is None:
        return None
    return MinimumCommitmentContent(
        key=row.key,
        amount_cents=row.amount_cents,
        invoice_display_name=row.invoice_display_name,
        tax_ids=tuple(sorted(tax.pk for tax in row.taxes.all())),
        since=row.created_at,
    )


def _charge(charge: Charge) -> ChargeContent:
    return ChargeContent(
        key=charge.key,
        metric_id=charge.metric_id,
        code=charge.code,
        charge_model=charge.charge_model,
        properties=charge.properties,
        invoice_display_name=charge.invoice_display_name,
        filters=tuple(
            FilterContent(
                key=part.key,
                values=part.values,
                properties=part.properties,
                invoice_display_name=part.invoice_display_name,
            )
            for part in charge.filters.all()
        ),
        tax_ids=tuple(sorted(tax.pk for tax in charge.taxes.all())),
        since=charge.created_at,
        pay_in_advance=charge.pay_in_advance,
        invoiceable=charge.invoiceable,
        regroup_paid_fees=charge.regroup_paid_fees,
        prorated=charge.prorated,
        min_amount_cents=charge.min_amount_cents,
        pricing_unit_id=charge.pricing_unit_id,
        conversion_rate=charge.conversion_rate,
        tax_inclusive=charge.tax_inclusive,
    )


def _fixed_charge(charge: FixedCharge) -> FixedChargeContent:
    return FixedChargeContent(
        key=charge.key,
        add_on_id=charge.add_on_id,
        code=charge.code,
        charge_model=charge.charge_model,
        units=charge.units,
        properties=charge.properties,
        invoice_display_name=charge.invoice_display_name,
        tax_ids=tuple(sorted(tax.pk for tax in charge.taxes.all())),
        since=charge.created_at,
        pay_in_advance=charge.pay_in_advance,
        prorated=charge.prorated,
    )
