"""Prices of usage from a table: the charges of plans, one row for each price or tier. Owns the columns and putting rows
together; writing is `plans`'.

All rows of a plan make one new version of it. A charge that no row names stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from catalog.domain import filters
from catalog.domain.pricing import groups, presentation
from catalog.domain.pricing import properties as property_rules
from catalog.domain.pricing.models import ChargeModel
from catalog.models import BillableMetric
from catalog.queries import metrics
from catalog.queries import plans as known
from catalog.services import import_publishing, plan_imports, plans, price_lists
from catalog.services.charge_input import ChargeValues
from catalog.services.price_lists import ChargeContent, PriceList
from config.kernel import errors
from config.platform.services import import_kinds
from config.platform.services.import_cells import CellKind
from config.platform.services.import_kinds import Change, Effect, ImportColumn, ImportKind, Task, Values

_RANGES = {
    ChargeModel.GRADUATED: ("graduated_ranges", ("per_unit_amount", "flat_amount")),
    ChargeModel.VOLUME: ("volume_ranges", ("per_unit_amount", "flat_amount")),
    ChargeModel.GRADUATED_PERCENTAGE: ("graduated_percentage_ranges", ("rate", "flat_amount")),
}
_PLAIN = {
    ChargeModel.STANDARD: ("amount",),
    ChargeModel.PACKAGE: ("amount", "package_size", "free_units"),
    ChargeModel.PERCENTAGE: ("rate", "fixed_amount"),
    ChargeModel.DYNAMIC: (),
}
_NEEDED = {
    ChargeModel.STANDARD: ("amount",),
    ChargeModel.PACKAGE: ("amount", "package_size"),
    ChargeModel.PERCENTAGE: ("rate",),
    ChargeModel.GRADUATED: ("from_value", "per_unit_amount"),
    ChargeModel.VOLUME: ("from_value", "per_unit_amount"),
    ChargeModel.GRADUATED_PERCENTAGE: ("from_value", "rate"),
    ChargeModel.DYNAMIC: (),
}
_PRICES = (
    *("amount", "package_size", "free_units", "rate", "fixed_amount"),
    *("from_value", "to_value", "per_unit_amount", "flat_amount"),
)
_OF_CHARGE = ("invoice_display_name", "pay_in_advance", "invoiceable", "prorated", "min_amount", "tax_codes")
_WHOLE = frozenset({"package_size", "free_units"})

COLUMNS = (
    ImportColumn("plan_code", "Plan", synonyms=("plan code",), is_needed=True, help="Its code."),
    ImportColumn("metric_code", "Metric", synonyms=("billable metric", "metric code"), help="Its code."),
    ImportColumn(
        "charge_code", "Charge", synonyms=("charge code",), help="Its code; needed where a metric has several charges."
    ),
    ImportColumn("charge_model", "Model", synonyms=("charge model",), is_needed=True, help=", ".join(_NEEDED)),
    ImportColumn("filter", "Filter", help="region=eu|us; tier=gold: the price of that usage alone.", most=2000),
    ImportColumn("amount", "Amount", CellKind.NUMBER, synonyms=("price", "unit price"), help="standard, package"),
    ImportColumn("package_size", "Package size", CellKind.NUMBER, help="package"),
    ImportColumn("free_units", "Free units", CellKind.NUMBER, help="package"),
    ImportColumn("rate", "Rate (%)", CellKind.NUMBER, synonyms=("rate", "percent"), help="1.5 is 1.5 %"),
    ImportColumn("fixed_amount", "Fixed amount", CellKind.NUMBER, help="percentage: for each event"),
    ImportColumn("from_value", "From", CellKind.NUMBER, synonyms=("from value", "tier from"), help="Of a tier."),
    ImportColumn("to_value", "To", CellKind.NUMBER, synonyms=("to value", "tier to"), help="Empty: the last tier."),
    ImportColumn("per_unit_amount", "Per unit", CellKind.NUMBER, synonyms=("per unit amount",), help="Of a tier."),
    ImportColumn("flat_amount", "Flat", CellKind.NUMBER, synonyms=("flat amount",), help="Of a tier; empty is 0."),
    ImportColumn("invoice_display_name", "Name on invoices", synonyms=("invoice display name",)),
    ImportColumn("pay_in_advance", "In advance", CellKind.YES_NO, synonyms=("pay in advance",)),
    ImportColumn("invoiceable", "Invoiceable", CellKind.YES_NO),
    ImportColumn("prorated", "Prorated", CellKind.YES_NO),
    ImportColumn("min_amount", "At least", CellKind.NUMBER, synonyms=("minimum", "min amount")),
    ImportColumn("tax_codes", "Taxes", synonyms=("tax", "tax code"), help="Codes with commas between; replaces all."),
)


@dataclass
class _Charge:
    """The rows of a charge by the text of their filter, each with its place among the rows of the plan."""

    before: ChargeContent | None
    metric: BillableMetric
    code: str
    model: ChargeModel
    rows: dict[str, list[tuple[int, Values]]] = field(default_factory=dict)


def apply(task: Task) -> Effect:
    """Publish the prices of a plan in one new version. The same rows again change nothing.

    Raises RowRefused, and what `plans.update` raises.
    """
    version = known.by_code(code=task.rows[0]["plan_code"])
    before = price_lists.read(version)
    publication = import_publishing.publication(task.options, at=task.at)
    charges = _gathered(task.rows, before)
    currency = version.amount.currency.code
    given = {charge.code: _values(charge, currency) for charge in charges}
    rows = [given.pop(old.code, ChargeValues(id=old.key)) for old in before.charges]
    values = plans.PlanValues(charges=[*rows, *given.values()])
    _, after = plans.proposed(code=version.plan.code, values=values, at=task.at)
    plans.update(
        code=version.plan.code,
        values=values,
        actor=task.actor,
        at=task.at,
        publication=publication,
        seen=version.pk,
    )
    by_charge = {charge.code: _changes(charge.code, before, after) for charge in charges}
    every = tuple(change for changes in by_charge.values() for change in changes)
    named = {place: charge.code for charge in charges for rows_ in charge.rows.values() for place, _ in rows_}
    return Effect(version.plan, changes=every, by_row=tuple(by_charge[named[place]] for place in range(len(task.rows))))


def _gathered(rows: Sequence[Values], before: PriceList) -> list[_Charge]:
    found: dict[str, _Charge] = {}
    for place, row in enumerate(rows):
        charge = _charge_of(row, before, place)
        known_one = found.setdefault(charge.code, charge)
        if (known_one.model, known_one.metric.pk) != (charge.model, charge.metric.pk):
            words = f"Another row of the charge {charge.code} has another model or metric."
            raise import_kinds.refused("charge_model", words, place)
        known_one.rows.setdefault(_filter_text(row, place), []).append((place, row))
    return list(found.values())


def _charge_of(row: Values, before: PriceList, place: int) -> _Charge:
    model = row["charge_model"].lower().replace(" ", "_")
    if model not in _NEEDED:
        raise import_kinds.refused("charge_model", f"It is one of {', '.join(_NEEDED)}.", place)
    code = row.get("charge_code", "")
    old = next((one for one in before.charges if one.code == code), None) if code else None
    if old is None and "metric_code" not in row:
        raise import_kinds.refused("metric_code", "Name the metric of a new charge.", place)
    metric = _metric(row, place) if "metric_code" in row else metrics.listed().get(pk=old.metric_id)  # type: ignore[union-attr]
    if old is not None and metric.pk != old.metric_id:
        raise import_kinds.refused("metric_code", f"The charge {code} is of another metric.", place)
    if not code:
        same = [one for one in before.charges if one.metric_id == metric.pk]
        if len(same) > 1:
            raise import_kinds.refused(
                "charge_code", f"The plan has {len(same)} charges of the metric: name one.", place
            )
        old = same[0] if same else None
        code = old.code if old else metric.code
    return _Charge(old, metric, code, ChargeModel(model))


def _metric(row: Values, place: int) -> BillableMetric:
    try:
        return metrics.by_code(code=row["metric_code"])
    except errors.NotFound as refusal:
        raise import_kinds.refused("metric_code", refusal.message, place) from refusal


def _values(charge: _Charge, currency: str) -> ChargeValues:
    """The charge as the rows say; what they do not say stays."""
    content: dict[str, Any] = {"charge_model": charge.model.value}
    if charge.before is None:
        content |= {"code": charge.code, "billable_metric_id": charge.metric.uuid}
        if "" not in charge.rows:
            place = min(place for rows in charge.rows.values() for place, _ in rows)
            raise import_kinds.refused("filter", "A new charge needs a row without filter, for all other usage.", place)
    else:
        content["id"] = charge.before.key
    for rows in charge.rows.values():
        for place, row in rows:
            _take_terms(content, row, place, currency)
    old = charge.before.properties if charge.before else {}
    same_model = charge.before is not None and charge.before.charge_model == charge.model
    if "" in charge.rows:
        content["properties"] = _properties(charge.model, charge.rows[""], old, same_model=same_model)
    elif not same_model:
        place = min(place for rows in charge.rows.values() for place, _ in rows)
        raise import_kinds.refused("charge_model", "Another model needs a row without filter too.", place)
    filtered = {text: rows for text, rows in charge.rows.items() if text}
    if filtered:
        content["filters"] = _filters(charge, filtered, same_model=same_model)
    return ChargeValues(**content)  # type: ignore[typeddict-item]


def _take_terms(content: dict[str, Any], row: Values, place: int, currency: str) -> None:
    for name in _OF_CHARGE:
        if name not in row:
            continue
        if name == "invoice_display_name" and "filter" in row:
            continue
        target, value = name, row[name]
        if name == "min_amount":
            target, value = "min_amount_cents", plan_imports.cents(value, currency, name, place)
        elif name == "tax_codes":
            value = plan_imports.tax_codes(value, place)
        if content.setdefault(target, value) != value:
            raise import_kinds.refused(name, "Another row of the charge says something else.", place)


def _properties(
    model: ChargeModel, rows: Sequence[tuple[int, Values]], old: Mapping[str, Any], *, same_model: bool
) -> dict[str, Any]:
    """The price of rows; one that says the same figures as the old one is the old one. By what is grouped stays."""
    for place, row in rows:
        _demand_fitting(model, row, place)
    price = _tiers(model, rows) if model in _RANGES else _single(model, rows)
    place = rows[0][0]
    try:
        read = property_rules.parse(model=model, raw=price)
    except errors.Invalid as refusal:
        column = "from_value" if model in _RANGES else _NEEDED[model][0] if _NEEDED[model] else "charge_model"
        raise import_kinds.refused(column, refusal.message, place) from refusal
    if same_model and property_rules.parse(model=model, raw=old) == read:
        return dict(old)
    kept = {key: old[key] for key in (groups.KEY, groups.LEGACY_KEY, presentation.KEY) if key in old}
    if same_model and model == ChargeModel.PERCENTAGE:  # what has no column here stays too
        kept |= {key: value for key, value in old.items() if key not in _PLAIN[model]}
    return {**kept, **price}


def _demand_fitting(model: ChargeModel, row: Values, place: int) -> None:
    names = ("from_value", "to_value", *_RANGES[model][1]) if model in _RANGES else _PLAIN[model]
    for name in _NEEDED[model]:
        if name not in row:
            raise import_kinds.refused(name, f"A price of the model {model} needs it.", place)
    for name in _PRICES:
        if name in row and name not in names:
            raise import_kinds.refused(name, f"A price of the model {model} has none.", place)


def _single(model: ChargeModel, rows: Sequence[tuple[int, Values]]) -> dict[str, Any]:
    if len(rows) > 1:
        raise import_kinds.refused("charge_model", "The price is there twice.", rows[1][0])
    _, row = rows[0]
    price: dict[str, Any] = {name: _figure(name, row[name], rows[0][0]) for name in _PLAIN[model] if name in row}
    if model == ChargeModel.PACKAGE:
        price.setdefault("free_units", 0)
    return price


def _tiers(model: ChargeModel, rows: Sequence[tuple[int, Values]]) -> dict[str, Any]:
    name, amounts = _RANGES[model]
    tiers = [
        {
            "from_value": _bound(row["from_value"]),
            "to_value": _bound(row["to_value"]) if "to_value" in row else None,
            **{amount: _text(row.get(amount, Decimal(0))) for amount in amounts},
        }
        for _, row in sorted(rows, key=lambda one: one[1]["from_value"])
    ]
    return {name: tiers}


def _figure(name: str, value: Decimal, place: int) -> Any:
    if name not in _WHOLE:
        return _text(value)
    if value != value.to_integral_value():
        raise import_kinds.refused(name, "It is a whole number.", place)
    return int(value)


def _bound(value: Decimal) -> Any:
    return int(value) if value == value.to_integral_value() else _text(value)


def _text(value: Decimal) -> str:
    return format(value, "f")


def _filter_text(row: Values, place: int) -> str:
    """A filter in one way of writing it; empty without one."""
    parsed = _parsed(row.get("filter", ""), place)
    return "; ".join(f"{name}={'|'.join(sorted(values))}" for name, values in sorted(parsed.items()))


def _parsed(text: str, place: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, values = part.partition("=")
        accepted = [value.strip() for value in values.split("|") if value.strip()]
        if not (equals and name.strip() and accepted) or name.strip() in found:
            raise import_kinds.refused("filter", "Write it as region=eu|us; tier=gold.", place)
        found[name.strip()] = [filters.ALL_VALUES] if accepted == ["*"] else accepted
    return found


def _filters(charge: _Charge, given: Mapping[str, Sequence[tuple[int, Values]]], *, same_model: bool) -> list[Any]:
    """All filters of the charge: those of the rows, and the others as they are."""
    old = {
        "; ".join(f"{name}={'|'.join(sorted(values))}" for name, values in sorted(part.values.items())): part
        for part in (charge.before.filters if charge.before else ())
    }
    if not same_model and set(old) - set(given):
        place = min(place for rows in given.values() for place, _ in rows)
        raise import_kinds.refused("charge_model", "Another model needs rows for all filters of the charge.", place)
    found = []
    for text in (*old, *(text for text in given if text not in old)):
        part = old.get(text)
        price: dict[str, Any] = dict(part.properties) if part else {}
        name = part.invoice_display_name if part else ""
        if text in given:
            price = _properties(charge.model, given[text], price, same_model=same_model and part is not None)
            name = next((row["invoice_display_name"] for _, row in given[text] if "invoice_display_name" in row), name)
        values = part.values if part else _parsed(text, given[text][0][0])
        row = {"values": values, "properties": price, "invoice_display_name": name}
        found.append(row | {"key": part.key} if part else row)
    return found


def _changes(code: str, before: PriceList, after: PriceList) -> tuple[Change, ...]:
    old = next((_lines(charge) for charge in before.charges if charge.code == code), {})
    new = next((_lines(charge) for charge in after.charges if charge.code == code), {})
    return tuple(
        (f"{code} {name}".strip(), old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys((*old, *new))
        if old.get(name, "") != new.get(name, "")
    )


def _lines(charge: ChargeContent) -> dict[str, str]:
    """A charge as lines that can be compared, for people."""
    terms = {
        "model": charge.charge_model,
        "name": charge.invoice_display_name,
        "in advance": "yes" if charge.pay_in_advance else "no",
        "invoiceable": "yes" if charge.invoiceable else "no",
        "prorated": "yes" if charge.prorated else "no",
        "at least": str(charge.min_amount_cents) if charge.min_amount_cents else "",
        "taxes": ", ".join(map(str, charge.tax_ids)),
        "price": _price(charge.properties),
    }
    for part in charge.filters:
        text = "; ".join(f"{name}={'|'.join(values)}" for name, values in part.values.items())
        terms[f"price of {text}"] = _price(part.properties)
    return terms


def _price(properties: Mapping[str, Any]) -> str:
    parts = []
    for name, value in properties.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            parts += [
                f"{tier.get('from_value')}–{'…' if tier.get('to_value') is None else tier['to_value']}: "
                + " + ".join(str(tier[key]) for key in ("per_unit_amount", "rate", "flat_amount") if key in tier)
                for tier in value
            ]
        else:
            parts.append(f"{name.replace('_', ' ')} {value}")
    return ", ".join(parts)


KIND = ImportKind(
    code="prices",
    label="Prices",
    about="Changes what usage costs: the charges of plans, a row for each price or tier. All rows of a plan are one.",
    permissions=("platform.import_prices", "catalog.change_plan"),
    columns=COLUMNS,
    key=("plan_code",),
    apply=apply,
    demand=import_publishing.demand_second,
    is_grouped=True,
    options=import_publishing.OPTIONS,
    samples=(
        {"plan_code": "team", "metric_code": "seats", "charge_model": "standard", "amount": "5.00"},
        {
            "plan_code": "team",
            "metric_code": "requests",
            "charge_model": "graduated",
            "from_value": "0",
            "to_value": "1000",
            "per_unit_amount": "0.01",
            "flat_amount": "0",
        },
        {
            "plan_code": "team",
            "metric_code": "requests",
            "charge_model": "graduated",
            "from_value": "1001",
            "per_unit_amount": "0.005",
            "flat_amount": "0",
        },
    ),
)

import_kinds.register(KIND)
