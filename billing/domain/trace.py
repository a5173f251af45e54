"""The trace of an amount: everything it was computed from and how, as plain JSON values. Owns its form, its digest, and
computing the amount again from the trace alone.

A trace holds text, integers, booleans, lists and objects, no float: decimals are text in plain digits, instants are ISO
text in UTC. So it survives being stored, and two traces of the same calculation are the same to the byte.
"""

from __future__ import annotations

import decimal
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.domain import (
    adjusted_trace,
    advance_trace,
    aggregation,
    commitments,
    contract_trace,
    fixed_charges,
    held_trace,
    minimums,
    priced_usage,
    pricing_units,
)
from billing.domain.advance import Priced, Step
from billing.domain.commitments import CommitmentFacts
from billing.domain.contract import ChargeFacts, ContractFacts, FilterFacts, Id, PlanFeeFacts, UsageFacts
from billing.domain.fixed_charges import FixedChargeFacts, FixedPrice
from billing.domain.held_trace import Timed
from billing.domain.minimums import Minimum
from billing.domain.proration import Share
from catalog.domain import decimals
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import models, properties, values
from catalog.domain.pricing.models import Properties
from catalog.domain.rounding import Rounding, RoundingFunction
from config.kernel import errors, money
from config.kernel.dates import Period

VERSION = 1
SUBSCRIPTION = "subscription"
CHARGE = "charge"
TRUE_UP = "true_up"
ADVANCE = "advance_charge"
FIXED_CHARGE = "fixed_charge"
LATE_USAGE = "late_usage"
COMMITMENT = "commitment"

Trace = dict[str, Any]


class UnknownTrace(errors.Invalid):
    """The trace is of a version or kind that cannot be computed again."""


def of_fee(*, contract: ContractFacts, fee: PlanFeeFacts) -> Trace:
    """Return the trace of a plan fee: its price, the days of the period's days, and the rounding to the currency."""
    precise = fee.share.of(fee.amount.amount)
    step = {
        "kind": "proration",
        "amount": decimals.text(fee.amount.amount),
        "days": fee.share.days,
        "of_days": fee.share.of_days,
        "total": decimals.text(precise),
    }
    inputs = {
        **_contract(contract),
        "amount": decimals.text(fee.amount.amount),
        "days": fee.share.days,
        "of_days": fee.share.of_days,
        "period": _period(fee.period, contract.timezone),
    }
    return _trace(SUBSCRIPTION, inputs, [step], precise, contract.currency)


def of_usage(
    *,
    contract: ContractFacts,
    charge: ChargeFacts,
    price_filter: FilterFacts | None,
    terms: Properties,
    usage: UsageFacts,
    result: values.PriceResult,
) -> Trace:
    """Return the trace of a priced bucket of usage: charge, events, units, steps, and the rounding to the currency."""
    counted: dict[str, Any] = {
        "events_count": usage.facts.events_count,
        "events_digest": str(usage.digest),
        "value": decimals.text(aggregation.value(usage.facts)),
        "units": decimals.text(aggregation.units(facts=usage.facts, rounding_rule=charge.rounding)),
    }
    if priced_usage.reads_values(terms=terms, aggregation=charge.aggregation):
        kept = priced_usage.kept(
            terms=terms,
            aggregation=charge.aggregation,
            transactions=usage.facts.events_count,
            found=usage.values,
        )
        counted["values"] = [decimals.text(value) for value in kept]
    held = held_trace.written(facts=usage.facts, terms=terms)
    if held is not None:
        counted["held"] = held
    if usage.given_amount:
        counted["given_amount"] = decimals.text(usage.given_amount)
    inputs = {
        **_contract(contract),
        "charge": {
            "id": charge.id,
            "code": charge.code,
            "model": str(charge.model),
            "properties": properties.written(terms),
        },
        "filter": None if price_filter is None else {"id": price_filter.id, "values": _lists(price_filter.values)},
        "group": dict(usage.group),
        "metric": {
            "code": charge.metric_code,
            "aggregation": str(charge.aggregation),
            "rounding": _rounding(charge.rounding),
        },
        "period": _period(charge.period, contract.timezone),
        "usage": counted,
    }
    steps, unit = [_step(step) for step in result.steps], charge.pricing_unit
    if unit is None:
        return _trace(CHARGE, inputs, steps, result.amount, contract.currency)
    inputs["pricing_unit"] = pricing_units.written(unit)
    precise = pricing_units.in_money(amount=result.amount, conversion_rate=unit.conversion_rate)
    conversion = pricing_units.conversion(unit=unit, amount=result.amount)
    return {**_trace(CHARGE, inputs, steps, precise, contract.currency), "conversion": conversion}


