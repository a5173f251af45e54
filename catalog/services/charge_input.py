"""Charges as they come in, made into the charges of a price list. Owns defaults, codes, identity and the checks that
need the metric; what the properties of a model must look like is the domain's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID, uuid4

from catalog.domain import charge_terms
from catalog.domain import filters as filter_rules
from catalog.domain.charge_terms import Terms
from catalog.domain.metrics import Aggregation
from catalog.models import BillableMetric, PricingUnit
from catalog.queries import metrics, pricing_units, taxes
from catalog.services import charge_properties
from catalog.services.price_lists import ChargeContent, FilterContent
from config.kernel import db, errors

MAX_CHARGES = 500
MAX_FILTERS = 1000
# When and where usage is billed: what an open period was begun with, and so cannot change for those who have the plan.
AGREED = ("pay_in_advance", "invoiceable", "regroup_paid_fees")


class FilterValues(TypedDict, total=False):
    """A filter as it comes in. ``key`` names one that exists; without it the same values do."""

    key: UUID
    values: Mapping[str, Any]
    properties: Mapping[str, Any]
    invoice_display_name: str


class UnitValues(TypedDict, total=False):
    """A pricing unit as a charge applies it: what one of them is worth in the plan's currency."""

    code: str
    conversion_rate: Decimal


class ChargeValues(TypedDict, total=False):
    """A charge as it comes in. ``id`` or ``code`` names one that exists; what is absent then stays as it is.

    No ``applied_pricing_unit`` at all (None, not absent) makes it priced in the plan's currency.
    """

    id: UUID
    code: str
    billable_metric_id: UUID
    charge_model: str
    pay_in_advance: bool
    invoiceable: bool
    regroup_paid_fees: str
    prorated: bool
    tax_inclusive: bool | None
    min_amount_cents: int
    applied_pricing_unit: UnitValues | None
    properties: Mapping[str, Any] | None
    invoice_display_name: str
    filters: Sequence[FilterValues]
    tax_codes: Sequence[str]


@dataclass(frozen=True)
class _Source:
    """What the charges refer to."""

    metrics: Mapping[int, BillableMetric]
    by_uuid: Mapping[UUID, BillableMetric]
    units: Mapping[str, PricingUnit]
    in_use: bool
    at: datetime


def charges(
    *, values: Sequence[ChargeValues], existing: Sequence[ChargeContent], in_use: bool, at: datetime
) -> tuple[ChargeContent, ...]:
    """Return the full list of charges that the values describe, in their order.

    A charge is matched with an existing one by its id, else by its code; unmatched existing ones are left out. While
    the plan is ``in_use`` the existing ones stay billed when and where they are, whatever is sent. Raises NotFound for
    an unknown metric, pricing unit, tax or id, and Invalid with the path of what is wrong (``charges.0.properties``).
    """
    if len(values) > MAX_CHARGES:
        raise refused("charges", "value_is_too_long")
    source = _source(values, existing, in_use=in_use, at=at)
    matched = [_match(row, existing) for row in values]
    taken = {row["code"] for row in values if row.get("code")} | {before.code for before in matched if before}
    found: list[ChargeContent] = []
    for position, (row, before) in enumerate(zip(values, matched, strict=True)):
        with under(f"charges.{position}"):
            charge = _charge(row, before, source, taken | {other.code for other in found})
            _demand_own(charge, found)
        found.append(charge)
    return tuple(found)


def single(
    *, values: ChargeValues, before: ChargeContent | None, others: Sequence[ChargeContent], in_use: bool, at: datetime
) -> ChargeContent:
    """Return the charge that the values describe, beside the others of its plan: a new one, or ``before`` changed.

    Raises as `charges` does, without a path; the id in the values does not matter.
    """
    source = _source([values], [before] if before else [], in_use=in_use, at=at)
    charge = _charge(values, before, source, {other.code for other in others})
    _demand_own(charge, others)
    return charge


