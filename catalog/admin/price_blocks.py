"""The editable prices of a plan version: a block of fields for each charge, each of its filters and each fixed charge.

Owns reading and writing the fields; what a good price is, and what it comes to, the domain says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from catalog.admin import charge_forms, prices
from catalog.admin.prices import Measure
from catalog.domain import decimals
from catalog.domain.pricing import groups, models, presentation, properties, samples
from catalog.models import Charge, FixedCharge, PlanVersion
from config.kernel import errors

PERCENT_MODELS = (Charge.Model.GRADUATED_PERCENTAGE,)
PLAIN = {
    Charge.Model.STANDARD: (("amount", "Price per unit"),),
    Charge.Model.PACKAGE: (
        ("amount", "Price of a package"),
        ("package_size", "Units in a package"),
        ("free_units", "Free units"),
    ),
    Charge.Model.PERCENTAGE: (
        ("rate", "Percent"),
        ("fixed_amount", "Amount per event"),
        ("free_units_per_events", "Free events"),
        ("free_units_per_total_aggregation", "Free value"),
        ("per_transaction_min_amount", "Least per event"),
        ("per_transaction_max_amount", "Most per event"),
    ),
}
"""The properties of the models without tiers, and what they are called."""

_NEEDED = {"amount", "package_size", "rate"}
_KEPT = (groups.KEY, presentation.KEY)
MAX_TEXT = 60
WRONG = "A number of zero or more is needed."


@dataclass(frozen=True)
class TierRow:
    """A tier as text: up to (empty in the last one), price or percent, flat amount."""

    up_to: str = ""
    price: str = ""
    flat: str = "0"
    error: str = ""


@dataclass(frozen=True)
class PriceBlock:
    """The fields of one price under a ``prefix``. ``raw`` is the price as it is stored, ``follows`` the block whose
    model it has.
    """

    prefix: str
    title: str
    note: str
    model: str
    raw: Mapping[str, Any]
    measure: Measure
    choices: tuple[tuple[str, str], ...] = ()
    follows: str = ""
    units: str | None = None
    minimum: Decimal = Decimal(0)
    values: Mapping[str, str] = field(default_factory=dict)
    tiers: tuple[TierRow, ...] = ()
    is_removed: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)
    terms: models.Properties | None = None

    @property
    def groups(self) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
        """The fields of each model without tiers: name, label, value and what is wrong."""
        return [
            (
                str(model),
                [
                    (name, label, self.values.get(name, ""), self.errors.get(name, "") if model == self.model else "")
                    for name, label in fields
                ],
            )
            for model, fields in PLAIN.items()
            if not self.choices or model in dict(self.choices) or model == self.model
        ]

    @property
    def is_tiered(self) -> bool:
        """Say whether the chosen model has tiers."""
        return self.model in charge_forms.TIERED

    @property
    def tier_models(self) -> str:
        """The models with tiers, for the page's script."""
        return " ".join(str(model) for model in charge_forms.TIERED)

    @property
    def price_label(self) -> str:
        """What the price of a tier is."""
        return "Percent" if self.model in PERCENT_MODELS else "Price per unit"

    @property
    def rows(self) -> tuple[TierRow, ...]:
        """The tiers to show; one empty row where there is none."""
        return self.tiers or (TierRow(),)

    @property
    def changed(self) -> dict[str, Any]:
        """The price as the services take it: as it was stored where it means the same."""
        if self.terms is None:
            raise AssertionError("a price that is wrong is not published")
        return written(self)


def of_version(version: PlanVersion) -> list[PriceBlock]:
    """The blocks of a version, always in the same order: charges with their filters, then fixed charges."""
    found: list[PriceBlock] = []
    for charge in version.charges.all():
        found.append(_of_charge(charge, f"p{len(found)}", version.currency))
        head = found[-1]
        for part in charge.filters.all():
            name = prices.filter_name(part.invoice_display_name, part.values)
            block = replace(head, prefix=f"p{len(found)}", title=name, note="", choices=(), follows=head.prefix)
            found.append(_filled(replace(block, raw=part.properties)))
    for fixed in version.fixed_charges.all():
        found.append(
            _filled(
                PriceBlock(
                    prefix=f"p{len(found)}",
                    title=fixed.invoice_display_name or fixed.add_on.name,
                    note=f"fixed charge {fixed.code}",
                    model=fixed.charge_model,
                    raw=fixed.properties,
                    measure=version.currency,
                    choices=tuple(FixedCharge.Model.choices),
                    units=decimals.text(fixed.units),
                )
            )
        )
    return found


def read(blocks: Sequence[PriceBlock], data: QueryDict) -> list[PriceBlock]:
    """The blocks with what a person typed, and what is wrong with it."""
    found: dict[str, PriceBlock] = {}
    for block in blocks:
        model = found[block.follows].model if block.follows else _model(block, data)
        found[block.prefix] = read_one(block, data, model=model)
    return list(found.values())


def read_one(block: PriceBlock, data: QueryDict, *, model: str) -> PriceBlock:
    """One block with what a person typed. Its ``terms`` are the price, none where something is wrong."""
    text = {name: _text(data, f"{block.prefix}-{name}") for fields in PLAIN.values() for name, _ in fields}
    typed = replace(
        block,
        model=model,
        values=text,
        tiers=tuple(_tiers(block.prefix, data)),
        units=None if block.units is None else _text(data, f"{block.prefix}-units"),
        is_removed=f"{block.prefix}-removed" in data,
    )
    return _checked(typed)


