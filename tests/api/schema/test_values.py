"""The values that the description names are those that are stored."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Subscription
from catalog.models import BillableMetric, Charge, Coupon, FixedCharge, PlanVersion
from config.platform.api import glossary
from customers.models import AppliedCoupon, Customer
from invoicing.models import CreditNote, Invoice, InvoiceLine, RecurringTransactionRule, Wallet, WalletTransaction
from tests.factories import described

STORED: list[tuple[str, Any, str]] = [
    ("aggregation_type", BillableMetric, "aggregation_type"),
    ("charge_model", Charge, "charge_model"),
    ("FixedChargeAnswer.charge_model", FixedCharge, "charge_model"),
    ("PlanAnswer.interval", PlanVersion, "interval"),
    ("RuleShape.interval", RecurringTransactionRule, "interval"),
    ("RuleShape.status", RecurringTransactionRule, "status"),
    ("coupon_type", Coupon, "kind"),
    ("frequency", Coupon, "frequency"),
    ("frequency", AppliedCoupon, "frequency"),
    ("customer_type", Customer, "customer_type"),
    ("AppliedCouponAnswer.status", AppliedCoupon, "status"),
    ("FullInvoice.invoice_type", Invoice, "kind"),
    ("FullInvoice.status", Invoice, "status"),
    ("FullInvoice.payment_status", Invoice, "payment_status"),
    ("Fee.payment_status", InvoiceLine, "payment_status"),
    ("CreditNoteShape.credit_status", CreditNote, "credit_status"),
    ("CreditNoteShape.refund_status", CreditNote, "refund_status"),
    ("CreditNoteShape.reason", CreditNote, "reason"),
    ("SubscriptionAnswer.status", Subscription, "status"),
    ("WalletShape.status", Wallet, "status"),
    ("TransactionShape.status", WalletTransaction, "status"),
    ("TransactionShape.transaction_status", WalletTransaction, "transaction_status"),
    ("TransactionShape.transaction_type", WalletTransaction, "transaction_type"),
]


@pytest.mark.parametrize(("key", "model", "field"), STORED)
def test_values_are_those_of_the_model(key: str, model: Any, field: str) -> None:
    stored = [value for value, _ in model._meta.get_field(field).choices if value]
    assert sorted(glossary.VALUES[key]) == sorted(stored)


def test_every_list_is_of_use() -> None:
    schemas = described.document()["components"]["schemas"]
    for key, values in glossary.VALUES.items():
        component, _, name = key.rpartition(".")
        found = [
            field
            for part, schema in schemas.items()
            if not component or part.removesuffix("Request") == component
            for field in [schema.get("properties", {}).get(name, {})]
            if set(field.get("enum", ())) - {None} == set(values)
        ]
        assert found, key


def test_an_absent_value_is_among_them_where_it_may_be() -> None:
    fields = described.document()["components"]["schemas"]["CreditNoteShape"]["properties"]
    assert None in fields["credit_status"]["enum"]
    assert None not in fields["reason"]["enum"]