def of_true_up(*, contract: ContractFacts, charge: ChargeFacts, minimum: Minimum, used: Decimal) -> Trace:
    """Return the trace of what a charge lacks to its minimum: the minimum of the days billed, less what was billed."""
    figures = {
        "amount": decimals.text(minimum.amount),
        "days": minimum.share.days,
        "of_days": minimum.share.of_days,
    }
    steps: list[Trace] = [
        {"kind": "minimum", **figures, "total": decimals.text(minimum.due)},
        {"kind": "billed", "total": decimals.text(-used)},
    ]
    inputs = {
        **_contract(contract),
        **figures,
        "charge": {"id": charge.id, "code": charge.code},
        "period": _period(charge.period, contract.timezone),
        "used": decimals.text(used),
    }
    return _trace(TRUE_UP, inputs, steps, minimums.missing(minimum=minimum, used=used), contract.currency)


def of_fixed(*, contract: ContractFacts, charge: FixedChargeFacts, priced: FixedPrice) -> Trace:
    """Return the trace of a fixed charge: its units and their days, the price's steps, and what was paid before."""
    steps = [_step(step) for step in priced.price.steps]
    if charge.paid_before:
        steps.append({"kind": "paid_before", "total": decimals.text(-priced.credit)})
    inputs = {
        **_contract(contract),
        **fixed_charges.written(charge),
        "period": _period(charge.period, contract.timezone),
    }
    return _trace(FIXED_CHARGE, inputs, steps, priced.amount, contract.currency)


def of_commitment(*, contract: ContractFacts, commitment: CommitmentFacts) -> Trace:
    """Return the trace of what is missing to a minimum commitment: that of the days settled, less what counts."""
    inputs = {
        **_contract(contract),
        **commitments.written(commitment),
        "period": _period(commitment.period, contract.timezone),
    }
    return _trace(COMMITMENT, inputs, commitments.steps(commitment), commitments.owed(commitment), contract.currency)


def of_late_usage(*, now: Trace | None, about: Mapping[str, Any], settled: Decimal, later: Decimal) -> Trace:
    """Return the trace of late usage: what all usage of a billed time comes to ``now`` (nothing: none is left), less
    what was ``settled`` before and what is left for ``later``, in major units.

    ``about`` are the inputs of a trace of the same charge, filter, group and time.
    """
    known = ("subscription", "plan", "currency", "charge", "filter", "group", "period")
    inputs = {name: about[name] for name in known if name in about}
    inputs |= {"now": now, "settled": decimals.text(settled), "later": decimals.text(later)}
    steps: list[Trace] = [
        {"kind": "now", "total": "0" if now is None else now["rounding"]["result"]},
        {"kind": "settled", "total": decimals.text(-settled)},
    ]
    if later:
        steps.append({"kind": "later", "total": decimals.text(-later)})
    return _trace(LATE_USAGE, inputs, steps, _late(inputs), inputs["currency"])


def of_event(
    *,
    contract: ContractFacts,
    charge: ChargeFacts,
    filter_id: Id | None,
    group: Mapping[str, str | None],
    event: Mapping[str, str],
    terms: Properties,
    step: Step,
    priced: Priced,
) -> Trace:
    """Return the trace of an event that is billed in advance: the levels and prices before and after it.

    ``event`` is what is told of the event itself. A price in a pricing unit is converted as usage's is.
    """
    price_filter = next((one for one in charge.filters if one.id == filter_id), None)
    inputs = {
        **_contract(contract),
        "charge": {
            "id": charge.id,
            "code": charge.code,
            "model": str(charge.model),
            "properties": properties.written(terms),
        },
        "filter": None if price_filter is None else {"id": price_filter.id, "values": _lists(price_filter.values)},
        "group": dict(group),
        "metric": {"code": charge.metric_code, "aggregation": str(charge.aggregation), "rounding": None},
        "period": _period(charge.period, contract.timezone),
        "event": dict(event),
        "step": advance_trace.written(step),
    }
    steps, unit = advance_trace.steps(step, priced), charge.pricing_unit
    if unit is None:
        return _trace(ADVANCE, inputs, steps, priced.amount, contract.currency)
    inputs["pricing_unit"] = pricing_units.written(unit)
    precise = pricing_units.in_money(amount=priced.amount, conversion_rate=unit.conversion_rate)
    conversion = pricing_units.conversion(unit=unit, amount=priced.amount)
    return {**_trace(ADVANCE, inputs, steps, precise, contract.currency), "conversion": conversion}


