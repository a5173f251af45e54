"""The sample's second product: workspaces, paid in advance, with seats, large downloads and hours of support.

Four customers of the hosting have one beside it, from the start of the last full month on. Seats are invented; large
downloads are real requests of the log. Owns prices, holders and events, as bodies for the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from config.demo import price_list, running, usage
from config.demo.buyers import Buyer
from config.demo.log import Request

NAME = "Workspace"
BASIC = "workspace"
PLUS = "workspace_plus"
SEATS = "seats"
DOWNLOADS = "large_downloads"
LARGE_BYTES = 5_000_000

METRICS: tuple[dict[str, Any], ...] = (
    {
        "code": SEATS,
        "name": "Seats",
        "description": "People with access. A seat stays until it is given up.",
        "aggregation_type": "unique_count_agg",
        "field_name": "seat",
        "recurring": True,
    },
    {
        "code": DOWNLOADS,
        "name": "Large downloads",
        "description": "Answers of 5 MB and more.",
        "aggregation_type": "count_agg",
    },
)
SUPPORT: dict[str, Any] = {
    "code": "support_hours",
    "name": "Support hours",
    "description": "Hours with an engineer, every month.",
    "amount_cents": 9000,
    "amount_currency": "EUR",
}
_FEES = {
    BASIC: {"EUR": 29, "USD": 32, "GBP": 25},
    PLUS: {"EUR": 119, "USD": 130, "GBP": 99},
}
_NAMES = {BASIC: "Workspace", PLUS: "Workspace Plus"}
_HOURS = {PLUS: 2}


@dataclass(frozen=True)
class Holder:
    """A customer with a workspace: its rank among the accounts, the plan it starts on, the one it moves to, its seats.

    ``seats`` are those taken in the first month and those that came in the running one.
    """

    rank: int
    tariff: str
    moves_to: str = ""
    seats: tuple[int, int] = (0, 0)
    pays_seats: bool = False


HOLDERS = (
    Holder(rank=6, tariff=BASIC, moves_to=PLUS, seats=(2, 1)),
    Holder(rank=14, tariff=PLUS, moves_to=BASIC),
    Holder(rank=0, tariff=PLUS, seats=(4, 2)),
    Holder(rank=4, tariff=BASIC, seats=(3, 0), pays_seats=True),
)


def plan_code(tariff: str, currency: str) -> str:
    """Return the code of a workspace plan in a currency."""
    return f"{tariff}_{currency.lower()}"


def plans(metric_ids: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the bodies of all workspace plans. ``metric_ids`` are the API's ids of the metrics by code."""
    return [_plan(tariff, currency, metric_ids) for tariff in _FEES for currency in price_list.CURRENCIES]


def subscription_id(account: str) -> str:
    """Return the external id of an account's workspace."""
    return f"ws_{account}"


def subscription(buyer: Buyer, holder: Holder, *, first_day: date) -> dict[str, Any]:
    """Return the body of a workspace: from the start of a local day on, elapsed periods billed too."""
    return buyer.subscription(first_day) | {
        "external_id": subscription_id(buyer.external_id),
        "plan_code": plan_code(holder.tariff, buyer.seller.currency),
        "name": NAME,
    }


def seats(people: Sequence[Buyer], *, first_month: date, month: date, until: datetime) -> Iterator[dict[str, object]]:
    """Return the events of all seats taken until an instant, in the first month and in the running one."""
    for holder in HOLDERS:
        account = people[holder.rank].external_id
        before, new = holder.seats
        for number in range(1, before + new + 1):
            start = first_month if number <= before else month
            at = datetime.combine(start + timedelta(days=1 + number), time(8), until.tzinfo)
            if at <= until:
                yield {
                    "transaction_id": f"seat-{number}",
                    "external_subscription_id": subscription_id(account),
                    "code": SEATS,
                    "timestamp": int(at.timestamp()),
                    "properties": {"seat": f"seat-{number}"},
                }


def downloads(
    requests: Sequence[Request], people: Sequence[Buyer], account_of: Mapping[str, str], *, month: date, until: datetime
) -> Iterator[dict[str, object]]:
    """Return an event for each large answer to a holder in the running month until an instant."""
    holders = {people[holder.rank].external_id for holder in HOLDERS}
    for request in requests:
        account, at = usage.account(request, account_of), running.moved(request, month=month)
        if request.size >= LARGE_BYTES and account in holders and at <= until:
            yield {
                "transaction_id": f"download-{month:%Y-%m}-{request.line:05d}",
                "external_subscription_id": subscription_id(account),
                "code": DOWNLOADS,
                "timestamp": int(at.timestamp()),
                "properties": {"path": request.path, "bytes": request.size},
            }


def _plan(tariff: str, currency: str, metric_ids: Mapping[str, str]) -> dict[str, Any]:
    hours = _HOURS.get(tariff)
    return {
        "code": plan_code(tariff, currency),
        "name": _NAMES[tariff],
        "description": f"{_NAMES[tariff]} in {currency}, monthly in advance.",
        "interval": "monthly",
        "amount_cents": _FEES[tariff][currency] * 100,
        "amount_currency": currency,
        "pay_in_advance": True,
        "charges": [
            {
                "code": SEATS,
                "billable_metric_id": metric_ids[SEATS],
                "invoice_display_name": "Seats",
                "charge_model": "standard",
                "properties": {"amount": "8"},
                "pay_in_advance": True,
                "invoiceable": False,
                "regroup_paid_fees": "invoice",
            },
            {
                "code": DOWNLOADS,
                "billable_metric_id": metric_ids[DOWNLOADS],
                "invoice_display_name": "Large downloads",
                "charge_model": "standard",
                "properties": {"amount": "1.50"},
                "pay_in_advance": True,
            },
        ],
        "fixed_charges": [_hours(hours)] if hours else [],
    }


def _hours(units: int) -> dict[str, Any]:
    return {
        "add_on_code": SUPPORT["code"],
        "code": SUPPORT["code"],
        "charge_model": "standard",
        "properties": {"amount": "90"},
        "units": str(units),
        "pay_in_advance": True,
    }
