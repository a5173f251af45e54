"""What the sample's customers get beside the price list: coupons, a wallet with a gift, a text on their invoices.

All of it is there before anything is billed, so that the first invoices show it. Through the API; what is there already
stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config.demo import builds
from config.demo.api import Api
from config.demo.buyers import Buyer

PARTNER_RANK, LAUNCH_RANK, BUILDER_RANK = 1, 39, 27
WALLET_RANK, TEXT_RANK = 5, 8

LAUNCH: dict[str, Any] = {
    "code": "launch_50",
    "name": "Welcome to the new gateway",
    "coupon_type": "fixed_amount",
    "amount_cents": 5_000,
    "amount_currency": "EUR",
    "frequency": "once",
    "expiration": "no_expiration",
    "reusable": False,
}
PARTNER: dict[str, Any] = {
    "code": "partner_10",
    "name": "Partner discount",
    "coupon_type": "percentage",
    "percentage_rate": "10",
    "frequency": "forever",
    "expiration": "no_expiration",
}
BUILDER: dict[str, Any] = {
    "code": "builders_20",
    "name": "Build minutes for less",
    "coupon_type": "percentage",
    "percentage_rate": "20",
    "frequency": "recurring",
    "frequency_duration": 3,
    "expiration": "no_expiration",
    "applies_to": {"billable_metric_codes": [builds.MINUTES]},
}
GIVEN = ((LAUNCH, LAUNCH_RANK), (PARTNER, PARTNER_RANK), (BUILDER, BUILDER_RANK))

WALLET: dict[str, Any] = {
    "code": "prepaid",
    "name": "Prepaid credits",
    "currency": "GBP",
    "rate_amount": "1",
    "granted_credits": "25",
}
TEXT: dict[str, Any] = {
    "code": "vendor_portal",
    "name": "Vendor portal",
    "display_name": "For your records",
    "details": "A copy of this invoice was put into your vendor portal.",
}


def make(api: Api, people: Sequence[Buyer]) -> None:
    """Make what is missing. Raises Refused."""
    _coupons(api, people)
    _wallet(api, people[WALLET_RANK])
    _text(api, people[TEXT_RANK])


def _coupons(api: Api, people: Sequence[Buyer]) -> None:
    known = {row["code"] for row in api.rows("coupons")}
    for coupon, rank in GIVEN:
        if coupon["code"] not in known:
            api.send("coupons", {"coupon": coupon})
            body = {"external_customer_id": people[rank].external_id, "coupon_code": coupon["code"]}
            api.send("applied_coupons", {"applied_coupon": body})


def _wallet(api: Api, buyer: Buyer) -> None:
    if next(api.rows("wallets", external_customer_id=buyer.external_id), None) is None:
        api.send("wallets", {"wallet": WALLET | {"external_customer_id": buyer.external_id}})


def _text(api: Api, buyer: Buyer) -> None:
    if TEXT["code"] not in {row["code"] for row in api.rows("invoice_custom_sections")}:
        api.send("invoice_custom_sections", {"invoice_custom_section": TEXT})
        body = {"external_id": buyer.external_id, "invoice_custom_section_codes": [TEXT["code"]]}
        api.send("customers", {"customer": body})
