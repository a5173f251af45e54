"""The official Python client, unmodified, against a running server: every resource, from a tax to a deleted customer.

One company's life in order. Each step asserts what a user of the client would look at; the client itself refuses
answers that lack a field its models need.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.utils import timezone
from lago_python_client import models
from lago_python_client.client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models.alert import Alert, AlertsList
from lago_python_client.models.organization import Organization
from lago_python_client.models.payment import Payment
from lago_python_client.models.payment_request import PaymentRequest
from lago_python_client.models.plan import Plan
from lago_python_client.models.subscription import Subscription
from lago_python_client.models.tax import Tax
from lago_python_client.models.wallet import Wallet
from lago_python_client.models.wallet_transaction import WalletTransaction
from lago_python_client.models.webhook_endpoint import WebhookEndpoint
from pytest_django.live_server_helper import LiveServer

from customers.services import billing_entities
from tests.factories import platform, usage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lago(live_server: LiveServer) -> Iterator[Client]:
    usage.clear()
    billing_entities.ensure_default(at=timezone.now())
    yield Client(api_key=platform.make_key(at=timezone.now()).secret, api_url=live_server.url)
    usage.clear()


def refused(status: int, code: str) -> pytest.RaisesContext[LagoApiError]:
    """Expect a refusal; its code stands in the message of the client's error."""
    return pytest.raises(LagoApiError, match=rf"(?s){status}.*{code}|{code}.*{status}")


def test_a_company_from_its_catalogue_to_its_last_invoice(lago: Client) -> None:
    _organization(lago)
    metric_id, seat_id = _catalogue(lago)
    _plan(lago, metric_id=metric_id, seat_id=seat_id)
    _customer(lago)
    wallet_id = _wallet(lago)
    _subscription(lago)
    _usage(lago)
    _own_terms(lago)
    _invoice(lago)
    _one_off(lago)
    _hooks_and_figures(lago)
    ended = lago.subscriptions.destroy("acme-pro")
    assert (ended.status, ended.external_id) == ("terminated", "acme-pro")
    assert lago.wallets.destroy(wallet_id).status == "terminated"
    assert lago.customers.destroy("acme").external_id == "acme"
    with refused(404, "customer_not_found"):
        lago.customers.find("acme")


def _organization(lago: Client) -> None:
    changed = lago.organizations.update(
        Organization(legal_name="Meridian", email="billing@example.com", default_currency="EUR")
    )
    assert changed.legal_name == "Meridian"
    (entity,) = lago.billing_entities.find_all()["billing_entities"]
    assert entity.is_default
    assert lago.billing_entities.find(entity.code).lago_id == entity.lago_id


def _catalogue(lago: Client) -> tuple[str, str]:
    tax = lago.taxes.create(Tax(name="VAT", code="vat", rate="20.0"))
    assert tax.rate == 20.0
    assert lago.taxes.update(Tax(name="VAT 20"), "vat").name == "VAT 20"
    assert [row.code for row in lago.taxes.find_all({"per_page": 1})["taxes"]] == ["vat"]
    add_on = {"name": "Set-up", "amount_cents": 5000, "amount_currency": "EUR", "tax_codes": ["vat"]}
    setup = lago.add_ons.create(models.AddOn.parse_obj({**add_on, "code": "setup"}))
    assert setup.amount_cents == 5000
    seat = lago.add_ons.create(models.AddOn.parse_obj({**add_on, "code": "seats"}))
    lago.add_ons.create(models.AddOn.parse_obj({**add_on, "code": "gone"}))
    assert lago.add_ons.destroy("gone").code == "gone"
    with refused(404, "add_on_not_found"):
        lago.add_ons.find("gone")
    assert lago.add_ons.find_all()["meta"]["total_count"] == 2

    calls = {"name": "Calls", "code": "calls", "aggregation_type": "sum_agg", "field_name": "units"}
    filters = [{"key": "region", "values": ["us", "eu"]}]
    metric = lago.billable_metrics.create(models.BillableMetric.parse_obj({**calls, "filters": filters}))
    assert metric.filters.__root__[0].values == ["eu", "us"]
    with refused(422, "value_already_exist"):
        lago.billable_metrics.create(models.BillableMetric.parse_obj(calls))
    assert lago.billable_metrics.find("calls").lago_id == metric.lago_id
    coupon = {"name": "Welcome", "code": "welcome", "coupon_type": "fixed_amount", "amount_cents": 400}
    terms = {"amount_currency": "EUR", "frequency": "once", "expiration": "no_expiration", "reusable": True}
    assert lago.coupons.create(models.Coupon.parse_obj(coupon | terms)).amount_cents == 400
    assert [row.code for row in lago.coupons.find_all()["coupons"]] == ["welcome"]
    return metric.lago_id, seat.lago_id


