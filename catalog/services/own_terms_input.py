"""Own terms of a contract as they come in, made into the price list that they mean. Owns which charge a row names and
the path of what is refused; what a good price is, is checked as it is for a plan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from catalog.services import charge_input, commitment_input, fixed_charge_input, plans, private_terms, threshold_input
from catalog.services.charge_input import ChargeValues, FilterValues, UnitValues, refused, under
from catalog.services.commitment_input import CommitmentValues
from catalog.services.fixed_charge_input import FixedChargeValues
from catalog.services.price_lists import ChargeContent, FixedChargeContent, MinimumCommitmentContent, PriceList
from catalog.services.threshold_input import ThresholdValues
from config.kernel import errors, money

PATH = "plan_overrides"
"""Under what the fields of refused terms are named."""

MOST_CENTS = 10**15
"""The most that a fee can be, in minor units."""

_OF_UNITS = ("units", "apply_units_immediately")


class OwnChargeValues(TypedDict, total=False):
    """Own terms of a charge, which ``id`` or ``code`` names. Its metric and its model stay what they are."""

    id: UUID
    code: str
    billable_metric_id: UUID
    charge_model: str
    invoice_display_name: str
    min_amount_cents: int
    properties: Mapping[str, Any] | None
    filters: Sequence[FilterValues]
    tax_codes: Sequence[str]
    applied_pricing_unit: UnitValues | None


class OwnFixedChargeValues(TypedDict, total=False):
    """Own terms of a fixed charge, which ``id`` or ``code`` names."""

    id: UUID
    code: str
    invoice_display_name: str
    units: Decimal
    apply_units_immediately: bool
    properties: Mapping[str, Any] | None
    tax_codes: Sequence[str]


class OwnTerms(TypedDict, total=False):
    """What a contract agrees on beside its plan: only what is named. ``amount_cents`` are minor units.

    ``amount_currency`` can only be the plan's; ``trial_period`` is in days. A minimum commitment of 0 is none, an empty
    one says nothing; thresholds are the full list.
    """

    name: str
    invoice_display_name: str
    description: str
    amount_cents: int
    amount_currency: str
    trial_period: Decimal
    tax_codes: Sequence[str]
    minimum_commitment: CommitmentValues
    usage_thresholds: Sequence[ThresholdValues]
    charges: Sequence[OwnChargeValues]
    fixed_charges: Sequence[OwnFixedChargeValues]


class ModelStays(errors.Forbidden):
    """A contract can have a price of its own, but not another model of pricing."""


Row = TypeVar("Row", ChargeContent, FixedChargeContent)


def agreed(*, before: PriceList, terms: OwnTerms, at: datetime) -> tuple[PriceList, dict[str, Any]]:
    """Return the price list with the terms, and the terms as they are kept.

    Raises NotFound for a charge, fixed charge, tax or pricing unit named in vain, ModelStays, and Invalid with the path
    of what is wrong (``plan_overrides.charges.0.properties``).
    """
    with under(PATH):
        return _agreed(before, terms, at)


def apart(terms: OwnTerms) -> tuple[OwnTerms, list[OwnFixedChargeValues]]:
    """Return the terms without units of fixed charges, and the rows that have some.

    A contract that runs has its numbers of units written down over time, not in its prices.
    """
    prices, units = OwnTerms(**terms), [row for row in terms.get("fixed_charges", ()) if "units" in row]
    if "fixed_charges" in terms:
        rows: list[Any] = [{k: v for k, v in row.items() if k not in _OF_UNITS} for row in terms["fixed_charges"]]
        prices["fixed_charges"] = rows
    return prices, units


def _agreed(before: PriceList, terms: OwnTerms, at: datetime) -> tuple[PriceList, dict[str, Any]]:
    currency = before.amount.currency.code
    if terms.get("amount_currency", currency) != currency:
        raise refused("amount_currency", "currencies_does_not_match")
    content: dict[str, Any] = {}
    if "amount_cents" in terms:
        if not 0 <= terms["amount_cents"] <= MOST_CENTS:
            raise refused("amount_cents", "value_is_out_of_range")
        content["amount"] = money.from_minor(terms["amount_cents"], currency)
    if "trial_period" in terms:
        content["trial_period"] = plans.trial_days(terms["trial_period"])
    if "tax_codes" in terms:
        content["tax_ids"] = charge_input.tax_ids(terms["tax_codes"])
    if terms.get("minimum_commitment"):
        content["minimum_commitment"] = _commitment(before, terms["minimum_commitment"], at)
    if "usage_thresholds" in terms:
        content["usage_thresholds"] = threshold_input.thresholds(
            values=terms["usage_thresholds"], existing=before.usage_thresholds, at=at
        )
    kept = {
        name: terms[name] for name in (*private_terms.NAMES, *private_terms.PLAN_TERMS) if terms.get(name, {}) != {}
    }
    charges, charge_rows = _charges(before.charges, terms.get("charges", ()), at)
    fixed, fixed_rows = _fixed_charges(before.fixed_charges, terms.get("fixed_charges", ()), at)
    after = dataclasses.replace(before, **content, charges=charges, fixed_charges=fixed)
    return after, private_terms.stored({**kept, "charges": charge_rows, "fixed_charges": fixed_rows})


def _commitment(before: PriceList, values: CommitmentValues, at: datetime) -> MinimumCommitmentContent | None:
    if values.get("amount_cents") == 0:
        return None
    return commitment_input.minimum_commitment(values=values, before=before.minimum_commitment, at=at)


def _charges(
    before: Sequence[ChargeContent], rows: Sequence[OwnChargeValues], at: datetime
) -> tuple[tuple[ChargeContent, ...], list[dict[str, Any]]]:
    found = list(before)
    kept: list[dict[str, Any]] = []
    for position, row in enumerate(rows):
        with under(f"charges.{position}"):
            place = _place(found, row, errors.NotFound("charge_not_found", "The plan has no such charge."))
            charge = found[place]
            _demand_once(str(charge.key), kept)
            if row.get("charge_model") and row["charge_model"] != charge.charge_model:
                raise ModelStays(
                    "cannot_override_charge_model", "A charge keeps its model in the terms of one subscription."
                )
            asked = {term: row[term] for term in private_terms.CHARGE_TERMS if term in row}  # type: ignore[literal-required]
            values = ChargeValues(**asked)  # type: ignore[typeddict-item]
            if row.get("billable_metric_id"):
                values["billable_metric_id"] = row["billable_metric_id"]
            others = [other for other in found if other.key != charge.key]
            found[place] = charge_input.single(values=values, before=charge, others=others, in_use=True, at=at)
            kept.append({"id": str(charge.key), "code": charge.code, **asked})
    return tuple(found), kept


def _fixed_charges(
    before: Sequence[FixedChargeContent], rows: Sequence[OwnFixedChargeValues], at: datetime
) -> tuple[tuple[FixedChargeContent, ...], list[dict[str, Any]]]:
    found = list(before)
    kept: list[dict[str, Any]] = []
    for position, row in enumerate(rows):
        with under(f"fixed_charges.{position}"):
            missing = errors.NotFound("fixed_charge_not_found", "The plan has no such fixed charge.")
            place = _place(found, row, missing)
            charge = found[place]
            _demand_once(str(charge.key), kept)
            asked = {term: row[term] for term in private_terms.FIXED_CHARGE_TERMS if term in row}  # type: ignore[literal-required]
            others = [other for other in found if other.key != charge.key]
            values = FixedChargeValues(**asked)  # type: ignore[typeddict-item]
            found[place] = fixed_charge_input.single(values=values, before=charge, others=others, in_use=True, at=at)
            kept.append({"id": str(charge.key), "code": charge.code, **asked})
    return tuple(found), kept


def _place(rows: Sequence[Row], wanted: OwnChargeValues | OwnFixedChargeValues, missing: errors.NotFound) -> int:
    key, code = wanted.get("id"), wanted.get("code")
    if not key and not code:
        raise refused("id", "value_is_mandatory")
    for place, row in enumerate(rows):
        if row.key == key or (not key and row.code == code):
            return place
    raise missing


def _demand_once(key: str, kept: Sequence[Mapping[str, Any]]) -> None:
    if any(row["id"] == key for row in kept):
        raise refused("id", "value_is_duplicated")
