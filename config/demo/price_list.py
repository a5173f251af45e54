"""What the sample companies sell: API hosting in four plans, each priced in three currencies. As bodies for the API.

One usage event per request feeds all four metrics, through the code of the events that they read. Paths are priced in
credits, and the two larger plans come with dedicated addresses, whatever is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from config.demo import usage

REQUESTS = "requests"
EGRESS = "egress"
PATHS = "paths"
ERROR_FREE = "error_free_requests"
SERVED = ["200", "206", "301", "304"]
FAILED = ["400", "403", "404", "416", "429", "500", "502", "503"]
"""Answers with an error, by the client or the server: shown, but not charged."""

CURRENCIES = ("EUR", "USD", "GBP")
FREE_PLAN = "community"

CREDITS: dict[str, Any] = {
    "code": "credits",
    "name": "Credits",
    "short_name": "CR",
    "description": "What hosted paths are priced in. Each plan says what a credit is worth.",
}
_CREDIT_WORTH = "0.05"
DEDICATED_IP: dict[str, Any] = {
    "code": "dedicated_ip",
    "name": "Dedicated IP address",
    "invoice_display_name": "Dedicated IP addresses",
    "description": "An address of one's own, by the day.",
    "amount_cents": 400,
    "amount_currency": "EUR",
}

METRICS: tuple[dict[str, Any], ...] = (
    {
        "code": REQUESTS,
        "name": "Requests",
        "description": "Requests that the gateway answered.",
        "aggregation_type": "count_agg",
        "event_code": usage.EVENT_CODE,
    },
    {
        "code": EGRESS,
        "name": "Egress",
        "description": "Data sent to clients, in GB of 10⁹ bytes.",
        "aggregation_type": "sum_agg",
        "field_name": "egress_gb",
        "event_code": usage.EVENT_CODE,
    },
    {
        "code": PATHS,
        "name": "Hosted paths",
        "description": "Different paths that were requested in the period.",
        "aggregation_type": "unique_count_agg",
        "field_name": "path",
        "event_code": usage.EVENT_CODE,
    },
    {
        "code": ERROR_FREE,
        "name": "Error-free requests",
        "description": "Requests by the status of their answer.",
        "aggregation_type": "count_agg",
        "event_code": usage.EVENT_CODE,
        "filters": [{"key": "status", "values": [*SERVED, *FAILED]}],
    },
)


@dataclass(frozen=True)
class Tariff:
    """The figures of a paid plan, in major units, by currency where they differ.

    ``requests`` are graduated steps (up to, price), ``egress`` the prices of a GB by total volume (up to, price),
    ``paths`` those included, the size of a package and its price in credits, ``served`` the price of an error-free
    request, ``addresses`` the number of dedicated addresses in the plan; none cannot be bought.
    """

    code: str
    name: str
    fees: dict[str, int]
    requests: tuple[tuple[int | None, str], ...]
    egress: tuple[tuple[str | None, str], ...]
    paths: tuple[int, int, str]
    served: str
    addresses: int = 0


TARIFFS = (
    Tariff(
        code="starter",
        name="Starter",
        fees={"EUR": 49, "USD": 55, "GBP": 42},
        requests=((20, "0"), (100, "0.08"), (None, "0.06")),
        egress=(("0.005", "18"), (None, "15")),
        paths=(10, 10, "30"),
        served="0.012",
    ),
    Tariff(
        code="growth",
        name="Growth",
        fees={"EUR": 190, "USD": 210, "GBP": 165},
        requests=((50, "0"), (100, "0.06"), (None, "0.045")),
        egress=(("0.01", "14"), ("0.1", "12"), (None, "9.50")),
        paths=(25, 25, "58"),
        served="0.0085",
        addresses=1,
    ),
    Tariff(
        code="scale",
        name="Scale",
        fees={"EUR": 690, "USD": 760, "GBP": 590},
        requests=((100, "0.04"), (300, "0.032"), (None, "0.025")),
        egress=(("0.01", "11"), ("0.05", "9"), (None, "7.25")),
        paths=(50, 50, "90"),
        served="0.00575",
        addresses=4,
    ),
)


def plan_code(tariff: str, currency: str) -> str:
    """Return the code of a paid plan in a currency."""
    return f"{tariff}_{currency.lower()}"


def plans(metric_ids: dict[str, str]) -> list[dict[str, Any]]:
    """Return the bodies of all plans. ``metric_ids`` are the API's ids of the metrics by code."""
    paid = [_paid(tariff, currency, metric_ids) for tariff in TARIFFS for currency in CURRENCIES]
    return [_free(metric_ids), *paid]


