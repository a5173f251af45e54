"""What webhooks say of documents and money is what the API answers, and many cost as many statements as few."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from config.platform.api import rendering
from config.urls import urlpatterns
from customers.models import BillingEntity, Customer, CustomerMetadata, InvoiceCustomSection
from invoicing.api import credit_note_shapes, invoice_shapes, wallet_shapes, webhook_payloads
from invoicing.models import CreditNote, Invoice, Payment, Wallet, WalletTransaction
from invoicing.queries import credit_notes as known_credit_notes
from invoicing.queries import invoices as known_invoices
from invoicing.queries import wallets as known_wallets
from invoicing.services import credit_notes
from tests.factories import invoicing as make
from tests.factories import wallets as purses
from tests.factories.platform import ApiClient


def rendered(content: Any) -> Any:
    """Return a payload as it travels, with the addresses that the test client sees."""
    text = json.dumps(content, cls=DjangoJSONEncoder)
    return json.loads(text.replace(settings.PUBLIC_URL, "http://testserver"))


@pytest.fixture
def business(entity: BillingEntity) -> dict[str, Any]:
    """Invoices with everything on them: notes, sections, taxes, credits of notes and wallets, payments; and a draft."""
    customer = make.make_customer(entity, currency="EUR", taxes=[make.make_tax("own", "0.1")])
    CustomerMetadata.objects.create(customer=customer, key="crm", value="7", created_at=make.AT)
    section = InvoiceCustomSection.objects.create(code="s", name="S", details="Text", created_at=make.AT)
    first = make.issue(customer, "100.00", "20.00", custom_section_ids=(section.pk,))
    credit_notes.create(
        invoice_id=first.pk,
        amounts={first.lines.first().pk: Money("10.00", "EUR")},  # type: ignore[union-attr]
        reason="other",
        metadata={"a": "b"},
        actor=make.ACTOR,
        at=make.AT,
    )
    wallet = purses.make_wallet(customer, code="main", metadata={"c": "d"})
    purses.give(wallet, "5")
    second = make.issue(customer, "30.00")  # lowered by the note and the wallet
    purses.pay(first)
    draft = make.draft(customer, "7.00").invoice
    assert urlpatterns  # with them come all shapes
    return {"invoices": [first, second, draft], "customer": customer}


def test_payloads_are_what_the_api_answers(api: ApiClient, business: dict[str, Any]) -> None:
    found: list[Invoice] = business["invoices"]
    answers = [api.call("get", f"invoices/{one.uuid}").json()["invoice"] for one in found]
    told = [rendered(content) for content in webhook_payloads.invoices(found)]
    assert told == answers
    assert (len(answers[0]["fees"]), answers[1]["prepaid_granted_credit_amount_cents"]) == (2, 500)
    assert [row["item"]["type"] for row in answers[1]["credits"]] == ["credit_note"]
    assert answers[0]["applied_invoice_custom_sections"][0]["details"] == "Text"

    listed = {row["lago_id"]: row for row in api.call("get", "invoices").json()["invoices"]}
    for one, paid in zip(found, webhook_payloads.paid_invoices(found), strict=True):
        content = rendered(paid)
        assert content.pop("fees") == answers[found.index(one)]["fees"]
        assert content == listed[str(one.uuid)]


@pytest.mark.parametrize(
    ("model", "payload", "path", "key"),
    [
        (CreditNote, webhook_payloads.credit_notes, "credit_notes", "credit_note"),
        (Wallet, webhook_payloads.wallets, "wallets", "wallet"),
        (WalletTransaction, webhook_payloads.wallet_transactions, "wallet_transactions", "wallet_transaction"),
        (Payment, webhook_payloads.payments, "payments", "payment"),
    ],
)
def test_other_payloads_too(
    api: ApiClient, business: dict[str, Any], model: Any, payload: Any, path: str, key: str
) -> None:
    rows = list(model.objects.order_by("pk"))
    assert rows
    for row, content in zip(rows, payload(rows), strict=True):
        told = rendered(content)
        answer = api.call("get", f"{path}/{row.uuid}").json()[key]
        if model is WalletTransaction:
            assert told.pop("wallet") == api.call("get", f"wallets/{row.wallet.uuid}").json()["wallet"]
        assert told == answer


def test_fast_rendering_is_what_the_serializers_say(business: dict[str, Any]) -> None:
    context: Any = {"request": webhook_payloads.SITE}
    cases: list[tuple[Any, Any]] = [
        (invoice_shapes.InvoiceDetails, known_invoices.with_everything(Invoice.objects.all())),
        (credit_note_shapes.CreditNoteShape, known_credit_notes.with_everything(CreditNote.objects.all())),
        (wallet_shapes.WalletShape, known_wallets.listed()),
        (wallet_shapes.TransactionShape, known_wallets.transactions()),
    ]
    for shape, rows in cases:
        expected = shape(list(rows), many=True, context=context).data
        assert expected
        assert rendering.render(shape, list(rows), context=context) == [dict(row) for row in expected]
    assert rendering.render(invoice_shapes.InvoiceDetails, [], context=context) == []


@pytest.mark.parametrize("payload", [webhook_payloads.invoices, webhook_payloads.paid_invoices])
def test_fifty_cost_as_many_statements_as_five(business: dict[str, Any], payload: Any) -> None:
    customers: list[Customer] = [business["customer"]]
    customers += [make.make_customer(customers[0].billing_entity, f"n{number}") for number in range(9)]
    for _ in range(5):
        for customer in customers:
            make.draft(customer, "1.00") if customer.pk % 2 else make.issue(customer, "1.00", "2.00")
    every = list(Invoice.objects.order_by("-pk"))

    def statements(rows: list[Invoice]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(payload(rows)) == len(rows)
        return len(captured)

    assert len(every) >= 50
    assert statements(every) == statements([*every[:4], every[-2]])  # the last one drew on a wallet


def test_amounts_of_transactions_are_texts(business: dict[str, Any]) -> None:
    (given,) = WalletTransaction.objects.filter(transaction_status="granted")
    (content,) = webhook_payloads.wallet_transactions([given])
    assert (content["credit_amount"], Decimal(content["amount"])) == ("5.0", Decimal(5))