def digest(trace: Mapping[str, Any]) -> str:
    """Return the sha256, in hex, of the trace's canonical JSON: sorted keys, no blanks, UTF-8."""
    canonical = json.dumps(trace, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def recompute(trace: Mapping[str, Any]) -> Decimal:
    """Rate again from the trace's stored inputs alone, and return the amount in major units, rounded to the currency.

    Nothing of the stored steps or of the stored result is read. Raises UnknownTrace for a version or kind of tomorrow.
    """
    own = (SUBSCRIPTION, CHARGE, FIXED_CHARGE, TRUE_UP, LATE_USAGE, ADVANCE, COMMITMENT)
    kinds = (*own, contract_trace.KIND, adjusted_trace.KIND)
    if trace.get("version") != VERSION or trace.get("kind") not in kinds:
        raise UnknownTrace("unknown_trace", f"No trace of kind {trace.get('kind')} and version {trace.get('version')}.")
    inputs = trace["inputs"]
    if trace["kind"] == CHARGE:
        precise = _recomputed_usage(inputs)
    elif trace["kind"] == LATE_USAGE:
        precise = _late(inputs)
    elif trace["kind"] == COMMITMENT:
        precise = commitments.owed_again(inputs)
    elif trace["kind"] == contract_trace.KIND:
        precise = contract_trace.recomputed(inputs)
    elif trace["kind"] == adjusted_trace.KIND:
        precise = adjusted_trace.recomputed(inputs)
    elif trace["kind"] == ADVANCE:
        precise = advance_trace.recomputed(inputs)
    elif trace["kind"] == FIXED_CHARGE:
        precise = fixed_charges.price_again(inputs, currency=inputs["currency"]).amount
    else:
        amount, share = Decimal(inputs["amount"]), Share(inputs["days"], inputs["of_days"])
        precise = share.of(amount)
        if trace["kind"] == TRUE_UP:
            precise = minimums.missing(minimum=Minimum(amount, share), used=Decimal(inputs["used"]))
    return money.quantize(precise, currency=inputs["currency"])


def verify(trace: Mapping[str, Any]) -> bool:
    """Say whether rating again from the trace's inputs gives the amount that the trace says."""
    return recompute(trace) == Decimal(trace["rounding"]["result"])


def _late(inputs: Mapping[str, Any]) -> Decimal:
    """Compute all usage again, as it was told, and take off what is settled elsewhere."""
    now = Decimal(0) if inputs["now"] is None else recompute(inputs["now"])
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return now - Decimal(inputs["settled"]) - Decimal(inputs["later"])


def _recomputed_usage(inputs: Mapping[str, Any]) -> Decimal:
    charge, counted, stored = inputs["charge"], inputs["usage"], inputs["metric"]["rounding"]
    rule = None if stored is None else Rounding(RoundingFunction(stored["function"]), stored["precision"])
    kind, value, timed = Aggregation(inputs["metric"]["aggregation"]), Decimal(counted["value"]), Timed()
    if "held" in counted:
        facts = held_trace.facts_of(stored=counted["held"], kind=kind, events_count=counted["events_count"])
        value, timed = aggregation.value(facts), held_trace.timed(facts=facts, rounding_rule=rule)
    units = aggregation.counted(kind=kind, value=value, rounding_rule=rule)
    terms = properties.parse(model=charge["model"], raw=charge["properties"])
    usage = priced_usage.usage(
        terms=terms,
        aggregation=kind,
        units=units,
        events_count=counted["events_count"],
        found=tuple(Decimal(value) for value in counted.get("values", ())),
        given_amount=Decimal(counted.get("given_amount", "0")),
        timed=timed,
    )
    amount = models.price(properties=terms, usage=usage).amount
    return pricing_units.converted_again(stored=inputs.get("pricing_unit"), amount=amount)


def _trace(kind: str, inputs: Trace, steps: list[Trace], precise: Decimal, currency: str) -> Trace:
    return {
        "version": VERSION,
        "kind": kind,
        "inputs": inputs,
        "steps": steps,
        "unrounded": decimals.text(precise),
        "rounding": {
            "mode": "half_up",
            "digits": money.exponent(currency),
            "result": decimals.text(money.quantize(precise, currency=currency)),
        },
    }


def _contract(contract: ContractFacts) -> Trace:
    return {
        "subscription": contract.subscription_id,
        "plan": {"id": contract.plan_id, "version": contract.plan_version},
        "currency": contract.currency,
    }


def _period(period: Period, timezone: str) -> Trace:
    return {"from": _instant(period.start), "to": _instant(period.end), "timezone": timezone}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _rounding(rule: Rounding | None) -> Trace | None:
    return None if rule is None else {"function": str(rule.function), "precision": rule.precision}


def _lists(accepted: Mapping[str, Any]) -> Trace:
    return {key: sorted(values) for key, values in accepted.items()}


def _step(step: values.Step) -> Trace:
    return {
        "kind": str(step.kind),
        "quantity": decimals.text(step.quantity),
        "price": decimals.text(step.price),
        "per": decimals.text(step.per),
        "flat": decimals.text(step.flat),
        "from_value": values.optional_text(step.from_value),
        "to_value": values.optional_text(step.to_value),
        "total": decimals.text(step.total),
    }