def _free(metric_ids: dict[str, str]) -> dict[str, Any]:
    charges = [
        {
            "code": code,
            "billable_metric_id": metric_ids[code],
            "charge_model": "standard",
            "invoice_display_name": name,
            "properties": {"amount": "0"},
        }
        for code, name in ((REQUESTS, "Requests"), (EGRESS, "Egress (GB)"), (PATHS, "Hosted paths"))
    ]
    return {
        "code": FREE_PLAN,
        "name": "Community",
        "description": "Free of charge for open projects.",
        "interval": "monthly",
        "amount_cents": 0,
        "amount_currency": "EUR",
        "pay_in_advance": False,
        "charges": charges,
    }


def _paid(tariff: Tariff, currency: str, metric_ids: dict[str, str]) -> dict[str, Any]:
    included, size, price = tariff.paths
    charges = [
        _charge(REQUESTS, "Requests", "graduated", {"graduated_ranges": _steps(tariff.requests)}),
        _charge(EGRESS, "Egress (GB)", "volume", {"volume_ranges": _steps(tariff.egress)}),
        _charge(PATHS, "Hosted paths", "package", {"amount": price, "package_size": size, "free_units": included})
        | {"applied_pricing_unit": {"code": CREDITS["code"], "conversion_rate": _CREDIT_WORTH}},
        _charge(ERROR_FREE, "Delivery", "standard", {"amount": "0"})
        | {
            "filters": [
                _by_status("error-free requests", SERVED, tariff.served),
                _by_status("requests with an error", FAILED, "0"),
            ]
        },
    ]
    return {
        "code": plan_code(tariff.code, currency),
        "name": tariff.name,
        "description": f"{tariff.name} plan in {currency}, monthly in arrears.",
        "interval": "monthly",
        "amount_cents": tariff.fees[currency] * 100,
        "amount_currency": currency,
        "pay_in_advance": False,
        "charges": [charge | {"billable_metric_id": metric_ids[charge["code"]]} for charge in charges],
        "fixed_charges": [_addresses(tariff.addresses)] if tariff.addresses else [],
    }


def _addresses(units: int) -> dict[str, Any]:
    """Write the dedicated addresses of a plan: billed with the month, by the days that they are there."""
    return {
        "add_on_code": DEDICATED_IP["code"],
        "code": DEDICATED_IP["code"],
        "charge_model": "standard",
        "properties": {"amount": "4"},
        "units": str(units),
        "pay_in_advance": False,
        "prorated": True,
    }


def _charge(code: str, name: str, model: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "invoice_display_name": name, "charge_model": model, "properties": properties}


def _by_status(name: str, statuses: list[str], price: str) -> dict[str, Any]:
    return {"invoice_display_name": name, "values": {"status": statuses}, "properties": {"amount": price}}


def _steps(steps: tuple[tuple[Any, str], ...]) -> list[dict[str, Any]]:
    """Write steps as the API's ranges: whole units count on (0-20, 21-100), fractions meet (0-0.5, 0.5-1)."""
    ranges = []
    start: Any = 0
    for end, price in steps:
        ranges.append({"from_value": start, "to_value": end, "per_unit_amount": price, "flat_amount": "0"})
        start = end + 1 if isinstance(end, int) else end
    return ranges