def _plan(lago: Client, *, metric_id: str, seat_id: str) -> None:
    plan = lago.plans.create(
        Plan.parse_obj(
            {
                "name": "Pro",
                "code": "pro",
                "interval": "monthly",
                "amount_cents": 1000,
                "amount_currency": "EUR",
                "pay_in_advance": True,
                "tax_codes": ["vat"],
                "charges": [
                    {
                        "billable_metric_id": metric_id,
                        "code": "calls",
                        "charge_model": "standard",
                        "properties": {"amount": "0.25"},
                        "filters": [{"properties": {"amount": "0.5"}, "values": {"region": ["us"]}}],
                    }
                ],
                "fixed_charges": [
                    {
                        "add_on_id": seat_id,
                        "code": "seats",
                        "charge_model": "standard",
                        "units": 2,
                        "properties": {"amount": "7"},
                    }
                ],
                "minimum_commitment": {"amount_cents": 100},
                "usage_thresholds": [{"amount_cents": 1000000, "threshold_display_name": "Much"}],
            }
        )
    )
    assert (plan.amount_cents, len(plan.charges.__root__)) == (1000, 1)
    assert lago.plans.update(Plan(description="For teams"), "pro").description == "For teams"
    assert lago.plans.find_all()["meta"]["total_count"] == 1
    assert lago.plans.replace_metadata("pro", {"tier": "gold"}) == {"tier": "gold"}
    assert lago.plans.merge_metadata("pro", {"owner": "ann"}) == {"tier": "gold", "owner": "ann"}
    assert lago.plans.delete_metadata_key("pro", "tier") == {"owner": "ann"}
    more = {"billable_metric_id": metric_id, "code": "more", "charge_model": "standard", "properties": {"amount": "1"}}
    assert lago.plan_charges.create("pro", models.Charge.parse_obj(more)).code == "more"
    assert lago.plan_charges.find("pro", "more").billable_metric_code == "calls"
    lago.plan_charges.update("pro", "more", models.Charge(invoice_display_name="More"))
    given = models.ChargeFilter.parse_obj({"properties": {"amount": "2"}, "values": {"region": ["eu"]}})
    made = lago.plans.create_charge_filter("pro", "more", given)
    assert lago.plans.find_charge_filter("pro", "more", made.lago_id).values == {"region": ["eu"]}
    assert len(lago.plans.find_all_charge_filters("pro", "more")["filters"]) == 1
    lago.plans.update_charge_filter("pro", "more", made.lago_id, models.ChargeFilter(invoice_display_name="Europe"))
    lago.plans.destroy_charge_filter("pro", "more", made.lago_id)
    assert lago.plan_charges.destroy("pro", "more").code == "more"
    assert lago.plan_fixed_charges.find("pro", "seats").add_on_code == "seats"
    assert [row.code for row in lago.plans.find("pro").charges.__root__] == ["calls"]


