"""Wallets with credits left. Owns turning what Lago shows of them into what this API takes: the balance comes over as
granted credits, once, and nothing is charged for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from config.importing import adopting, subscriptions
from config.importing.kinds import Journey, Kind, Row, given
from config.importing.source import quoted
from invoicing.models import Wallet

SAYING = "Balance brought over from Lago"
_RULE = (
    *("trigger", "interval", "method", "paid_credits", "granted_credits", "grants_target_top_up"),
    *("threshold_credits", "target_ongoing_balance", "started_at", "expiration_at"),
    *("invoice_requires_successful_payment", "ignore_paid_top_up_limits", "purchase_order_number"),
    *("transaction_name", "transaction_metadata"),
)


def _read(journey: Journey) -> Iterator[Row]:
    return (row for row in journey.lago.rows("wallets") if row.get("status") == "active")


def _label(row: Row) -> str:
    return f"{row.get('code') or row.get('name') or row['lago_id']} of {row['external_customer_id']}"


def _find(journey: Journey, theirs: Row) -> Row | None:
    """One that was brought over is known by its id, ended since or not; else by its code."""
    if adopting.is_known(Wallet, theirs.get("lago_id")):
        return journey.house.find(f"wallets/{theirs['lago_id']}", "wallet") or {}
    if not theirs.get("code"):
        return None
    return journey.house.find(f"customers/{theirs['external_customer_id']}/wallets/{theirs['code']}", "wallet")


def _make(journey: Journey, theirs: Row) -> Row:
    values = given(
        theirs,
        *("external_customer_id", "rate_amount", "currency", "name", "code", "priority", "expiration_at"),
        *("invoice_requires_successful_payment", "paid_top_up_min_amount_cents", "paid_top_up_max_amount_cents"),
        *("purchase_order_number", "billing_entity_code", "metadata"),
    )
    limits = given(theirs.get("applies_to") or {}, "fee_types", "billable_metric_codes")
    if any(limits.values()):
        values["applies_to"] = limits
    rules = [row for row in theirs.get("recurring_transaction_rules") or () if row.get("status", "active") == "active"]
    if rules:
        values["recurring_transaction_rules"] = [given(row, *_RULE) for row in rules]
    balance = Decimal(str(theirs.get("credits_balance") or 0))
    if balance > 0:
        values |= {"granted_credits": str(balance), "transaction_name": SAYING}
        values["transaction_metadata"] = [{"key": "lago_wallet_id", "value": str(theirs["lago_id"])}]
    else:
        values["granted_credits"] = "0"
    made = journey.house.make("wallets", "wallet", values)
    adopting.adopt_rules(made, rules)
    made = adopting.adopt_as("wallet", made, theirs)
    _alerts(journey, theirs, made)
    return dict(journey.house.ask("GET", f"wallets/{made['lago_id']}")["wallet"])


def _alerts(journey: Journey, theirs: Row, made: Row) -> None:
    if not theirs.get("code"):
        return
    there = f"customers/{quoted(theirs['external_customer_id'])}/wallets/{quoted(theirs['code'])}/alerts"
    here = f"customers/{theirs['external_customer_id']}/wallets/{made['code']}/alerts"
    for row in journey.lago.rows(there):
        subscriptions.alert(journey, here, row)


# What was used before, and what runs, is counted anew here; ways to pay are told with their customer.
WALLETS = Kind(
    "wallets",
    _read,
    _label,
    _find,
    _make,
    but=(
        *("consumed_credits", "ongoing_balance_cents", "ongoing_usage_balance_cents", "credits_ongoing_balance"),
        *("credits_ongoing_usage_balance", "payment_method"),
    ),
)
