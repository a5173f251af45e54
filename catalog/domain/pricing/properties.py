"""The properties of a charge as the API takes them. Owns reading and checking them; what they mean is the models'.

Prices are decimal text or integers, never floats, so that what is stored is what was meant. What is wrong is told by
code, all of it at once, under the field `properties`. Keys that a model does not know are left alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from decimal import Decimal

from catalog.domain import decimals
from catalog.domain.pricing import models
from catalog.domain.pricing.dynamic import Dynamic
from catalog.domain.pricing.graduated import Graduated
from catalog.domain.pricing.graduated_percentage import GraduatedPercentage
from catalog.domain.pricing.models import ChargeModel
from catalog.domain.pricing.package import Package
from catalog.domain.pricing.percentage import Percentage
from catalog.domain.pricing.standard import Standard
from catalog.domain.pricing.tiers import Tier
from catalog.domain.pricing.volume import Volume
from config.kernel import errors

ZERO = Decimal(0)
ONE = Decimal(1)
MAX_RANGES = 1000


class InvalidProperties(errors.Invalid):
    """The properties do not describe a price of this model."""


def parse(*, model: str, raw: object) -> models.Properties:
    """Read the properties of a charge model.

    Raises InvalidProperties with the codes of everything that is wrong under `properties`, and Invalid for a model that
    does not exist (`charge_model`: `value_is_invalid`).
    """
    try:
        known = ChargeModel(model)
    except ValueError as error:
        details = {"charge_model": ["value_is_invalid"]}
        raise errors.Invalid("invalid_charge_model", f"{model} is no charge model.", details) from error
    reader = _Reader(raw if isinstance(raw, Mapping) else {})
    result = _read(known, reader)
    if reader.codes:
        message = f"The properties of a {known} charge are wrong: {', '.join(reader.codes)}."
        raise InvalidProperties("invalid_properties", message, {"properties": reader.codes})
    return result


class _Reader:
    """Reads values of one mapping and collects the codes of what is wrong, each once, in the order of reading."""

    def __init__(self, raw: Mapping[object, object]) -> None:
        self.raw = raw
        self.codes: list[str] = []

    def refuse(self, code: str) -> None:
        if code not in self.codes:
            self.codes.append(code)

    def amount(self, value: object, code: str) -> Decimal:
        """Read what must be there: a decimal of zero or more."""
        found = decimals.read(value)
        if found is None or found < 0:
            self.refuse(code)
            return ZERO
        return found

    def optional_amount(self, key: str, code: str) -> Decimal | None:
        return None if self.raw.get(key) is None else self.amount(self.raw[key], code)

    def count(self, key: str, code: str, least: int) -> int:
        """Read a whole number, 0 where there is none."""
        if self.raw.get(key) is None:
            found: Decimal | None = ZERO
        else:
            found = decimals.read(self.raw[key])
        if found is None or found < least or found != found.to_integral_value():
            self.refuse(code)
            return least
        return int(found)

    def tiers(self, key: str, price_key: str, price_code: str, missing: str, invalid: str) -> tuple[Tier, ...]:
        """Read ranges that cover every number from 0 on: each starts where the one before ends, or one later."""
        rows = self.raw.get(key)
        if not isinstance(rows, list | tuple) or not rows:
            self.refuse(missing)
            return ()
        if len(rows) > MAX_RANGES or not all(isinstance(row, Mapping) for row in rows):
            self.refuse(invalid)
            return ()
        found = [self._tier(row, price_key, price_code, invalid) for row in rows]
        if not _cover_everything(found):
            self.refuse(invalid)
        return tuple(found)

    def _tier(self, row: Mapping[object, object], price_key: str, price_code: str, invalid: str) -> Tier:
        start = decimals.read_number(row.get("from_value"))
        end = decimals.read_number(row.get("to_value"))
        if start is None or (end is None and row.get("to_value") is not None):
            self.refuse(invalid)
        return Tier(
            from_value=ZERO if start is None else start,
            to_value=end,
            price=self.amount(row.get(price_key), price_code),
            flat=self.amount(row.get("flat_amount"), "invalid_amount"),
        )


def _cover_everything(tiers: list[Tier]) -> bool:
    if tiers[0].from_value != 0 or tiers[-1].to_value is not None:
        return False
    for previous, tier in itertools.pairwise(tiers):
        if previous.to_value is None or tier.from_value - previous.to_value not in (ZERO, ONE):
            return False
    ends = [tier.to_value for tier in tiers if tier.to_value is not None]
    # An empty range (10-10 after 0-10) would take a flat amount for nothing; a first one of 0-0 is for no units at all.
    grows = all(low < high for low, high in itertools.pairwise(ends))
    return grows and all(tier.to_value is None or tier.to_value >= tier.from_value for tier in tiers)


def _read(model: ChargeModel, reader: _Reader) -> models.Properties:
    match model:
        case ChargeModel.STANDARD:
            return Standard(reader.amount(reader.raw.get("amount"), "invalid_amount"))
        case ChargeModel.GRADUATED:
            return Graduated(_amount_tiers(reader, "graduated_ranges"))
        case ChargeModel.VOLUME:
            return Volume(_amount_tiers(reader, "volume_ranges"))
        case ChargeModel.PACKAGE:
            return _package(reader)
        case ChargeModel.PERCENTAGE:
            return _percentage(reader)
        case ChargeModel.GRADUATED_PERCENTAGE:
            key = "graduated_percentage_ranges"
            return GraduatedPercentage(reader.tiers(key, "rate", "invalid_rate", f"missing_{key}", f"invalid_{key}"))
        case ChargeModel.DYNAMIC:
            return Dynamic()


def _amount_tiers(reader: _Reader, key: str) -> tuple[Tier, ...]:
    return reader.tiers(key, "per_unit_amount", "invalid_amount", f"missing_{key}", f"invalid_{key}")


def _package(reader: _Reader) -> Package:
    return Package(
        amount=reader.amount(reader.raw.get("amount"), "invalid_amount"),
        package_size=Decimal(reader.count("package_size", "invalid_package_size", least=1)),
        free_units=Decimal(reader.count("free_units", "invalid_free_units", least=0)),
    )


def _percentage(reader: _Reader) -> Percentage:
    fixed = reader.optional_amount("fixed_amount", "invalid_fixed_amount")
    free_value = reader.optional_amount("free_units_per_total_aggregation", "invalid_free_units_per_total_aggregation")
    least = reader.optional_amount("per_transaction_min_amount", "invalid_amount")
    most = reader.optional_amount("per_transaction_max_amount", "invalid_amount")
    if least is not None and most is not None and most < least:
        reader.refuse("per_transaction_max_lower_than_per_transaction_min")
    return Percentage(
        rate=reader.amount(reader.raw.get("rate"), "invalid_rate"),
        fixed_amount=fixed or ZERO,
        free_events=reader.count("free_units_per_events", "invalid_free_units_per_events", least=0),
        free_value=free_value or ZERO,
        minimum=least,
        maximum=most,
    )


def written(properties: models.Properties) -> dict[str, object]:
    """Write properties the way `parse` reads them, in one canonical form: figures as text, nothing left out."""
    match properties:
        case Standard():
            return {"amount": decimals.text(properties.amount)}
        case Graduated():
            return {"graduated_ranges": _written_tiers(properties.ranges, "per_unit_amount")}
        case Volume():
            return {"volume_ranges": _written_tiers(properties.ranges, "per_unit_amount")}
        case Package():
            return {
                "amount": decimals.text(properties.amount),
                "package_size": decimals.text(properties.package_size),
                "free_units": decimals.text(properties.free_units),
            }
        case Percentage():
            return _written_percentage(properties)
        case GraduatedPercentage():
            return {"graduated_percentage_ranges": _written_tiers(properties.ranges, "rate")}
        case Dynamic():
            return {}


def _written_tiers(tiers: tuple[Tier, ...], price_key: str) -> list[dict[str, str | None]]:
    return [
        {
            "from_value": decimals.text(tier.from_value),
            "to_value": None if tier.to_value is None else decimals.text(tier.to_value),
            price_key: decimals.text(tier.price),
            "flat_amount": decimals.text(tier.flat),
        }
        for tier in tiers
    ]


def _written_percentage(properties: Percentage) -> dict[str, object]:
    figures = {
        "rate": properties.rate,
        "fixed_amount": properties.fixed_amount,
        "free_units_per_events": Decimal(properties.free_events),
        "free_units_per_total_aggregation": properties.free_value,
        "per_transaction_min_amount": properties.minimum,
        "per_transaction_max_amount": properties.maximum,
    }
    return {key: decimals.text(figure) for key, figure in figures.items() if figure is not None}