def _customer(lago: Client) -> None:
    first = lago.customers.create(
        models.Customer.parse_obj(
            {
                "external_id": "acme",
                "name": "Acme",
                "email": "ap@acme.example",
                "currency": "EUR",
                "country": "FR",
                "timezone": "Europe/Paris",
                "tax_codes": ["vat"],
                "billing_configuration": {"document_locale": "fr"},
                "metadata": [{"key": "crm", "value": "42", "display_in_invoice": True}],
            }
        )
    )
    again = lago.customers.create(models.Customer(external_id="acme", legal_name="Acme SARL"))
    assert (again.lago_id, again.name, again.legal_name) == (first.lago_id, "Acme", "Acme SARL")
    assert lago.customers.find_all({"search_term": "SARL"})["meta"]["total_count"] == 1
    assert lago.customers.portal_url("acme").startswith("http")
    with refused(422, "no_linked_payment_provider"):
        lago.customers.checkout_url("acme")
    applied = lago.applied_coupons.create(models.AppliedCoupon(external_customer_id="acme", coupon_code="welcome"))
    assert (applied.amount_cents, applied.coupon_code) == (400, "welcome")
    twice = lago.applied_coupons.create(models.AppliedCoupon(external_customer_id="acme", coupon_code="welcome"))
    lago.applied_coupons.destroy("acme", twice.lago_id)
    active = lago.applied_coupons.find_all({"external_customer_id": "acme", "status": "active"})
    assert [row.lago_id for row in active["applied_coupons"]] == [applied.lago_id]


def _wallet(lago: Client) -> str:
    wallet = lago.wallets.create(
        Wallet(external_customer_id="acme", name="Prepaid", rate_amount="1.0", currency="EUR", granted_credits="5")
    )
    assert lago.wallets.update(Wallet(name="Prepaid credits"), wallet.lago_id).name == "Prepaid credits"
    assert lago.wallets.find_all({"external_customer_id": "acme"})["meta"]["total_count"] == 1
    assert lago.wallets.replace_metadata(wallet.lago_id, {"a": "1"}) == {"a": "1"}
    given = lago.wallet_transactions.create(WalletTransaction(wallet_id=wallet.lago_id, granted_credits="2"))
    (row,) = given["wallet_transactions"]
    assert (Decimal(row.credit_amount), row.status) == (2, "settled")
    lago.wallet_transactions.create(WalletTransaction(wallet_id=wallet.lago_id, voided_credits="2"))
    listed = lago.wallet_transactions.find_all(wallet.lago_id, {"transaction_status": "granted"})
    assert listed["meta"]["total_count"] == 2  # the five it began with, and these two
    assert lago.wallet_transactions.consumptions(row.lago_id)["meta"]["total_count"] >= 0
    assert lago.wallets.find(wallet.lago_id).balance_cents == 500
    low = {"alert_type": "wallet_balance_amount", "code": "low", "thresholds": [{"value": "100"}]}
    assert lago.customers.wallets.alerts.create("acme", wallet.code, Alert.parse_obj(low)).code == "low"
    assert len(lago.customers.wallets.alerts.find_all("acme", wallet.code)["alerts"]) == 1
    lago.customers.wallets.alerts.destroy_all("acme", wallet.code)
    return str(wallet.lago_id)


def _subscription(lago: Client) -> None:
    made = lago.subscriptions.create(
        Subscription(external_customer_id="acme", external_id="acme-pro", plan_code="pro", billing_time="anniversary")
    )
    assert (made.status, made.plan_code) == ("active", "pro")
    assert lago.subscriptions.update(Subscription(name="Acme Pro"), "acme-pro").name == "Acme Pro"
    assert lago.subscriptions.find("acme-pro").lago_id == made.lago_id
    listed = lago.subscriptions.find_all({"external_customer_id": "acme", "status[]": ["active", "pending"]})
    assert listed["meta"]["total_count"] == 1
    spend = {"alert_type": "current_usage_amount", "code": "spend", "thresholds": [{"value": "100000"}]}
    alerts = lago.subscriptions.create_alerts("acme-pro", AlertsList.parse_obj({"alerts": [spend]}))
    assert [alert.code for alert in alerts["alerts"]] == ["spend"]
    lago.subscriptions.delete_alerts("acme-pro")
    assert lago.subscriptions.update_lifetime_usage("acme-pro", 100).external_historical_usage_amount_cents == 100
    assert lago.subscriptions.lifetime_usage("acme-pro").external_historical_usage_amount_cents == 100


