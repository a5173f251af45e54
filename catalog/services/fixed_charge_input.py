"""Fixed charges as they come in, made into the fixed charges of a price list. Owns defaults, codes and identity.

A price is read as that of a charge is; which terms go together is the domain's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID, uuid4

from django.db.models import Q

from catalog.domain import fixed_charges as rules
from catalog.models import AddOn
from catalog.queries import add_ons
from catalog.services import charge_input, charge_properties
from catalog.services.charge_input import refused
from catalog.services.price_lists import FixedChargeContent
from config.kernel import db, errors, money

MAX_FIXED_CHARGES = 200
MAX_UNITS = 10**15
_UNIT_PLACES = 15
# When it is billed: what an open period was begun with, and so cannot change for those who have the plan.
AGREED = ("pay_in_advance",)


class FixedChargeValues(TypedDict, total=False):
    """A fixed charge as it comes in. ``id`` or ``code`` names one that exists; what is absent then stays as it is.

    A new one names its add-on by id or code. ``apply_units_immediately`` asks that whoever has the plan gets another
    number of units now instead of with their next period.
    """

    id: UUID
    code: str
    add_on_id: UUID
    add_on_code: str
    invoice_display_name: str
    charge_model: str
    units: Decimal
    pay_in_advance: bool
    prorated: bool
    properties: Mapping[str, Any] | None
    tax_codes: Sequence[str]
    apply_units_immediately: bool


@dataclass(frozen=True)
class _Source:
    """What the fixed charges refer to."""

    add_ons: Sequence[AddOn]
    in_use: bool
    at: datetime


def fixed_charges(
    *, values: Sequence[FixedChargeValues], existing: Sequence[FixedChargeContent], in_use: bool, at: datetime
) -> tuple[FixedChargeContent, ...]:
    """Return the full list of fixed charges that the values describe, in their order.

    One is matched with an existing one by its id, else by its code; unmatched existing ones are left out. While the
    plan is ``in_use`` the existing ones stay billed when they are, whatever is sent. Raises NotFound for an unknown
    add-on, tax or id, and Invalid with the path of what is wrong (``fixed_charges.0.properties``).
    """
    if len(values) > MAX_FIXED_CHARGES:
        raise refused("fixed_charges", "value_is_too_long")
    matched = [_match(row, existing) for row in values]
    source = _source(values, matched, in_use=in_use, at=at)
    taken = {row["code"] for row in values if row.get("code")} | {before.code for before in matched if before}
    found: list[FixedChargeContent] = []
    for position, (row, before) in enumerate(zip(values, matched, strict=True)):
        with charge_input.under(f"fixed_charges.{position}"):
            charge = _fixed_charge(row, before, source, taken | {other.code for other in found})
            _demand_own(charge, found)
        found.append(charge)
    return tuple(found)


def single(
    *,
    values: FixedChargeValues,
    before: FixedChargeContent | None,
    others: Sequence[FixedChargeContent],
    in_use: bool,
    at: datetime,
) -> FixedChargeContent:
    """Return the fixed charge that the values describe, beside the others of its plan: new, or ``before`` changed.

    Raises as `fixed_charges` does, without a path; the id in the values does not matter.
    """
    source = _source([values], [before], in_use=in_use, at=at)
    charge = _fixed_charge(values, before, source, {other.code for other in others})
    _demand_own(charge, others)
    return charge


def _match(row: FixedChargeValues, existing: Sequence[FixedChargeContent]) -> FixedChargeContent | None:
    if row.get("id"):
        for charge in existing:
            if charge.key == row["id"]:
                return charge
        raise errors.NotFound("fixed_charge_not_found", "The plan has no fixed charge of this id.")
    return next((charge for charge in existing if row.get("code") and charge.code == row["code"]), None)


def _source(
    values: Sequence[FixedChargeValues],
    matched: Sequence[FixedChargeContent | None],
    *,
    in_use: bool,
    at: datetime,
) -> _Source:
    new = [row for row, before in zip(values, matched, strict=True) if before is None]
    uuids = [row["add_on_id"] for row in new if row.get("add_on_id")]
    codes = [row["add_on_code"] for row in new if row.get("add_on_code")]
    # Held until the charge is stored: an add-on that is being retired now cannot be sold anew in between.
    db.lock(AddOn.objects.filter(Q(uuid__in=uuids) | Q(code__in=codes)))
    asked = add_ons.named(uuids=uuids, codes=codes)
    kept = AddOn.objects.filter(pk__in=[before.add_on_id for before in matched if before])
    return _Source(add_ons=[*asked, *kept], in_use=in_use, at=at)


def _demand_own(charge: FixedChargeContent, others: Sequence[FixedChargeContent]) -> None:
    if any(charge.key == other.key for other in others):
        raise refused("id", "value_is_duplicated")
    if any(charge.code == other.code for other in others):
        raise refused("code", "value_already_exist")


def _fixed_charge(
    row: FixedChargeValues, before: FixedChargeContent | None, source: _Source, codes: set[str]
) -> FixedChargeContent:
    add_on = _add_on(row, before, source)
    model = row.get("charge_model") or (before.charge_model if before else "")
    given: dict[str, Any] = dict(row)
    if before is not None and source.in_use:
        for field in AGREED:
            given.pop(field, None)
    pay_in_advance = given.get("pay_in_advance", before is not None and before.pay_in_advance)
    prorated = given.get("prorated", before is not None and before.prorated)
    rules.check(model=model, pay_in_advance=pay_in_advance, prorated=prorated)
    if not row.get("properties") and before is not None and before.charge_model == model:
        properties = before.properties
    else:
        properties = charge_properties.price(model=model, given=row.get("properties"))
    return FixedChargeContent(
        key=before.key if before else uuid4(),
        add_on_id=add_on.pk,
        code=row.get("code") or (before.code if before else charge_input.free_code(add_on.code, codes)),
        charge_model=model,
        units=_units(row.get("units", before.units if before else Decimal(0))),
        properties=properties,
        invoice_display_name=row.get("invoice_display_name", before.invoice_display_name if before else ""),
        tax_ids=charge_input.tax_ids(row["tax_codes"]) if "tax_codes" in row else (before.tax_ids if before else ()),
        since=before.since if before else source.at,
        pay_in_advance=pay_in_advance,
        prorated=prorated,
        immediately=row.get("apply_units_immediately", False),
    )


def _add_on(row: FixedChargeValues, before: FixedChargeContent | None, source: _Source) -> AddOn:
    uuid, code = row.get("add_on_id"), row.get("add_on_code")
    if before is not None:
        kept = next(add_on for add_on in source.add_ons if add_on.pk == before.add_on_id)
        if uuid and uuid != kept.uuid:
            raise refused("add_on_id", "modification_not_allowed")
        if code and code != kept.code:
            raise refused("add_on_code", "modification_not_allowed")
        return kept
    if not uuid and not code:
        raise refused("add_on_id", "value_is_mandatory")
    named = [add_on for add_on in source.add_ons if uuid in (None, add_on.uuid) and (not code or add_on.code == code)]
    if not named:
        raise refused("add_on_code", "value_is_invalid")  # the id names another one
    return named[0]


def _units(units: Decimal) -> Decimal:
    if not 0 <= units < MAX_UNITS or money.round_half_up(units, _UNIT_PLACES) != units:
        raise refused("units", "value_is_out_of_range")
    return units