def written(block: PriceBlock) -> dict[str, Any]:
    """The properties that a block describes: as they are stored where the price is the same."""
    raw = _raw(block)
    kept = {key: block.raw[key] for key in _KEPT if key in block.raw}
    if _meaning(block.model, raw) == _meaning(block.model, block.raw):
        return dict(block.raw)
    return {**raw, **kept}


def sampled(block: PriceBlock) -> tuple[tuple[samples.Sample, ...], samples.Curve | None]:
    """The table and the curve of a block's price; nothing where it is wrong, or where events carry it."""
    if block.terms is None:
        return (), None
    return samples.table(properties=block.terms), samples.curve(properties=block.terms)


def _of_charge(charge: Charge, prefix: str, currency: str) -> PriceBlock:
    return _filled(
        PriceBlock(
            prefix=prefix,
            title=charge.invoice_display_name or charge.metric.name,
            note=charge.metric.code,
            model=charge.charge_model,
            raw=charge.properties,
            measure=charge.pricing_unit or currency,
            choices=tuple(Charge.Model.choices),
        )
    )


def _filled(block: PriceBlock) -> PriceBlock:
    raw = block.raw
    key, price = charge_forms.TIERED.get(block.model, ("", ""))
    tiers = tuple(
        TierRow(
            up_to="" if tier.get("to_value") is None else str(tier["to_value"]),
            price=str(tier.get(price, "")),
            flat=str(tier.get("flat_amount") or "0"),
        )
        for tier in raw.get(key) or ()
    )
    values = {name: str(raw[name]) for fields in PLAIN.values() for name, _ in fields if raw.get(name) is not None}
    return _checked(replace(block, values=values, tiers=tiers))


def _checked(block: PriceBlock) -> PriceBlock:
    found = dict(_plain_errors(block))
    tiers = tuple(_tier_errors(block)) if block.is_tiered else block.tiers
    if block.units is not None and _amount(block.units) is None:
        found["units"] = WRONG
    terms = None
    if not found and not any(row.error for row in tiers):
        try:
            terms = properties.parse(model=block.model, raw=_raw(block))
        except errors.Invalid as refusal:
            found["tiers" if block.is_tiered else "amount" if "amount" in _names(block.model) else "rate"] = (
                refusal.message
            )
    return replace(block, tiers=tiers, errors=found, terms=terms)


def _plain_errors(block: PriceBlock) -> Iterator[tuple[str, str]]:
    for name in _names(block.model):
        text = block.values.get(name, "")
        if (text or name in _NEEDED) and _amount(text) is None:
            yield name, WRONG


def _tier_errors(block: PriceBlock) -> Iterator[TierRow]:
    below: Decimal | None = None
    last = len(block.tiers) - 1
    for number, row in enumerate(block.tiers):
        error = ""
        end = _amount(row.up_to)
        if _amount(row.price) is None or _amount(row.flat or "0") is None:
            error = WRONG
        elif number == last and row.up_to:
            error = "The last tier has no end: leave it empty."
        elif number != last and end is None:
            error = "Up to how many units? Only the last tier has no end."
        elif end is not None and below is not None and end <= below:
            error = f"This tier has to end above {below:f}."
        below = end
        yield replace(row, error=error)


def _raw(block: PriceBlock) -> dict[str, Any]:
    if block.is_tiered:
        key, price = charge_forms.TIERED[Charge.Model(block.model)]
        found, start = [], "0"
        for row in block.tiers:
            tier = {"from_value": start, "to_value": row.up_to or None, price: row.price}
            found.append({**tier, "flat_amount": row.flat or "0"})
            start = row.up_to
        return {key: found}
    return {name: text for name in _names(block.model) if (text := block.values.get(name, ""))}


def _meaning(model: str, raw: Mapping[str, Any]) -> object:
    """What a price says, however it is written; nothing where it is no price of this model."""
    try:
        terms = properties.parse(model=model, raw=raw)
    except errors.Invalid:
        return None
    tiers = getattr(terms, "ranges", None)
    # Whether a range begins at 11 or above 10 is the same.
    return terms if tiers is None else [(tier.to_value, tier.price, tier.flat) for tier in tiers]


def _names(model: str) -> tuple[str, ...]:
    return tuple(name for name, _ in PLAIN.get(model, ()))  # type: ignore[call-overload] # by the choice's text


def _model(block: PriceBlock, data: QueryDict) -> str:
    chosen = _text(data, f"{block.prefix}-model")
    return chosen if chosen in dict(block.choices) else block.model


def _tiers(prefix: str, data: QueryDict) -> Iterator[TierRow]:
    lists = (data.getlist(f"{prefix}-{name}")[: properties.MAX_RANGES] for name in ("up_to", "price", "flat"))
    for up_to, price, flat in zip(*lists, strict=False):
        if up_to.strip() or price.strip():
            yield TierRow(_short(up_to), _short(price), _short(flat))


def _amount(text: str) -> Decimal | None:
    found = decimals.read(text) if text else None
    return found if found is not None and found >= 0 else None


def _text(data: QueryDict, name: str) -> str:
    return _short(data.get(name, ""))


def _short(text: str) -> str:
    return text.strip()[:MAX_TEXT]