def _usage(lago: Client) -> None:
    sent = {"external_subscription_id": "acme-pro", "code": "calls"}
    event = models.Event.parse_obj({**sent, "transaction_id": "1", "properties": {"units": 4, "region": "eu"}})
    assert lago.events.create(event).transaction_id == "1"
    with refused(422, "value_already_exist"):  # a repeat counts for nothing
        lago.events.create(event)
    batch = [
        {**sent, "transaction_id": "2", "properties": {"units": "2", "region": "us"}},
        {**sent, "transaction_id": "3", "properties": {"units": 6}},
    ]
    lago.events.batch_create(models.BatchEvent.parse_obj({"events": batch}))
    assert lago.events.find("2").properties == {"units": "2", "region": "us"}
    current = lago.customers.current_usage("acme", "acme-pro")
    # (4 + 6) × 0.25 + 2 × 0.50 = 3.50
    assert (current.amount_cents, current.currency) == (350, "EUR")
    assert lago.customers.projected_usage("acme", "acme-pro").amount_cents == 350
    assert lago.customers.past_usage("acme", "acme-pro")["usage_periods"] == []
    with refused(422, "does_not_match_an_instant_charge"):
        lago.events.estimate_fees(models.Event.parse_obj({**sent, "transaction_id": "4", "properties": {"units": 1}}))


def _own_terms(lago: Client) -> None:
    own = lago.subscription_charges.update(
        "acme-pro", "calls", models.Charge.parse_obj({"properties": {"amount": "0.2"}})
    )
    assert own.properties["amount"] == "0.2"
    assert lago.subscription_charges.find("acme-pro", "calls").lago_id == own.lago_id
    assert len(lago.subscriptions.find_all_charge_filters("acme-pro", "calls")["filters"]) == 1
    seats = lago.subscription_fixed_charges.update("acme-pro", "seats", models.FixedCharge(units=3))
    assert Decimal(str(seats.units)) == 3


def _invoice(lago: Client) -> None:
    (listed,) = lago.invoices.find_all({"external_customer_id": "acme", "invoice_type": "subscription"})["invoices"]
    invoice = lago.invoices.find(listed.lago_id)
    # 10.00 − 4.00 of the coupon = 6.00, and 20 %: 7.20; 5.00 of it from the wallet, 2.20 are due.
    found = (invoice.fees_amount_cents, invoice.coupons_amount_cents, invoice.taxes_amount_cents)
    assert found == (1000, 400, 120)
    assert (invoice.prepaid_credit_amount_cents, invoice.total_amount_cents) == (500, 220)
    assert [credit.before_taxes for credit in invoice.credits.__root__] == [True]
    noted = models.Invoice.parse_obj({"metadata": [{"key": "po", "value": "7"}]})
    assert lago.invoices.update(noted, invoice.lago_id).lago_id == invoice.lago_id
    lago.invoices.download(invoice.lago_id)
    with refused(422, "no_linked_payment_provider"):
        lago.invoices.payment_url(invoice.lago_id)
    payment = lago.payments.create(Payment(invoice_id=invoice.lago_id, amount_cents=220, reference="wire 1"))
    assert (payment.payment_status, payment.invoice_ids) == ("succeeded", [invoice.lago_id])
    assert lago.invoices.find(invoice.lago_id).payment_status == "succeeded"
    assert lago.payments.find(payment.lago_id).amount_cents == 220
    assert lago.payments.find_all({"invoice_id": invoice.lago_id})["meta"]["total_count"] == 1
    for receipt in lago.payment_receipts.find_all({"invoice_id": invoice.lago_id})["payment_receipts"]:
        assert lago.payment_receipts.find(receipt.lago_id).payment.lago_id == payment.lago_id


