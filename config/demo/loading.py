"""Puts the sample into an installation through its API: taxes, sellers, metrics, add-ons, plans, customers,
subscriptions.

What is there already stays as it is, so loading again changes nothing, and neither does what staff edited meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from config.demo import builds, price_list, sellers, workspaces
from config.demo.api import Api
from config.demo.buyers import Buyer
from config.demo.sellers import Seller

Step = Callable[[], object]
"""Told after each object, for a progress bar."""

ANY_STATUS = ["active", "pending", "paused", "incomplete", "terminated", "canceled"]
"""All that a subscription can be; without asking for them, the active ones are listed alone."""


def catalogue(api: Api) -> None:
    """Make what is missing of taxes, selling companies, metrics, add-ons, pricing units and plans. Raises Refused."""
    _add(api, "taxes", "tax", sellers.TAXES)
    _add(api, "billing_entities", "billing_entity", [_entity(seller) for seller in sellers.SELLERS])
    _add(api, "billable_metrics", "billable_metric", [*price_list.METRICS, *workspaces.METRICS, builds.METRIC])
    _add(api, "add_ons", "add_on", [price_list.DEDICATED_IP, workspaces.SUPPORT])
    _add(api, "pricing_units", "pricing_unit", [price_list.CREDITS])
    ids = {metric["code"]: metric["lago_id"] for metric in api.rows("billable_metrics")}
    _add(api, "plans", "plan", [*price_list.plans(ids), *workspaces.plans(ids), *builds.plans(ids)])


def customers(api: Api, bodies: Iterable[Mapping[str, Any]], *, step: Step) -> None:
    """Make the customers that are missing. Raises Refused."""
    known = {row["external_id"] for row in api.rows("customers")}
    for body in bodies:
        if body["external_id"] not in known:
            api.send("customers", {"customer": body})
        step()


def subscriptions(api: Api, buyers: Sequence[Buyer], *, first_day: date, step: Step) -> None:
    """Make the subscriptions that are missing, from a day on. Raises Refused.

    Their usage must be there before: elapsed periods are billed as soon as the scheduler sees the subscription.
    """
    add_subscriptions(api, [buyer.subscription(first_day) for buyer in buyers], step=step)


def add_subscriptions(api: Api, bodies: Iterable[Mapping[str, Any]], *, step: Step = lambda: None) -> None:
    """Make the subscriptions whose external id is not there in any status. Raises Refused."""
    known = {row["external_id"] for row in api.rows("subscriptions", **{"status[]": ANY_STATUS})}
    for body in bodies:
        if body["external_id"] not in known:
            api.send("subscriptions", {"subscription": body})
        step()


def _entity(seller: Seller) -> dict[str, Any]:
    return {
        "code": seller.code,
        "default_currency": seller.currency,
        "timezone": seller.timezone,
        "document_numbering": sellers.NUMBERING,
        "email_settings": sellers.EMAILED,
        "finalize_zero_amount_invoice": True,
        **_nested(seller.values),
        **seller.letterhead,
    }


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    configured = {field: values[field] for field in ("document_locale", "invoice_footer")}
    rest = {field: value for field, value in values.items() if field not in configured}
    return {**rest, "billing_configuration": configured}


def _add(api: Api, path: str, root: str, bodies: Iterable[dict[str, Any]]) -> None:
    known = {row["code"] for row in api.rows(path)}
    for body in bodies:
        if body["code"] not in known:
            api.send(path, {root: body})
