"""The prices of a plan in the editor of a quote: units and price of each fixed charge, price of each charge, the
minimum; and the own terms that what was typed comes to.

An empty field, or one that says what the list says, agrees on nothing. Own terms that have no field here stay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Q

from billing.admin import price_text
from billing.admin import quote_editor_fields as fields
from billing.admin.quote_editor_fields import Kind, Spec, Wrong
from billing.admin.quote_editor_rows import Row
from catalog.domain import decimals
from catalog.models import Charge, FixedCharge, PlanVersion
from catalog.queries import plans
from config.kernel import money

KEPT, KEPT_PLAN, KEPT_VERSION = "kept", "kept_plan", "kept_version"
MOST_PRICES = 100
FEE = Spec("fee", "Fee", Kind.MONEY)
MINIMUM = Spec("minimum", "Minimum of an interval", Kind.MONEY)
_NAMED = frozenset({"id", "code"})

Refuse = Callable[[str, str], None]
"""Takes the name of a field of the row and what is wrong with it."""


SHORT = {
    Charge.Model.STANDARD: "Price of a unit",
    Charge.Model.PACKAGE: "Price; units in one; free units",
    Charge.Model.PERCENTAGE: "Percent; amount per event",
    Charge.Model.GRADUATED: "Up to; price; flat amount",
    Charge.Model.VOLUME: "Up to; price; flat amount",
    Charge.Model.GRADUATED_PERCENTAGE: "Up to; percent; flat amount",
}
"""What stands above the field of a price; the whole help shows on pointing."""


@dataclass(frozen=True)
class PriceField:
    """A field of a price list: its name, what it is of, what the list says, and whether it has lines."""

    name: str
    title: str
    model: str
    list_text: str
    short: str
    help: str
    is_tiered: bool = False
    units_name: str = ""
    units_text: str = ""


@dataclass
class PriceLists:
    """The price lists that the phases of an editor are about: by plan and number, and those that products have now."""

    lists: Mapping[tuple[str, int | None], PlanVersion] = field(default_factory=dict)
    running: Mapping[str, PlanVersion] = field(default_factory=dict)

    def of(self, phase: Row, product: str = "") -> PlanVersion | None:
        """The list of a phase; of a change that keeps the plan, what the product has now."""
        code = phase.values.get("plan_code", "")
        return self.lists.get((code, pinned(phase))) if code else self.running.get(product)


def fetched(wanted: Iterable[tuple[str, int | None]]) -> dict[tuple[str, int | None], PlanVersion]:
    """Fetch price lists by the plan's code and number; without a number the one that is on sale now. Few statements."""
    asked = {(code, number) for code, number in wanted if code}
    if not asked:
        return {}
    pinned_ones = {(code, number) for code, number in asked if number is not None}
    match = Q(plan__code__in=[code for code, _ in asked], is_current=True)
    for code, number in pinned_ones:
        match |= Q(plan__code=code, number=number)
    rows = PlanVersion.objects.filter(match, plan__deleted_at__isnull=True, base__isnull=True)
    found: dict[tuple[str, int | None], PlanVersion] = {}
    for row in plans.with_content(rows):
        if (row.plan.code, row.number) in pinned_ones:
            found[row.plan.code, row.number] = row
        if row.is_current:
            found[row.plan.code, None] = row
    return found


def pinned(row: Row) -> int | None:
    """The number of the price list that a row is about, where it was pinned and the plan is still that one."""
    text = row.values.get(KEPT_VERSION, "")
    same = row.values.get(KEPT_PLAN, "") == row.values.get("plan_code", "")
    return int(text) if same and text.isascii() and text.isdecimal() and len(text) < 10 else None


def price_fields(version: PlanVersion) -> tuple[PriceField, ...]:
    """The fields of a price list: fixed charges first, then the prices of usage."""
    found = [_field(row) for row in version.fixed_charges.all()[:MOST_PRICES]]
    found += [_field(row) for row in version.charges.all()[:MOST_PRICES]]
    return tuple(found)


def fee_text(version: PlanVersion) -> str:
    """The fee of the list, as somebody would type it."""
    return fields.amount_text(money.to_minor(money.rounded(version.amount)), version.currency)


def minimum_text(version: PlanVersion) -> str:
    """The minimum of the list, as somebody would type it; empty for none."""
    row = version.commitment
    return "" if row is None else fields.amount_text(row.amount_cents, version.currency)