def _one_off(lago: Client) -> None:
    sale = {
        "external_customer_id": "acme",
        "currency": "EUR",
        "fees": [{"add_on_code": "setup", "units": 2, "unit_amount_cents": 4000, "description": "Two days"}],
    }
    invoice = lago.invoices.create(models.OneOffInvoice.parse_obj(sale))
    assert (invoice.invoice_type, invoice.total_amount_cents) == ("one_off", 9600)  # 2 × 40.00 and 20 %
    assert lago.invoices.void(lago.invoices.create(models.OneOffInvoice.parse_obj(sale)).lago_id).status == "voided"
    with refused(405, "invoices_not_overdue"):
        lago.payment_requests.create(
            PaymentRequest(email="ap@acme.example", external_customer_id="acme", lago_invoice_ids=[invoice.lago_id])
        )
    assert lago.payment_requests.find_all()["meta"]["total_count"] == 0
    lago.payments.create(Payment(invoice_id=invoice.lago_id, amount_cents=9600, reference="wire 2"))
    (fee,) = [
        row for row in lago.fees.find_all({"fee_type": "add_on"})["fees"] if row.lago_invoice_id == invoice.lago_id
    ]
    assert lago.fees.find(fee.lago_id).amount_cents == 8000
    asked = {"invoice_id": invoice.lago_id, "items": [{"fee_id": fee.lago_id, "amount_cents": 1000}]}
    estimate = lago.credit_notes.estimate(models.CreditNoteEstimate.parse_obj(asked))
    assert estimate.max_creditable_amount_cents == 1200  # 10.00 and its 20 %
    given = {**asked, "reason": "other", "credit_amount_cents": 1200, "refund_amount_cents": 0}
    note = lago.credit_notes.create(models.CreditNote.parse_obj(given))
    assert (note.total_amount_cents, note.balance_amount_cents) == (1200, 1200)
    assert lago.credit_notes.merge_metadata(note.lago_id, {"a": "1"}) == {"a": "1"}
    assert lago.credit_notes.find_all({"external_customer_id": "acme"})["meta"]["total_count"] == 1
    assert lago.credit_notes.void(note.lago_id).credit_status == "voided"
    preview = {"customer": {"external_id": "acme"}, "plan_code": "pro", "billing_time": "anniversary"}
    assert lago.invoices.preview(models.InvoicePreview.parse_obj(preview)).fees_amount_cents == 1000
    assert lago.invoices.lose_dispute(invoice.lago_id).payment_dispute_lost_at is not None


def _hooks_and_figures(lago: Client) -> None:
    hook = lago.webhook_endpoints.create(
        WebhookEndpoint(webhook_url="https://example.com/hooks", signature_algo="hmac")
    )
    moved = lago.webhook_endpoints.update(WebhookEndpoint(webhook_url="https://example.com/2"), hook.lago_id)
    assert (moved.webhook_url, moved.signature_algo) == ("https://example.com/2", "hmac")
    assert lago.webhook_endpoints.find_all()["meta"]["total_count"] == 1
    lago.webhook_endpoints.destroy(hook.lago_id)
    assert lago.webhooks.public_key().startswith(b"-----BEGIN PUBLIC KEY-----")
    assert base64.b64encode(lago.webhooks.public_key())
    (gross,) = lago.gross_revenues.find_all({"currency": "EUR"})["gross_revenues"]
    assert (gross.currency, gross.invoices_count) == ("EUR", 2)  # the voided one does not count
    (mrr,) = lago.mrrs.find_all({"currency": "EUR"})["mrrs"]
    assert mrr.currency == "EUR"
    assert lago.overdue_balances.find_all({"currency": "EUR"})["overdue_balances"] == []
    assert lago.invoice_collections.find_all({"currency": "EUR"})["invoice_collections"]
    assert lago.invoiced_usages.find_all({"currency": "EUR"})["invoiced_usages"] == []
    lago.usages.find_all({"currency": "EUR"})
    assert lago.activity_logs.find_all()["activity_logs"]
    assert lago.api_logs.find_all()["api_logs"]
