"""What is sold: taxes, add-ons, billable metrics, features and coupons. Owns turning what Lago shows of them into what
this API takes; plans are `plans`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catalog.models import Coupon
from config.importing import adopting
from config.importing.kinds import Journey, Kind, Row, by_code, given


def _listed(path: str) -> Callable[[Journey], Iterator[Row]]:
    return lambda journey: journey.lago.rows(path)


def _finder(path: str, root: str) -> Callable[[Journey, Row], Row | None]:
    return lambda journey, theirs: journey.house.find(f"{path}/{theirs['code']}", root)


def _tax(journey: Journey, theirs: Row) -> Row:
    values = given(theirs, "name", "code", "rate", "description", "applied_to_organization")
    return adopting.adopt_as("tax", journey.house.make("taxes", "tax", values), theirs)


def _add_on(journey: Journey, theirs: Row) -> Row:
    values = given(theirs, "name", "code", "amount_cents", "amount_currency", "invoice_display_name", "description")
    values["tax_codes"] = [tax["code"] for tax in theirs.get("taxes") or ()]
    return adopting.adopt_as("add_on", journey.house.make("add_ons", "add_on", values), theirs)


def _metric(journey: Journey, theirs: Row) -> Row:
    values = given(
        theirs,
        *("name", "code", "description", "aggregation_type", "weighted_interval", "recurring", "field_name"),
        *("expression", "rounding_function", "rounding_precision", "filters"),
    )
    made = journey.house.make("billable_metrics", "billable_metric", values)
    return adopting.adopt_as("billable_metric", made, theirs)


def _feature(journey: Journey, theirs: Row) -> Row:
    privileges = [given(one, "code", "name", "value_type", "config") for one in theirs.get("privileges") or ()]
    values = {**given(theirs, "code", "name", "description"), "privileges": privileges}
    return journey.house.make("features", "feature", values)


def _live_coupons(journey: Journey) -> Iterator[Row]:
    """Read the coupons that may still be given."""
    return (row for row in journey.lago.rows("coupons") if not row.get("terminated_at"))


def _found_coupon(journey: Journey, theirs: Row) -> Row | None:
    if adopting.is_known(Coupon, theirs.get("lago_id")):
        return journey.house.find(f"coupons/{theirs['code']}", "coupon") or {}
    return journey.house.find(f"coupons/{theirs['code']}", "coupon")


def _coupon(journey: Journey, theirs: Row) -> Row:
    values = given(
        theirs,
        *("name", "code", "description", "coupon_type", "amount_cents", "amount_currency", "percentage_rate"),
        *("frequency", "frequency_duration", "expiration", "expiration_at", "reusable"),
    )
    limits = {name: theirs[name] for name in ("plan_codes", "billable_metric_codes") if theirs.get(name)}
    if limits:
        values["applies_to"] = limits
    return adopting.adopt_as("coupon", journey.house.make("coupons", "coupon", values), theirs)


TAXES = Kind("taxes", _listed("taxes"), by_code, _finder("taxes", "tax"), _tax)
ADD_ONS = Kind("add_ons", _listed("add_ons"), by_code, _finder("add_ons", "add_on"), _add_on)
METRICS = Kind(
    "billable_metrics",
    _listed("billable_metrics"),
    by_code,
    _finder("billable_metrics", "billable_metric"),
    _metric,
)
FEATURES = Kind("features", _listed("features"), by_code, _finder("features", "feature"), _feature)
COUPONS = Kind("coupons", _live_coupons, by_code, _found_coupon, _coupon)
