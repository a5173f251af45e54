"""What is agreed for one contract alone, beside its plan: which terms these may be, which of them differ from the plan,
and the price list that they make of another version of it.

Owns the sums of price lists and own terms; nothing is read or written. How terms come in is `own_terms_input`'s, where
they are kept `private_versions`'.

Own terms are kept as they were asked for: names and the plan's own terms by name, those of charges and fixed charges in
rows with the ``id`` of theirs, which outlives versions. A term that says what the plan says is none: it goes with the
plan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from catalog.services.price_lists import ChargeContent, FixedChargeContent, PriceList

COMMITMENT = "minimum_commitment"
NAMES = ("name", "invoice_display_name", "description")
PLAN_TERMS: Mapping[str, tuple[str, ...]] = {
    "amount_cents": ("amount",),
    "trial_period": ("trial_period",),
    "tax_codes": ("tax_ids",),
    COMMITMENT: ("minimum_commitment",),
    "usage_thresholds": ("usage_thresholds",),
}
CHARGE_TERMS: Mapping[str, tuple[str, ...]] = {
    "invoice_display_name": ("invoice_display_name",),
    "min_amount_cents": ("min_amount_cents",),
    "properties": ("properties",),
    "filters": ("filters",),
    "tax_codes": ("tax_ids",),
    "applied_pricing_unit": ("pricing_unit_id", "conversion_rate"),
}
FIXED_CHARGE_TERMS: Mapping[str, tuple[str, ...]] = {
    "invoice_display_name": ("invoice_display_name",),
    "units": ("units",),
    "properties": ("properties",),
    "tax_codes": ("tax_ids",),
}
"""What may be agreed, and which fields of a price list each term sets."""

ROWS: Mapping[str, Mapping[str, tuple[str, ...]]] = {"charges": CHARGE_TERMS, "fixed_charges": FIXED_CHARGE_TERMS}
# What a price is of: it stays with the price that was agreed where the plan's is of another model by now.
_OF_MODEL = ("charge_model", "properties", "filters", "prorated")
_IDENTITY = ("id", "code")

Row = TypeVar("Row", ChargeContent, FixedChargeContent)


def stored(value: Any) -> Any:
    """Return a value as it is kept: decimals and ids as text."""
    if isinstance(value, Mapping):
        return {str(key): stored(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [stored(inner) for inner in value]
    return str(value) if isinstance(value, Decimal | UUID) else value


def merged(before: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return own terms with others on top of them; those of a charge are joined by its id."""
    found = {**before, **asked}
    if isinstance(before.get(COMMITMENT), Mapping) and isinstance(asked.get(COMMITMENT), Mapping):
        found[COMMITMENT] = {**before[COMMITMENT], **asked[COMMITMENT]}
    for name in ROWS:
        rows = {row["id"]: row for row in before.get(name, ())}
        for row in asked.get(name, ()):
            rows[row["id"]] = {**rows.get(row["id"], {}), **row}
        found[name] = list(rows.values())
    return found


def differing(
    overrides: Mapping[str, Any], *, own: PriceList, base: PriceList, names: Mapping[str, str]
) -> dict[str, Any]:
    """Return the own terms by which a price list differs from its base; ``names`` are the plan's."""
    found = {name: overrides[name] for name in NAMES if overrides.get(name) and overrides[name] != names[name]}
    found |= {
        term: overrides[term] for term, fields in PLAN_TERMS.items() if term in overrides and _differ(own, base, fields)
    }
    for name, terms in ROWS.items():
        own_rows, base_rows = _by_id(getattr(own, name)), _by_id(getattr(base, name))
        rows = [
            _differing_row(row, terms, own_rows[row["id"]], base_rows[row["id"]])
            for row in overrides.get(name, ())
            if row["id"] in own_rows and row["id"] in base_rows
        ]
        kept = [row for row in rows if row.keys() - set(_IDENTITY)]
        if kept:
            found[name] = kept
    return found


def rebased(overrides: Mapping[str, Any], *, own: PriceList, onto: PriceList) -> PriceList:
    """Return another version of the plan with the own terms that a price list has; all else is that version's.

    A charge that the version has no more is left out with its own terms, one that is new comes along. A price that was
    agreed keeps the model that it is of.
    """
    return dataclasses.replace(
        onto,
        **_taken(own, [field for term, fields in PLAN_TERMS.items() if term in overrides for field in fields]),
        charges=_rebased_rows(overrides.get("charges", ()), CHARGE_TERMS, own.charges, onto.charges),
        fixed_charges=_rebased_rows(
            overrides.get("fixed_charges", ()), FIXED_CHARGE_TERMS, own.fixed_charges, onto.fixed_charges
        ),
    )


def without(overrides: Mapping[str, Any], terms: Collection[str]) -> dict[str, Any]:
    """Return own terms without some: by name, or by list and id, such as ``charges.<id>``."""
    found = {name: value for name, value in overrides.items() if name not in terms}
    for name in ROWS:
        if name in found:
            found[name] = [row for row in found[name] if f"{name}.{row['id']}" not in terms]
    return {name: value for name, value in found.items() if value or name not in ROWS}


def _differing_row(row: Mapping[str, Any], terms: Mapping[str, tuple[str, ...]], own: Row, base: Row) -> dict[str, Any]:
    kept = {name: row[name] for name in _IDENTITY if name in row}
    # A price of another model than the plan's is its own in all that hangs on the model.
    same_model = own.charge_model == base.charge_model
    for term, fields in terms.items():
        if term in row and (_differ(own, base, fields) or not same_model):
            kept[term] = row[term]
    return kept


def _rebased_rows(
    rows: Sequence[Mapping[str, Any]],
    terms: Mapping[str, tuple[str, ...]],
    own: Sequence[Row],
    onto: Sequence[Row],
) -> tuple[Row, ...]:
    agreed = {row["id"]: row for row in rows}
    own_rows = _by_id(own)
    found: list[Row] = []
    for charge in onto:
        row, mine = agreed.get(str(charge.key)), own_rows.get(str(charge.key))
        if row is None or mine is None:
            found.append(charge)
            continue
        fields = [field for term, fields in terms.items() if term in row for field in fields]
        if {"properties", "filters"} & set(fields) and mine.charge_model != charge.charge_model:
            fields += [field for field in _OF_MODEL if hasattr(mine, field)]
        found.append(dataclasses.replace(charge, **_taken(mine, fields)))
    return tuple(found)


def _by_id(rows: Sequence[Row]) -> dict[str, Row]:
    return {str(row.key): row for row in rows}


def _taken(source: object, fields: Collection[str]) -> dict[str, Any]:
    return {field: getattr(source, field) for field in fields}


def _differ(one: object, other: object, fields: Collection[str]) -> bool:
    return any(getattr(one, field) != getattr(other, field) for field in fields)
