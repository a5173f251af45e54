"""The ledger over the API: read from all sides, asked as known on a moment, exported."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from invoicing.models import Invoice, JournalExport, LedgerEntry
from invoicing.services import statement_files
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


@pytest.fixture
def invoice(customer: Customer) -> Invoice:
    return make.issue(customer, "100.00")


def test_accounts_entries_and_balances(api: ApiClient, invoice: Invoice) -> None:
    accounts = api.read("ledger/accounts").json()["accounts"]
    assert accounts[0] == {
        "code": "1000",
        "name": "Cash",
        "type": "asset",
        "role": "cash",
        "active": True,
        "billing_entity_code": "acme",
    }
    (entry,) = api.read(f"ledger/entries?invoice_id={invoice.uuid}&account_code=1200").json()["entries"]
    assert (entry["fact"], entry["external_customer_id"], entry["accounting_date"]) == (
        "invoice_finalized",
        "c1",
        "2026-05-01",
    )
    assert entry["postings"][0] == {
        "account_code": "1200",
        "account_name": "Receivables",
        "currency": "EUR",
        "debit_cents": 11900,
        "credit_cents": 0,
        "lago_invoice_id": str(invoice.uuid),
    }
    for nothing in ("fact=refund_paid", "invoice_id=x", "account_code=9", "to_date=2026-04-30"):
        assert api.read(f"ledger/entries?{nothing}").json()["entries"] == []
    assert api.read("ledger/entries?external_customer_id=c2").status_code == 404
    rows = api.read("ledger/trial_balance?billing_entity_code=acme&from_date=2026-05-01&to_date=2026-05-31").json()[
        "trial_balance"
    ]
    assert [(row["code"], row["opening_cents"], row["closing_cents"]) for row in rows] == [
        ("1200", 0, 11900),
        ("2200", 0, -1900),
        ("4000", 0, -10000),
    ]
    assert api.read("ledger/trial_balance?billing_entity_code=acme&known_on=2026-04-30").json()["trial_balance"] == []


def test_statements_ageing_and_revenue(api: ApiClient, invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    statement = api.read("ledger/accounts/1200/statement?billing_entity_code=acme&per_page=1").json()["statement"]
    assert (statement["closing_cents"], len(statement["lines"]), statement["next_after"]) == (11900, 1, None)
    assert statement["lines"][0]["external_customer_id"] == "c1"
    (account,) = api.read("customers/c1/statement?from_date=2026-05-01").json()["statement"]["accounts"]
    assert (account["opening_cents"], account["closing_cents"], account["ages"]["0"]) == (0, 11900, 11900)
    assert [item["amount_cents"] for item in account["open_items"]] == [11900]
    assert api.read("ledger/ageing?date=2026-12-31").json()["ageing"]["currencies"]["EUR"][">90"] == 11900
    assert api.read("ledger/revenue").json()["months"] == [
        {
            "month": "2026-05-01",
            "currency": "EUR",
            "revenue_cents": 10000,
            "promotion_cents": 0,
            "tax_cents": 1900,
            "received_cents": 0,
        }
    ]
    rows = list(csv.DictReader(io.StringIO(api.read("customers/c1/statement.csv").content.decode(), newline="")))
    assert [(row["kind"], row["amount"], row["balance"]) for row in rows] == [
        ("opening", "", "0.00"),
        ("movement", "119.00", "119.00"),
        ("closing", "", "119.00"),
        ("open_item", "119.00", ""),
    ]
    pages: list[str] = []
    monkeypatch.setattr(statement_files.document_pdf, "write", lambda *, html: pages.append(html) or b"%PDF-")
    assert api.read("customers/c1/statement.pdf").content == b"%PDF-"
    assert "Statement of account" in pages[0]
    assert pages[0].count("€119.00") == 5  # the movement and its balance, the closing, the open item and its age


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("ledger/accounts/9999/statement", 404),
        ("ledger/accounts/1200/statement?billing_entity_code=acme&after=x", 422),
        ("ledger/accounts/1200/statement?billing_entity_code=acme&currency=XXX", 422),
        ("ledger/trial_balance?billing_entity_code=nobody", 404),
        ("ledger/trial_balance?from_date=2026-05-02&to_date=2026-05-01", 422),
        ("ledger/trial_balance?from_date=yesterday", 422),
        ("ledger/trial_balance?billing_entity_code=acme&known_on=2999-01-01", 422),
        ("ledger/ageing?date=x", 422),
        ("customers/nobody/statement", 404),
        ("ledger/exports/x", 404),
        ("ledger/exports/x/csv", 404),
    ],
)
def test_what_is_refused(api: ApiClient, invoice: Invoice, address: str, status: int) -> None:
    assert api.read(address).status_code == status


def test_an_export_is_made_once_and_fetched_often(api: ApiClient, invoice: Invoice) -> None:
    body: dict[str, Any] = {"export": {"billing_entity_code": "acme", "to_date": "2026-05-01"}}
    made = api.call("post", "ledger/exports", body).json()["export"]
    assert api.call("post", "ledger/exports", body).json()["export"] == made
    assert (made["number"], made["entries_count"], made["totals"]["EUR"]["debit"]) == (1, 1, "119.0000")
    assert api.read(f"ledger/exports/{made['lago_id']}").json()["export"] == made
    assert api.read("ledger/exports?billing_entity_code=acme").json()["exports"] == [made]
    for kind in ("csv", "json"):
        answer = api.read(f"ledger/exports/{made['lago_id']}/{kind}")
        assert hashlib.sha256(b"".join(answer.streaming_content)).hexdigest() == made[f"{kind}_sha256"]
        assert answer["Content-Disposition"] == f'attachment; filename="journal-acme-0001.{kind}"'
    for wrong, status in (
        ({"billing_entity_code": "acme"}, 422),
        ({"billing_entity_code": "acme", "to_date": None}, 409),
        ({"billing_entity_code": "acme", "to_date": "2026-04-30"}, 422),
        ({"billing_entity_code": "acme", "to_date": "2999-01-01"}, 422),
        ({"billing_entity_code": "acme", "to_date": "x"}, 422),
        ({"billing_entity_code": "nobody", "to_date": None}, 404),
        ({"to_date": "2026-05-01"}, 422),
    ):
        assert api.call("post", "ledger/exports", {"export": wrong}).status_code == status, wrong
    assert JournalExport.objects.count() == 1


def test_a_page_of_entries_costs_the_same_however_many(api: ApiClient, customer: Customer) -> None:
    counts = []
    api.read("ledger/entries")
    for _ in range(2):
        make.issue(customer, "1.00")
        with CaptureQueriesContext(connection) as captured:
            api.read("ledger/entries")
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 10
    assert LedgerEntry.objects.count() == 2
