"""Invoices over the API: shapes, filters, verbs, and as many queries for many as for a few."""

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from invoicing.services import invoices, payments
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient

NULLS = {
    "purchase_order_number",
    "payment_dispute_lost_at",
    "prepaid_granted_credit_amount_cents",
    "prepaid_purchased_credit_amount_cents",
    "file_url",
    "xml_url",
    "voided_at",
    "voided_invoice_id",
}


def test_an_invoice_with_everything(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "10.05", "0.50")

    answer = api.read(f"invoices/{invoice.uuid}")

    assert answer.status_code == 200
    content = answer.json()["invoice"]
    fees, customers = content.pop("fees"), content.pop("customer")
    tax = content.pop("applied_taxes")
    assert {name for name, value in content.items() if value is None} == NULLS
    assert {name: value for name, value in content.items() if name not in NULLS} == {
        "lago_id": str(invoice.uuid),
        "billing_entity_code": "acme",
        "sequential_id": 1,
        "number": "ACME-001-001",
        "issuing_date": "2026-05-01",
        "payment_due_date": "2026-05-15",
        "net_payment_term": 14,
        "invoice_type": "subscription",
        "status": "finalized",
        "payment_status": "pending",
        "payment_overdue": False,
        "currency": "EUR",
        "fees_amount_cents": 1055,
        "taxes_amount_cents": 200,
        "progressive_billing_credit_amount_cents": 0,
        "coupons_amount_cents": 0,
        "credit_notes_amount_cents": 0,
        "sub_total_excluding_taxes_amount_cents": 1055,
        "sub_total_including_taxes_amount_cents": 1255,
        "total_amount_cents": 1255,
        "total_due_amount_cents": 1255,
        "written_off_amount_cents": 0,
        "disputed_amount_cents": 0,
        "total_paid_amount_cents": 0,
        "total_offsetted_credit_note_amount_cents": 0,
        "prepaid_credit_amount_cents": 0,
        "web_url": f"http://testserver/admin/invoicing/invoice/{invoice.pk}/change/",
        "version_number": 4,
        "self_billed": False,
        "created_at": "2026-05-01T00:10:00Z",
        "updated_at": "2026-05-01T00:10:00Z",
        "subscriptions": [],
        "billing_periods": [],
        "credits": [],
        "metadata": [],
        "error_details": [],
        "applied_usage_thresholds": [],
        "applied_invoice_custom_sections": [],
    }
    assert customers["external_id"] == "c1"
    assert [fee["amount_cents"] for fee in fees] == [1005, 50]
    row = invoice.applied_taxes.get()
    assert tax == [
        {
            "lago_id": str(row.uuid),
            "lago_invoice_id": str(invoice.uuid),
            "lago_tax_id": str(row.tax.uuid),
            "tax_name": "VAT",
            "tax_code": "vat19",
            "tax_rate": 19.0,
            "tax_description": None,
            "fees_amount_cents": 1055,
            "amount_cents": 200,
            "amount_currency": "EUR",
            "created_at": "2026-05-01T00:10:00Z",
        }
    ]


def test_a_draft_shows_its_prefix(api: ApiClient, customer: Customer) -> None:
    draft = make.draft(customer, "1.00").invoice

    content = api.read(f"invoices/{draft.uuid}").json()["invoice"]

    assert (content["number"], content["status"], content["sequential_id"]) == ("ACME-DRAFT", "draft", None)


@pytest.mark.parametrize("lago_id", ["x", str(uuid.UUID(int=7)), "%00", "00000000-0000-0000-0000-00000000000g"])
@pytest.mark.parametrize(
    ("method", "verb"), [("get", ""), ("put", ""), ("delete", ""), ("put", "/finalize"), ("post", "/download")]
)
def test_an_unknown_invoice(api: ApiClient, lago_id: str, method: str, verb: str) -> None:
    body = {"invoice": {"payment_status": "succeeded"}} if (method, verb) == ("put", "") else None

    answer = api.call(method, f"invoices/{lago_id}{verb}", body)

    assert answer.status_code == 404
    assert answer.json()["code"] in {"invoice_not_found", "resource_not_found"}


