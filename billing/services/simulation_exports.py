"""Simulations as programs take them: rows of a CSV file, and JSON. Owns their columns and keys.

Amounts in JSON are integer minor units, in CSV decimals of major units with the digits of the currency.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from billing.domain import simulation
from billing.domain.rating import ItemKind
from billing.domain.simulation import Played, PlayedLine, PlayedPeriod
from billing.domain.simulation_comparison import Outcome, Pair, Summary
from billing.services.simulation_reports import Report
from catalog.domain import decimals
from config.kernel import money

COLUMNS = (
    "customer", "customer_name", "subscription", "side", "plan", "first_day", "last_day", "kind", "code", "metric_code",
    "name", "filter", "group", "units", "events", "amount", "currency",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows(outcome: Outcome, *, other_plan: str = "") -> Iterator[Sequence[str]]:
    """Yield the rows of a contract under `COLUMNS`: one for each line, of its own plan first.

    Text that a spreadsheet would take for a formula is kept from it by an apostrophe.
    """
    sides = [("own", outcome.plan, outcome.own)]
    if outcome.other is not None:
        sides.append(("other", other_plan, outcome.other))
    for side, plan, played in sides:
        for period in played.periods:
            for line in period.lines:
                yield _row(outcome, side, plan, played.currency, period, line)


def as_json(report: Report) -> dict[str, Any]:
    """Return a report as JSON values: the sums, the first contracts with their periods, and the remarks."""
    wanted = report.wanted
    return {
        "from_date": wanted.frame.first.isoformat(),
        "to_date": wanted.frame.end.isoformat(),
        "compared_with": None if wanted.other is None else wanted.other.label,
        "contracts_count": report.contracts,
        "remarks": report.remarks,
        "currencies": [_summary(one) for _, one in sorted(report.summaries.items())],
        "contracts": [_contract(one) for one in report.outcomes],
    }


def _row(
    outcome: Outcome, side: str, plan: str, currency: str, period: PlayedPeriod, line: PlayedLine
) -> Sequence[str]:
    found = (
        outcome.customer, outcome.customer_name, outcome.subscription, side, plan, period.first_day.isoformat(),
        period.last_day.isoformat(), kind(line), line.code, line.metric_code, line.name, line.filter_name,
        json.dumps(line.group, ensure_ascii=False) if line.group else "", decimals.text(line.units),
        str(line.events_count), f"{money.quantize(line.amount.amount, currency=currency):f}", currency,
    )  # fmt: skip
    return [_harmless(text) for text in found]


def kind(line: PlayedLine) -> str:
    """Return what a line is: a plan's fee, usage, or what brings usage up to its minimum."""
    if line.is_true_up:
        return "true_up"
    return item_kind(line.kind)


def item_kind(kind: ItemKind) -> str:
    """Return what an item is: a plan's fee, usage, or a fixed charge."""
    return "usage" if kind is ItemKind.CHARGE else kind.value


def _harmless(text: str) -> str:
    is_number = text.removeprefix("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text


def _summary(summary: Summary) -> dict[str, Any]:
    found = {
        "currency": summary.currency,
        "contracts_count": summary.contracts,
        **_amounts(summary.total, summary),
        "months": [
            {"month": month.isoformat()[:7], **_amounts(pair, summary)}
            for month, pair in sorted(summary.months.items())
        ],
        "items": [
            {
                "kind": item_kind(item),
                "code": code or None,
                "units": decimals.text(pair.own_units),
                **({"compared_units": decimals.text(pair.other_units)} if summary.is_compared else {}),
                **_amounts(pair, summary),
            }
            for item, code, pair in summary.by_item
        ],
    }
    if not summary.is_compared:
        return found
    return found | {
        "left_out_count": sum(summary.left_out.values()),
        "winners_count": summary.winners,
        "losers_count": summary.losers,
        "distribution": {str(name): number for name, number in summary.buckets.items()},
        "movers": [_head(one) for one in summary.movers],
    }


def _amounts(pair: Pair, summary: Summary) -> dict[str, int]:
    found = {"amount_cents": simulation.minor(pair.own, summary.currency)}
    if summary.is_compared:
        found |= {
            "compared_amount_cents": simulation.minor(pair.other, summary.currency),
            "difference_cents": simulation.minor(pair.difference, summary.currency),
        }
    return found


def _contract(outcome: Outcome) -> dict[str, Any]:
    found = _head(outcome) | {"periods": _periods(outcome.own)}
    return found if outcome.other is None else found | {"compared_periods": _periods(outcome.other)}


def _head(outcome: Outcome) -> dict[str, Any]:
    currency = outcome.own.currency
    found: dict[str, Any] = {
        "external_customer_id": outcome.customer or None,
        "external_subscription_id": outcome.subscription or None,
        "plan": outcome.plan,
        "currency": currency,
        "left_out": outcome.left_out or None,
        "amount_cents": simulation.minor(outcome.own.total, currency),
    }
    if outcome.other is not None:
        found |= {
            "compared_amount_cents": simulation.minor(outcome.other.total, currency),
            "difference_cents": simulation.minor(outcome.difference, currency),
        }
    return found


def _periods(played: Played) -> list[dict[str, Any]]:
    return [
        {
            "first_day": period.first_day.isoformat(),
            "last_day": period.last_day.isoformat(),
            "fee_cents": simulation.minor(period.fees, played.currency),
            "amount_cents": simulation.minor(period.total, played.currency),
            "lines": [_line(line) for line in period.lines],
        }
        for period in played.periods
    ]


def _line(line: PlayedLine) -> dict[str, Any]:
    return {
        "kind": kind(line),
        "code": line.code,
        "metric_code": line.metric_code or None,
        "name": line.name,
        "filter": line.filter_name or None,
        "group": dict(line.group) or None,
        "units": decimals.text(Decimal(line.units)),
        "events_count": line.events_count,
        "amount_cents": money.to_minor(line.amount),
    }
