"""Subscriptions that run or wait for their start, with all that belongs to one: own terms, entitlements, alerts and
lifetime usage. Owns turning what Lago shows of them into what this API takes, and that nothing is billed twice: a
running one is handed to `takeovers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.models import Subscription
from billing.services import takeovers
from config.importing import adopting, own_terms
from config.importing.house import Refused
from config.importing.kinds import Journey, Kind, Row, codes, given
from config.importing.source import quoted
from config.kernel import dates
from customers.queries import customers

_TOMORROW = timedelta(days=1)
_HISTORICAL = "external_historical_usage_amount_cents"


def _read(journey: Journey) -> Iterator[Row]:
    """Active ones first, so that a change of plan that waits behind one is told apart from a start that waits."""
    for status in ("active", "pending"):
        for row in journey.lago.rows("subscriptions", **{"status[]": status}):
            answer = journey.lago.find(f"subscriptions/{quoted(row['external_id'])}", status=status)
            yield row if answer is None else {**row, **answer["subscription"]}


def _label(row: Row) -> str:
    return str(row["external_id"])


def _find(journey: Journey, theirs: Row) -> Row | None:
    """One that was brought over is known by its id, ended since or not; else by its external id."""
    status = theirs["status"]
    if adopting.is_known(Subscription, theirs.get("lago_id")):
        return _shown(journey, theirs) or {}
    living = Subscription.objects.filter(external_id=theirs["external_id"], status__in=("active", "pending", "paused"))
    if status == "pending" and living.filter(status="active").exists():
        return None
    return _shown(journey, theirs) if living.exists() else None


def _shown(journey: Journey, theirs: Row) -> Row | None:
    """Return the subscription as the API shows it, with the fixed charges that its plan has for it alone."""
    found = Subscription.objects.filter(external_id=theirs["external_id"], status__in=("active", "pending"))
    row = found.order_by("pk").first()
    if row is None:
        return None
    return dict(
        journey.house.ask("GET", f"subscriptions/{row.external_id}", query={"status": row.status})["subscription"]
    )


def _make(journey: Journey, theirs: Row) -> Row:
    is_running = theirs["status"] == "active"
    if not is_running and _is_a_change(theirs):
        raise Refused(422, {"code": "waiting_change_of_plan", "error_details": {"plan_code": [theirs["plan_code"]]}})
    at = _made_at(journey, theirs) if is_running else journey.at
    made = journey.house.make("subscriptions", "subscription", _values(journey, theirs), at=at)
    row = Subscription.objects.get(uuid=made["lago_id"])
    if is_running:
        takeovers.take_over(subscription_id=row.pk, since=journey.since, actor=journey.house.actor, at=journey.at)
    adopting.adopt(Subscription.objects.filter(pk=row.pk), theirs.get("lago_id"))
    _entitlements(journey, theirs)
    _alerts(journey, theirs)
    if is_running:
        _lifetime(journey, theirs)
    return _shown(journey, theirs) or {}


def _is_a_change(theirs: Row) -> bool:
    """Say whether it waits for the end of another one of its external id: asked for here, it would change that now."""
    running = Subscription.objects.filter(external_id=theirs["external_id"], status__in=("active", "paused"))
    return bool(theirs.get("previous_plan_code")) or running.exists()


def _made_at(journey: Journey, theirs: Row) -> datetime:
    """Return the customer's next midnight: seen from there the start lies in the past, so that it is not billed now."""
    customer = customers.by_external_id(external_id=theirs["external_customer_id"])
    zone = dates.zone(customer.applicable_timezone)
    return dates.start_of_day(dates.local_date(journey.at, zone) + _TOMORROW, zone)


def _values(journey: Journey, theirs: Row) -> Row:
    values = given(
        theirs,
        *("external_id", "external_customer_id", "plan_code", "name", "billing_time", "subscription_at", "ending_at"),
        *("on_termination_invoice", "on_termination_credit_note", "progressive_billing_disabled"),
        *("consolidate_invoice", "purchase_order_number", "billing_entity_code"),
    )
    values["backdated_billing"] = "skip"
    plan, own = _plan(journey, theirs["plan_code"]), theirs.get("plan")
    terms = own_terms.between(plan, own) if own else {}
    if terms:
        values["plan_overrides"] = terms
    if theirs.get("usage_thresholds"):
        values["usage_thresholds"] = own_terms.thresholds(theirs["usage_thresholds"])
    sections = codes(row["invoice_custom_section"] for row in theirs.get("applied_invoice_custom_sections") or ())
    if sections:
        values["invoice_custom_section"] = {"invoice_custom_section_codes": sections}
    return values


def _plan(journey: Journey, code: str) -> Row:
    """Return the plan as it is here: own terms are what differs from that."""
    return journey.house.find(f"plans/{code}", "plan") or {}


def _entitlements(journey: Journey, theirs: Row) -> None:
    path = f"subscriptions/{theirs['external_id']}"
    asked = {"status": theirs["status"]}
    rows = {
        row["code"]: row for row in journey.lago.rows(f"subscriptions/{quoted(theirs['external_id'])}/entitlements")
    }
    plan = {row["code"]: row for row in (theirs.get("plan") or {}).get("entitlements") or ()}
    own: dict[str, dict[str, Any]] = {}
    for code, row in rows.items():
        values = {
            one["code"]: one["override_value"]
            for one in row.get("privileges") or ()
            if one.get("override_value") is not None
        }
        if values or code not in plan:
            own[code] = values
    if own:
        journey.house.ask("PATCH", f"{path}/entitlements", {"entitlements": own}, query=asked)
    for code in plan if rows else ():
        if code not in rows:
            journey.house.ask("DELETE", f"{path}/entitlements/{code}", query=asked)


def _alerts(journey: Journey, theirs: Row) -> None:
    path = f"subscriptions/{theirs['external_id']}/alerts"
    for row in journey.lago.rows(f"subscriptions/{quoted(theirs['external_id'])}/alerts"):
        alert(journey, path, row, query={"status": theirs["status"]})


def alert(journey: Journey, path: str, row: Row, *, query: Row | None = None) -> None:
    """Make an alert of a subscription or of a wallet, with the id that it has there."""
    values = given(row, "alert_type", "code", "name")
    metric = row.get("billable_metric_code") or (row.get("billable_metric") or {}).get("code")
    if metric:
        values["billable_metric_code"] = metric
    values["thresholds"] = [given(one, "code", "value", "recurring") for one in row.get("thresholds") or ()]
    answer = journey.house.ask("POST", path, {"alert": values}, query=query)
    adopting.adopt_as("alert", answer["alert"], row)


def _lifetime(journey: Journey, theirs: Row) -> None:
    """What was used and billed before goes on to count: theirs and what they were told of the time before."""
    path = f"subscriptions/{theirs['external_id']}/lifetime_usage"
    answer = journey.lago.find(f"subscriptions/{quoted(theirs['external_id'])}/lifetime_usage")
    found = (answer or {}).get("lifetime_usage") or {}
    amount = sum(int(Decimal(str(found.get(name) or 0))) for name in (_HISTORICAL, "invoiced_usage_amount_cents"))
    if amount:
        journey.house.ask("PUT", path, {"lifetime_usage": {_HISTORICAL: amount}})


# Ways to pay stay where they are, which is told with their customer.
SUBSCRIPTIONS = Kind(
    "subscriptions",
    _read,
    _label,
    _find,
    _make,
    but=(
        *("applicable_usage_thresholds", "activation_rules", "customer", "trial_ended_at", "previous_plan_code"),
        "payment_method",
    ),
)