def test_a_key_is_needed(customer: Customer) -> None:
    stranger = ApiClient("no such key")
    invoice = make.issue(customer, "1.00")

    for path in ("invoices", f"invoices/{invoice.uuid}", "payments", "fees", "customers/c1/invoices"):
        assert stranger.read(path).status_code == 401
    assert stranger.call("put", f"invoices/{invoice.uuid}/finalize").json() == {"status": 401, "error": "Unauthorized"}


@pytest.fixture
def many(entity: BillingEntity, customer: Customer) -> dict[str, Invoice]:
    """Invoices that differ in everything that can be filtered."""
    usa = make.make_entity("usa")
    yen = make.make_customer(usa, "kyoto", name="Kyoto Trading", email="ap@kyoto.test")
    found = {
        "old": make.issue(customer, "10.00", billed_at=make.AT - timedelta(days=60)),
        "part": make.issue(customer, "100.00", purchase_order_number="PO-7"),
        "paid": make.issue(customer, "20.00"),
        "draft": make.draft(customer, "30.00").invoice,
        "yen": make.issue(yen, "5000", currency="JPY"),
        "nothing": make.issue(yen, "0.00"),
    }
    record(found["part"], "19.00")
    record(found["paid"], "23.80")
    Invoice.objects.filter(pk=found["old"].pk).update(payment_overdue=True)
    invoices.update(
        invoice_id=found["yen"].pk,
        notes=[invoices.Note("team", "blue")],
        actor=make.ACTOR,
        at=make.AT,
    )
    closed = make.make_customer(usa, "quiet", finalize_zero_amount_invoice="skip")
    make.issue(closed, "0.00")
    voided = make.draft(customer, "9.00").invoice
    invoices.void_draft(invoice_id=voided.pk, reason="", actor=make.ACTOR, at=make.AT)
    return found


def record(invoice: Invoice, amount: str) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=Money(amount, invoice.currency),
        reference="",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, {"old", "part", "paid", "draft", "yen", "nothing"}),
        ({"external_customer_id": "kyoto"}, {"yen", "nothing"}),
        ({"external_customer_id": "nobody"}, set()),
        ({"status": "draft"}, {"draft"}),
        ({"status[]": ["draft", "voided"]}, {"draft"}),
        ({"statuses[]": ["draft"]}, {"draft"}),
        ({"payment_status": "succeeded"}, {"paid", "nothing"}),
        (
            {"payment_status[]": ["succeeded", "pending"], "status": "finalized"},
            {"old", "part", "paid", "yen", "nothing"},
        ),
        ({"currency": "JPY"}, {"yen"}),
        ({"billing_entity_codes[]": ["usa"]}, {"yen", "nothing"}),
        ({"issuing_date_from": "2026-05-01"}, {"part", "paid", "draft", "yen", "nothing"}),
        ({"issuing_date_to": "2026-04-30"}, {"old"}),
        ({"amount_from": "5000"}, {"part", "yen"}),  # 50.00 euros, 5000 yen
        ({"amount_to": "1190"}, {"old", "nothing"}),
        ({"amount_from": "2380", "amount_to": "3570"}, {"paid", "draft"}),
        ({"payment_overdue": "true"}, {"old"}),
        ({"partially_paid": "true"}, {"part"}),
        ({"purchase_order_number": "PO-7"}, {"part"}),
        ({"search_term": "kyoto trad"}, {"yen", "nothing"}),
        ({"search_term": "ACME-001-002"}, {"part"}),
        ({"metadata[team]": "blue"}, {"yen"}),
        ({"metadata[team]": "red"}, set()),
        ({"metadata[team]": ""}, {"part", "paid", "draft", "old", "nothing"}),
        ({"invoice_type": "subscription", "currency": "JPY"}, {"yen"}),
        ({"invoice_type": "credit"}, set()),
        ({"self_billed": "true"}, set()),
        ({"payment_dispute_lost": "true"}, set()),
    ],
)
def test_lists_are_narrowed(api: ApiClient, many: dict[str, Invoice], filters: dict[str, Any], names: set[str]) -> None:
    answer = api.read("invoices", **filters)

    assert answer.status_code == 200
    by_id = {str(invoice.uuid): name for name, invoice in many.items()}
    assert {by_id[row["lago_id"]] for row in answer.json()["invoices"]} == names
    assert answer.json()["meta"]["total_count"] == len(names)


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"status": "nonsense"}, "status"),
        ({"payment_status[]": "nonsense"}, "payment_status"),
        ({"issuing_date_from": "yesterday"}, "issuing_date_from"),
        ({"amount_from": "1.5"}, "amount_from"),
        ({"amount_to": "9" * 30}, "amount_to"),
        ({"payment_overdue": "maybe"}, "payment_overdue"),
        ({"invoice_type": "nonsense"}, "invoice_type"),
        ({f"metadata[{key}]": "x" for key in "abcdef"}, "metadata"),
    ],
)
def test_filters_that_cannot_be_read_are_refused(api: ApiClient, filters: dict[str, str], field: str) -> None:
    answer = api.read("invoices", **filters)

    assert (answer.status_code, list(answer.json()["error_details"])) == (422, [field])