@contextmanager
def under(path: str) -> Iterator[None]:
    """Put a path before the fields of what is refused inside."""
    try:
        yield
    except errors.Invalid as error:
        details = {f"{path}.{field}": codes for field, codes in error.details.items()} or {path: [error.code]}
        raise errors.Invalid("validation_errors", error.message, details) from error


def refused(field: str, code: str) -> errors.Invalid:
    """Return the refusal of one field."""
    return errors.Invalid("validation_errors", f"{field.replace('_', ' ').capitalize()}: {code}.", {field: [code]})


def _match(row: ChargeValues, existing: Sequence[ChargeContent]) -> ChargeContent | None:
    if row.get("id"):
        for charge in existing:
            if charge.key == row["id"]:
                return charge
        raise errors.NotFound("charge_not_found", "The plan has no charge of this id.")
    return next((charge for charge in existing if row.get("code") and charge.code == row["code"]), None)


def _source(
    values: Sequence[ChargeValues], existing: Sequence[ChargeContent], *, in_use: bool, at: datetime
) -> _Source:
    uuids = [row["billable_metric_id"] for row in values if row.get("billable_metric_id")]
    # Held until the charge is stored: a metric that is being retired or changed now cannot get a price in between.
    db.lock(BillableMetric.objects.filter(uuid__in=uuids))
    by_uuid = metrics.by_uuids(uuids=uuids)
    known = metrics.listed().filter(pk__in=[charge.metric_id for charge in existing])
    units = [row["applied_pricing_unit"] for row in values if row.get("applied_pricing_unit")]
    return _Source(
        metrics={metric.pk: metric for metric in (*known, *by_uuid.values())},
        by_uuid=by_uuid,
        units=pricing_units.by_codes(codes=[unit["code"] for unit in units if unit.get("code")]),
        in_use=in_use,
        at=at,
    )


def _demand_own(charge: ChargeContent, others: Sequence[ChargeContent]) -> None:
    if any(charge.key == other.key for other in others):
        raise refused("id", "value_is_duplicated")
    if any(charge.code == other.code for other in others):
        raise refused("code", "value_already_exist")


def _charge(row: ChargeValues, before: ChargeContent | None, source: _Source, codes: set[str]) -> ChargeContent:
    metric = _metric(row, before, source)
    model = row.get("charge_model") or (before.charge_model if before else "")
    charge_properties.demand_model(model=model, aggregation=Aggregation(metric.aggregation_type))
    terms = _terms(row, before, model, metric, source)
    charge_terms.check(terms)
    unit_id, rate = _pricing_unit(row, before, source)
    same_model = before is not None and before.charge_model == model
    given = row.get("properties")
    if not given and before is not None and same_model:
        properties = before.properties
    else:
        properties = charge_properties.stored(model=model, given=given)
    if "filters" in row:
        parts = _filters(row["filters"], before, metric, model)
    else:
        parts = before.filters if before is not None else ()
        if parts and not same_model:  # their prices are of the old model
            raise refused("filters", "value_is_mandatory")
    return ChargeContent(
        key=before.key if before else uuid4(),
        metric_id=metric.pk,
        code=row.get("code") or (before.code if before else free_code(metric.code, codes)),
        charge_model=model,
        pay_in_advance=terms.pay_in_advance,
        invoiceable=terms.invoiceable,
        regroup_paid_fees=terms.regroup_paid_fees,
        prorated=terms.prorated,
        min_amount_cents=terms.min_amount_cents,
        pricing_unit_id=unit_id,
        conversion_rate=rate,
        properties=properties,
        invoice_display_name=row.get("invoice_display_name", before.invoice_display_name if before else ""),
        filters=parts,
        tax_ids=tax_ids(row["tax_codes"]) if "tax_codes" in row else (before.tax_ids if before else ()),
        since=before.since if before else source.at,
        tax_inclusive=row.get("tax_inclusive", before.tax_inclusive if before else None),
    )