def read(row: Row, version: PlanVersion, refuse: Refuse) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the own terms and the numbers of units that a row agrees on, over those that were kept."""
    overrides = kept(row, refuse)
    currency = version.currency
    for spec, put in ((FEE, _put_fee), (MINIMUM, _put_minimum)):
        if spec.name in row.values:
            try:
                put(overrides, fields.read(spec, row.values[spec.name], currency=currency))
            except Wrong as wrong:
                refuse(spec.name, str(wrong))
    units: dict[str, str] = {}
    for name, rows in (("fixed_charges", version.fixed_charges.all()), ("charges", version.charges.all())):
        agreed = [dict(one) for one in overrides.get(name, ()) if isinstance(one, Mapping)]
        for charge in rows[:MOST_PRICES]:
            _read_charge(row, charge, agreed, units, refuse)
        overrides[name] = [one for one in agreed if set(one) - _NAMED]
    return {key: value for key, value in overrides.items() if value not in ([], {}, None)}, units


def kept(row: Row, refuse: Refuse) -> dict[str, Any]:
    """The own terms that the row was opened with, if it is still of the same plan."""
    text = row.values.get(KEPT, "")
    if not text or row.values.get(KEPT_PLAN, "") != row.values.get("plan_code", ""):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        refuse(KEPT, "The own terms cannot be read. Open the quote again.")
        return {}
    return dict(found) if isinstance(found, dict) else {}


def write(phase: Mapping[str, Any], version: PlanVersion | None) -> dict[str, str]:
    """Write the prices of a stored phase as the texts of a row; without its price list they are only kept."""
    overrides = phase.get("overrides") or {}
    values = {
        KEPT: json.dumps(overrides, sort_keys=True) if overrides else "",
        KEPT_PLAN: str(phase.get("plan_code") or ""),
        KEPT_VERSION: str(phase.get("plan_version") or ""),
    }
    if version is None:
        return values
    values[FEE.name] = fields.write(FEE, overrides.get("amount_cents"), currency=version.currency)
    least = overrides.get("minimum_commitment") or {}
    values[MINIMUM.name] = fields.write(MINIMUM, least.get("amount_cents"), currency=version.currency)
    for name, rows in (("fixed_charges", version.fixed_charges.all()), ("charges", version.charges.all())):
        for charge in rows[:MOST_PRICES]:
            own = _of(overrides.get(name, ()), charge)
            place = _field(charge)
            if "properties" in own and charge.charge_model in price_text.HELP:
                values[place.name] = price_text.write(charge.charge_model, own["properties"] or {})
            if place.units_name:
                number = (phase.get("units") or {}).get(charge.code, own.get("units"))
                values[place.units_name] = "" if number is None else str(number)
    return values


def changed(row: Row, found: Sequence[PriceField]) -> int:
    """Count the prices that differ from the list's, for the line above them."""
    return sum(1 for one in found if differs(row.values.get(one.name, ""), one))


def _read_charge(
    row: Row, charge: Charge | FixedCharge, agreed: list[dict[str, Any]], units: dict[str, str], refuse: Refuse
) -> None:
    place = _field(charge)
    own = next((one for one in agreed if _names(one, charge)), None)
    if own is None:
        own = {"id": str(charge.key), "code": charge.code}
        agreed.append(own)
    if place.units_name and place.units_name in row.values:
        own.pop("units", None)
        try:
            if (text := row.values[place.units_name].strip()) and (number := fields.number(text)) != charge.units:  # type: ignore[union-attr] # fixed
                units[charge.code] = decimals.text(number)
        except Wrong as wrong:
            refuse(place.units_name, str(wrong))
    if place.name not in row.values or charge.charge_model not in price_text.HELP:
        return
    text = _lines(row.values[place.name])
    if not differs(text, place):
        own.pop("properties", None)
        return
    try:
        own["properties"] = price_text.read(charge.charge_model, text, own.get("properties") or charge.properties)
    except forms.ValidationError as refusal:
        refuse(place.name, " ".join(refusal.messages))


def field_name(charge: Charge | FixedCharge) -> str:
    """The name of the field of a price."""
    return f"price_{'fixed' if isinstance(charge, FixedCharge) else 'charge'}_{charge.key.hex}"


def _field(charge: Charge | FixedCharge) -> PriceField:
    is_fixed = isinstance(charge, FixedCharge)
    can_be_typed = charge.charge_model in price_text.HELP
    return PriceField(
        name=field_name(charge),
        title=_title(charge),
        model=charge.get_charge_model_display(),
        list_text=price_text.write(charge.charge_model, charge.properties) if can_be_typed else "",
        short=SHORT.get(Charge.Model(charge.charge_model), ""),
        help=str(price_text.HELP.get(charge.charge_model, "")),
        is_tiered=charge.charge_model in price_text.TIERED,
        units_name=f"units_{charge.key.hex}" if is_fixed else "",
        units_text=decimals.text(charge.units) if isinstance(charge, FixedCharge) else "",
    )


def _title(charge: Charge | FixedCharge) -> str:
    own = charge.invoice_display_name
    return own or (charge.add_on.name if isinstance(charge, FixedCharge) else charge.metric.name)


def differs(text: str, place: PriceField) -> bool:
    """Say whether a text agrees on another price than the list's."""
    return bool(text.strip()) and _lines(text).strip() != place.list_text.strip()


def _lines(text: str) -> str:
    return "\n".join(text.split("\r\n"))  # browsers end lines in their own way


def _names(own: Mapping[str, Any], charge: Charge | FixedCharge) -> bool:
    return str(own.get("id") or "") == str(charge.key) or (not own.get("id") and own.get("code") == charge.code)


def _of(rows: Any, charge: Charge | FixedCharge) -> Mapping[str, Any]:
    return next((one for one in rows if isinstance(one, Mapping) and _names(one, charge)), {})


def _put_fee(overrides: dict[str, Any], cents: int | None) -> None:
    if cents is None:
        overrides.pop("amount_cents", None)
    else:
        overrides["amount_cents"] = cents


def _put_minimum(overrides: dict[str, Any], cents: int | None) -> None:
    least = dict(overrides.get("minimum_commitment") or {})
    least.pop("amount_cents", None)
    if cents is not None:
        least["amount_cents"] = cents
    overrides["minimum_commitment"] = least