def test_lists_show_customer_notes_and_taxes_newest_first(api: ApiClient, many: dict[str, Invoice]) -> None:
    rows = api.read("invoices", per_page=2, page=1).json()

    assert rows["meta"] == {
        "current_page": 1,
        "next_page": 2,
        "prev_page": None,
        "total_pages": 3,
        "total_count": 6,
    }
    first = rows["invoices"][0]
    assert first["lago_id"] == str(many["nothing"].uuid)
    assert set(first) >= {"customer", "metadata", "applied_taxes"}
    assert not {"fees", "subscriptions", "credits"} & set(first)
    yen = api.read("invoices", currency="JPY").json()["invoices"][0]
    assert yen["customer"]["external_id"] == "kyoto"
    assert [(note["key"], note["value"]) for note in yen["metadata"]] == [("team", "blue")]
    last = api.read("invoices", per_page=1, page=6).json()["invoices"][0]
    assert date.fromisoformat(last["issuing_date"]) == date(2026, 3, 2)


def test_the_invoices_of_a_customer(api: ApiClient, many: dict[str, Invoice]) -> None:
    rows = api.read("customers/kyoto/invoices", status="finalized").json()

    assert {row["lago_id"] for row in rows["invoices"]} == {str(many["yen"].uuid), str(many["nothing"].uuid)}
    missing = api.read("customers/nobody/invoices")
    assert (missing.status_code, missing.json()["code"]) == (404, "customer_not_found")


@pytest.mark.parametrize("path", ["invoices", "payments", "fees"])
def test_a_long_list_takes_as_many_queries_as_a_short_one(api: ApiClient, entity: BillingEntity, path: str) -> None:
    for number in range(9):
        record(make.issue(make.make_customer(entity, f"c{number}"), "1.00", "2.00"), "1.00")

    def queries(size: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(api.read(path, per_page=size).json()[path]) == size
        return len(captured)

    queries(2)
    assert queries(9) == queries(2) <= 14


def test_one_invoice_of_many_lines_takes_as_many_queries_as_of_few(api: ApiClient, customer: Customer) -> None:
    few, lots = make.issue(customer, "1.00"), make.issue(customer, *["1.00"] * 30)

    def queries(invoice: Invoice) -> int:
        with CaptureQueriesContext(connection) as captured:
            api.read(f"invoices/{invoice.uuid}")
        return len(captured)

    queries(few)
    assert queries(lots) == queries(few) <= 20