def _terms(
    row: ChargeValues, before: ChargeContent | None, model: str, metric: BillableMetric, source: _Source
) -> Terms:
    given: dict[str, Any] = dict(row)
    if before is not None and source.in_use:
        for field in AGREED:
            given.pop(field, None)
    return Terms(
        model=model,
        aggregation=Aggregation(metric.aggregation_type),
        is_recurring=metric.recurring,
        pay_in_advance=given.get("pay_in_advance", before is not None and before.pay_in_advance),
        invoiceable=given.get("invoiceable", before is None or before.invoiceable),
        regroup_paid_fees=given.get("regroup_paid_fees", before.regroup_paid_fees if before else ""),
        prorated=given.get("prorated", before is not None and before.prorated),
        min_amount_cents=given.get("min_amount_cents", before.min_amount_cents if before else 0),
    )


def _pricing_unit(
    row: ChargeValues, before: ChargeContent | None, source: _Source
) -> tuple[int | None, Decimal | None]:
    old = (before.pricing_unit_id, before.conversion_rate) if before else (None, None)
    if "applied_pricing_unit" not in row:
        return old
    given = row["applied_pricing_unit"]
    if given is None:
        return None, None
    with under("applied_pricing_unit"):
        unit_id = source.units[given["code"]].pk if given.get("code") else old[0]
        rate = given.get("conversion_rate", old[1])
        if unit_id is None:
            raise refused("code", "value_is_mandatory")
        if rate is None:
            raise refused("conversion_rate", "value_is_mandatory")
        if rate <= 0:
            raise refused("conversion_rate", "value_is_out_of_range")
    return unit_id, rate


def _metric(row: ChargeValues, before: ChargeContent | None, source: _Source) -> BillableMetric:
    asked = row.get("billable_metric_id")
    if before is None:
        if not asked:
            raise refused("billable_metric_id", "value_is_mandatory")
        return source.by_uuid[asked]
    metric = source.metrics[before.metric_id]
    if asked and metric.uuid != asked:
        raise refused("billable_metric_id", "modification_not_allowed")
    return metric


def _filters(
    rows: Sequence[FilterValues], before: ChargeContent | None, metric: BillableMetric, model: str
) -> tuple[FilterContent, ...]:
    if len(rows) > MAX_FILTERS:
        raise refused("filters", "value_is_too_long")
    declared = metrics.declared(metric)
    old = list(before.filters) if before else []
    found: list[FilterContent] = []
    for position, row in enumerate(rows):
        with under(f"filters.{position}"):
            values = filter_rules.check(raw=row.get("values"), declared=declared)
            if any(_same(values, other.values) for other in found):
                raise refused("values", "value_is_duplicated")
            key = row.get("key")
            matched = next((part for part in old if (part.key == key if key else _same(values, part.values))), None)
            found.append(
                FilterContent(
                    key=matched.key if matched else uuid4(),
                    values=values,
                    properties=charge_properties.of_filter(model=model, given=row.get("properties")),
                    invoice_display_name=row.get("invoice_display_name", ""),
                )
            )
    return tuple(found)


def _same(one: Mapping[str, Sequence[str]], other: Mapping[str, Sequence[str]]) -> bool:
    return {key: set(values) for key, values in one.items()} == {key: set(values) for key, values in other.items()}


def free_code(wanted: str, taken: set[str]) -> str:
    """Return the wanted code, with a number behind it where it is taken."""
    code, number = wanted, 1
    while code in taken:
        number += 1
        code = f"{wanted[:240]}_{number}"
    return code


def tax_ids(codes: Sequence[str]) -> tuple[int, ...]:
    """Return the keys of the taxes of these codes. Raises NotFound (`tax_not_found`)."""
    return tuple(sorted(tax.pk for tax in taxes.by_codes(codes=codes)))
