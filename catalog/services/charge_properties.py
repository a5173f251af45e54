"""The properties of a charge as it comes in, made into what is stored. Owns which models can be sold, what a charge
without properties costs, which keys are kept, and the keys by whose values usage is grouped or broken down.

What the figures of a model must look like is the domain's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import groups, models, presentation
from catalog.domain.pricing import properties as property_rules
from catalog.domain.pricing.models import ChargeModel
from config.kernel import errors

_FROM_ZERO = {"from_value": 0, "to_value": None, "flat_amount": "0"}
_FREE: dict[str, dict[str, Any]] = {
    ChargeModel.STANDARD: {"amount": "0"},
    ChargeModel.GRADUATED: {"graduated_ranges": [{**_FROM_ZERO, "per_unit_amount": "0"}]},
    ChargeModel.VOLUME: {"volume_ranges": [{**_FROM_ZERO, "per_unit_amount": "0"}]},
    ChargeModel.PACKAGE: {"amount": "0", "package_size": 1, "free_units": 0},
    ChargeModel.PERCENTAGE: {"rate": "0"},
    ChargeModel.GRADUATED_PERCENTAGE: {"graduated_percentage_ranges": [{**_FROM_ZERO, "rate": "0"}]},
    ChargeModel.DYNAMIC: {},
}
"""The price of a charge that came without properties, by model; also the list of models."""

_OPTIONAL: dict[str, tuple[str, ...]] = {
    ChargeModel.PERCENTAGE: (
        "fixed_amount",
        "free_units_per_events",
        "free_units_per_total_aggregation",
        "per_transaction_min_amount",
        "per_transaction_max_amount",
    ),
}
"""The keys that a model knows beside those that it needs."""


def demand_model(*, model: str, aggregation: Aggregation) -> None:
    """Check that a model can be sold and can price what the metric counts. Raises Invalid under `charge_model`."""
    if not model:
        raise _refused("charge_model", "value_is_mandatory")
    if model not in _FREE:
        raise _refused("charge_model", "unsupported_value")
    if not models.can_price(model=ChargeModel(model), aggregation=aggregation):
        raise _refused("charge_model", "invalid_aggregation_type_or_charge_model")


def stored(*, model: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is kept of a charge's properties: its price, and by what usage is grouped and broken down.

    Nothing given costs nothing. Raises Invalid under `properties` for a price that the model cannot read, and for
    groups that are no list of names.
    """
    raw = given or {}
    kept = of_filter(model=model, given=given)
    if presentation.parse(raw):
        kept[presentation.KEY] = list(raw[presentation.KEY])
    return kept


def of_filter(*, model: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is kept of a filter's properties: its price and by what its usage is grouped.

    Groups are kept under one name, whichever they came with. By what usage is broken down is the whole charge's. Raises
    as `stored` does.
    """
    kept = price(model=model, given=given)
    group_keys = groups.parse(given or {})
    return {**kept, groups.KEY: list(group_keys)} if group_keys else kept


def price(*, model: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is kept of a price alone: what the model knows of it, as it was given. Nothing given costs nothing.

    Raises Invalid under `properties` for a price that the model cannot read.
    """
    raw = given or _FREE[model]
    property_rules.parse(model=model, raw=raw)
    known = (*_FREE[model], *_OPTIONAL.get(model, ()))
    return {key: raw[key] for key in known if raw.get(key) is not None}


def _refused(field: str, code: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", f"{field.replace('_', ' ').capitalize()}: {code}.", {field: [code]})
