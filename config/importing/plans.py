"""Plans with all that belongs to them. Owns turning what Lago shows of a plan into what this API takes; what single
subscriptions agreed on instead is `own_terms`'.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.importing import adopting
from config.importing.house import Refused
from config.importing.kinds import Journey, Kind, Row, by_code, codes, given
from config.importing.source import quoted


def _read(journey: Journey) -> Iterator[Row]:
    """Plans as they are shown alone: lists leave their fixed charges out. One that is being deleted is left out."""
    for row in journey.lago.rows("plans"):
        if row.get("parent_id") or row.get("pending_deletion"):
            continue
        answer = journey.lago.find(f"plans/{quoted(row['code'])}")
        yield row if answer is None else dict(answer["plan"])


def _find(journey: Journey, theirs: Row) -> Row | None:
    return journey.house.find(f"plans/{theirs['code']}", "plan")


def _make(journey: Journey, theirs: Row) -> Row:
    values = given(
        theirs,
        *("name", "code", "interval", "amount_cents", "amount_currency", "pay_in_advance", "invoice_display_name"),
        *("description", "trial_period", "bill_charges_monthly", "bill_fixed_charges_monthly", "metadata"),
    )
    values["tax_codes"] = codes(theirs.get("taxes"))
    values["charges"] = [_charge(journey, row) for row in theirs.get("charges") or ()]
    values["fixed_charges"] = [_fixed_charge(row) for row in theirs.get("fixed_charges") or ()]
    values["usage_thresholds"] = [
        given(row, "threshold_display_name", "amount_cents", "recurring")
        for row in theirs.get("usage_thresholds") or ()
    ]
    minimum = theirs.get("minimum_commitment")
    if minimum:
        values["minimum_commitment"] = commitment(minimum)
    journey.house.make("plans", "plan", values)
    granted = entitlements(theirs.get("entitlements") or ())
    if granted:
        journey.house.ask("POST", f"plans/{theirs['code']}/entitlements", {"entitlements": granted})
    adopting.adopt_plan(theirs)
    return dict(journey.house.ask("GET", f"plans/{theirs['code']}")["plan"])


def _charge(journey: Journey, row: Row) -> Row:
    metric = journey.house.find(f"billable_metrics/{row['billable_metric_code']}", "billable_metric")
    if metric is None:
        raise Refused(404, {"code": "billable_metric_not_found", "error_details": {"charge": [row.get("code")]}})
    values = given(
        row,
        *("code", "invoice_display_name", "charge_model", "invoiceable", "regroup_paid_fees", "pay_in_advance"),
        *("prorated", "min_amount_cents", "accepts_target_wallet"),
    )
    if row.get("pay_in_advance"):
        values.pop("min_amount_cents", None)  # there is none then, and some versions show a zero
    return {**values, **priced(row), "billable_metric_id": metric["lago_id"]}


def priced(row: Row) -> Row:
    """Return the price of a charge: properties, filters, pricing unit and taxes."""
    values: Row = {"properties": properties(row.get("properties")), "tax_codes": codes(row.get("taxes"))}
    values["filters"] = [
        {**given(one, "invoice_display_name", "values"), "properties": properties(one.get("properties"))}
        for one in row.get("filters") or ()
    ]
    if row.get("applied_pricing_unit"):
        values["applied_pricing_unit"] = given(row["applied_pricing_unit"], "code", "conversion_rate")
    return values


def properties(given_properties: Any) -> Row:
    """Return properties without the old name of the keys of groups, which says the same."""
    found = {name: value for name, value in (given_properties or {}).items() if value is not None}
    old = found.pop("grouped_by", None)
    if old and not found.get("pricing_group_keys"):
        found["pricing_group_keys"] = old
    return found


def _fixed_charge(row: Row) -> Row:
    values = given(
        row,
        *("code", "add_on_code", "invoice_display_name", "charge_model", "units", "pay_in_advance", "prorated"),
        "properties",
    )
    return {**values, "tax_codes": codes(row.get("taxes"))}


def commitment(row: Row) -> Row:
    """Return a minimum commitment as requests hold it."""
    return {**given(row, "amount_cents", "invoice_display_name"), "tax_codes": codes(row.get("taxes"))}


def entitlements(rows: Any) -> dict[str, dict[str, Any]]:
    """Return the values of features by their codes, as requests hold them."""
    return {
        row["code"]: {one["code"]: one["value"] for one in row.get("privileges") or () if one.get("value") is not None}
        for row in rows
    }


# What is applied follows from the thresholds; the parent of an own price is no price.
PLANS = Kind("plans", _read, by_code, _find, _make, but=("applicable_usage_thresholds", "interval_display_name"))
