"""The pure domain behind the acceptance cases' function calls. Owns the translation of their inputs and results only.

`price`, `aggregate`, `period` and `recognise` take and return plain values; which ones is said where the cases are run.
A kind of aggregation that the product does not offer raises LookupError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.domain import boundaries, due_dates, periods, prorated_usage, proration, recognition, weighted_sum
from billing.domain.boundaries import Boundaries, Stretch, Terms
from billing.domain.periods import Schedule
from billing.domain.prorated_usage import DaysChange, Prorated
from billing.domain.proration import Share
from billing.domain.recognition import Rule
from catalog.domain import rounding
from catalog.domain.expressions import evaluating, parsing
from catalog.domain.expressions.evaluating import Event
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import models, properties, values
from catalog.domain.pricing.models import Properties
from config.kernel import dates, money
from config.kernel.dates import Period

Json = Mapping[str, Any]


def price(charge_model: str, given: Json, case: Json) -> dict[str, Any]:
    """Price the units, events or groups of a case."""
    terms = properties.parse(model=charge_model, raw=_opened(given))
    if "groups" in case:
        amounts = [models.price(properties=terms, usage=_usage(terms, group)).amount for group in case["groups"]]
        return {"amount": sum(amounts, Decimal(0))}
    result = models.price(properties=terms, usage=_usage(terms, case))
    tiers = [step for step in result.steps if step.kind is values.StepKind.TIER]
    return {
        "amount": result.amount,
        "unit_amount": result.unit_amount,
        "ranges": [{"units": step.quantity, "per_unit_total": step.units_total, "flat": step.flat} for step in tiers],
    }


def aggregate(kind: str, case: Json) -> dict[str, Any]:
    """Return the units of changes held for days or seconds, round units as a metric does, or compute an expression."""
    if kind == "weighted_sum":
        return _weighted_sum(case)
    if kind == "prorated_sum":
        return _prorated_sum(case)
    if kind == "expression":
        return _expression(case)
    if kind != "rounding":
        raise LookupError(f"{kind} is not offered")
    rule = rounding.rounding(function=case["rounding_function"], precision=case["rounding_precision"])
    return {"units": rounding.apply(value=Decimal(case["units"]), rounding=rule)}


def _weighted_sum(case: Json) -> dict[str, Any]:
    start, end = _instant(case["from"]), _instant(case["to"])
    facts = weighted_sum.held(
        changes=[(_instant(event["timestamp"]), Decimal(event["value"])) for event in case["events"]],
        start=start,
        end=end if not end.microsecond else end.replace(microsecond=0) + timedelta(seconds=1),
        seconds=Decimal(case["days"] * 86_400),
        before=Decimal(case.get("initial_value", 0)),
    )
    return {
        "units": weighted_sum.value(facts),
        "events_count": facts.events_count,
        "total_aggregated_units": facts.level,
    }


def _prorated_sum(case: Json) -> dict[str, Any]:
    first_day, last_day = _instant(case["from"]).date(), _instant(case["to"]).date()
    carried = Decimal(case.get("initial_value", 0))
    changes = [DaysChange(None, carried, carried)]
    for event in case["events"]:
        value = Decimal(event["value"])
        changes.append(DaysChange(_instant(event["timestamp"]).date(), value, value))
    facts = Prorated(
        kind=Aggregation.SUM,
        events_count=len(case["events"]),
        full_units=sum((change.units for change in changes), Decimal(0)),
        held=tuple(prorated_usage.of_sum(changes=changes, first_day=first_day, last_day=last_day)),
        of_days=case["days"],
    )
    return {"units": prorated_usage.value(facts), "current_units": facts.full_units}


def _expression(case: Json) -> dict[str, Any]:
    properties_of_event = {
        name: Decimal(repr(value)) if isinstance(value, float) else value for name, value in case["properties"].items()
    }
    event = Event(code="", timestamp=Decimal(0), properties=properties_of_event)
    value = evaluating.evaluate(expression=parsing.parse(case["expression"]), event=event)
    return {"value": evaluating.text(value)}


def period(kind: str, case: Json) -> dict[str, Any]:
    """Return the boundaries, billing days or shares of days that a case asks for."""
    functions: dict[str, Callable[[Schedule, Json], dict[str, Any]]] = {
        "boundary_at": _boundary_at,
        "billing_days": _billing_days,
        "proration": _proration,
    }
    schedule = periods.schedule(
        interval=case["interval"],
        billing_time=case["billing_time"],
        subscription_at=_instant(case["subscription_at"]),
        timezone=dates.zone(case["timezone"]),
    )
    return functions[kind](schedule, case)


def recognise(rule: str, case: Json) -> dict[str, Any]:
    """Return what each month earns of an amount, and what is earned before a change. Service dates include the last."""
    zone = dates.zone("UTC")
    start, end = (_moment(case[name]) for name in ("service_from", "service_to"))
    if len(case["service_to"]) == len("2025-04-30"):
        end += timedelta(days=1)
    service = Period(start, end)
    amount = money.from_minor(case["amount_cents"], case["currency"])
    kept = Rule.BY_DAY if rule == "by_day_until_change" else Rule(rule)
    earned = recognition.schedule(amount=amount, service=service, rule=kept, timezone=zone)
    count = recognition.months(service=service, timezone=zone)
    found: dict[str, Any] = {
        "recognized": {f"{row.month:%Y-%m}": money.to_minor(row.amount) for row in earned},
        "deferred_after": {f"{row.month:%Y-%m}": money.to_minor(row.deferred) for row in earned},
        "recognized_per_month": money.to_minor(money.rounded(amount / count)),
        "months": count,
    }
    if "change_at" in case:
        before = recognition.earned_until(
            amount=amount, service=service, rule=kept, timezone=zone, at=_moment(case["change_at"])
        )
        found["recognized_before_change"] = money.to_minor(before)
    return found


def _moment(text: str) -> datetime:
    """Read an instant, or a date as its start in UTC."""
    return _instant(text if "T" in text else f"{text}T00:00:00Z")


def _opened(given: Json) -> dict[str, Any]:
    # Some sources close their last range. Below its end an open one prices the same, and the catalogue has only those.
    opened = dict(given)
    for key in ("graduated_ranges", "graduated_percentage_ranges", "volume_ranges"):
        if key in opened:
            opened[key] = [*opened[key][:-1], {**opened[key][-1], "to_value": None}]
    return opened


def _usage(terms: Properties, case: Json) -> values.Usage:
    events = tuple(Decimal(value) for value in case.get("events", ()))
    full_units = None if "full_units" not in case else Decimal(case["full_units"])
    movements: tuple[values.Movement, ...] = ()
    units = sum(events, Decimal(0)) if "units" not in case else Decimal(case["units"])
    if "prorated" in case:
        prorated = tuple(Decimal(value) for value in case["prorated"])
        movements = tuple(values.Movement(*pair) for pair in zip(events, prorated, strict=True))
        units = sum(prorated, Decimal(0))
    return values.Usage(
        units=units,
        events_count=case.get("events_count", len(events)),
        full_units=full_units,
        values=events,
        movements=movements,
        given_amount=Decimal(case.get("precise_total_amount_cents", 0)) / 100,
    )


def _boundary_at(schedule: Schedule, case: Json) -> dict[str, Any]:
    terms = _terms(schedule, case)
    as_of = _instant(case["as_of"])
    started_at = _instant(case.get("started_at", case["subscription_at"]))
    terminated_at = None if "terminated_at" not in case else _instant(case["terminated_at"])
    found = boundaries.boundaries(
        terms=terms,
        started_at=started_at,
        billing_at=as_of,
        terminated_at=terminated_at,
        current_usage=case.get("current_usage", False),
    )
    running = boundaries.running_period(schedule, as_of)
    result: dict[str, Any] = {
        "from": found.subscription.start,
        "to": found.subscription.shown_end,
        "next_end_of_period": running.end - timedelta(seconds=1),
        "current_beginning_of_period": running.start,
        "previous_beginning_of_period": boundaries.previous_period(schedule, as_of).start,
        "proration_days": _divisor(schedule, case, found, started_at),
    }
    for name, stretch in (("charges", found.charges), ("fixed_charges", found.fixed_charges)):
        result |= _stretch(name, stretch)
    return result


def _divisor(schedule: Schedule, case: Json, found: Boundaries, started_at: datetime) -> int:
    if "proration_of" in case:
        return periods.period_at(schedule, started_at).days
    return found.subscription.natural.days


def _stretch(name: str, stretch: Stretch | None) -> dict[str, Any]:
    if stretch is None:
        return {f"{name}_from": None, f"{name}_to": None, f"{name}_duration_days": None}
    return {
        f"{name}_from": stretch.start,
        f"{name}_to": stretch.shown_end,
        f"{name}_duration_days": stretch.natural.days,
    }


def _billing_days(schedule: Schedule, case: Json) -> dict[str, Any]:
    billing_schedule = _terms(schedule, case).billing_schedule
    billed: list[Any] = []
    for run in case["runs"]:
        billed += due_dates.due_billing_dates(
            billing_schedule,
            first=schedule.anchor,
            last_billed=billed[-1] if billed else None,
            today=dates.local_date(_instant(run), schedule.timezone),
            catch_up=False,
        )
    return {"invoices": len(billed), "billing_dates": billed}


def _proration(schedule: Schedule, case: Json) -> dict[str, Any]:
    share = _share(schedule, case)
    return {"days": share.days, "of_days": share.of_days}


def _share(schedule: Schedule, case: Json) -> Share:
    started_at = _instant(case["subscription_at"])
    event = case["event"]
    if event in ("start_in_advance", "first_period"):
        return proration.first_period(schedule, started_at=started_at)
    at = _instant(case["event_at"])
    if event in ("new_plan_in_advance", "trial_end_in_advance"):
        return proration.first_period(schedule, started_at=at)
    if event in ("termination_credit_in_advance", "upgrade_credit_in_advance"):
        return proration.unused(schedule, terminated_at=at, upgraded=event.startswith("upgrade"))
    upgraded = event == "upgrade"
    return proration.termination(schedule, started_at=started_at, terminated_at=at, upgraded=upgraded)


def _terms(schedule: Schedule, case: Json) -> Terms:
    return Terms(
        schedule=schedule,
        pay_in_advance=case.get("pay_in_advance", False),
        charges_monthly=case.get("bill_charges_monthly", False),
        fixed_charges_monthly=case.get("bill_fixed_charges_monthly", False),
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
