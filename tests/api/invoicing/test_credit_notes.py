"""Credit notes through the API: shapes, estimates, verbs, filters, refusals, and what an invoice shows of a credit."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from customers.models import Customer
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.services import payments
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


@pytest.fixture
def invoice(customer: Customer) -> Invoice:
    """Two lines of 68.33 at 19 %: 162.63."""
    return make.issue(customer, "68.33", "68.33")


def fee(invoice: Invoice, position: int = 1) -> str:
    return str(InvoiceLine.objects.get(invoice=invoice, position=position).uuid)


def body(invoice: Invoice, cents: int = 6833, **values: Any) -> dict[str, Any]:
    items = [{"fee_id": fee(invoice), "amount_cents": cents}]
    return {"credit_note": {"invoice_id": str(invoice.uuid), "items": items, **values}}


def create(api: ApiClient, invoice: Invoice, cents: int = 6833, **values: Any) -> dict[str, Any]:
    response = api.call("post", "credit_notes", body(invoice, cents, **values))
    assert response.status_code == 200, response.json()
    return response.json()["credit_note"]


def test_a_credit_note_has_its_shape(api: ApiClient, invoice: Invoice) -> None:
    shown = create(api, invoice, reason="duplicated_charge", description="Twice", metadata={"ticket": "42"})

    note = CreditNote.objects.get()
    item, tax = shown["items"][0], shown["applied_taxes"][0]
    assert item["fee"]["lago_id"] == fee(invoice)
    assert (item["amount_cents"], item["precise_amount_cents"], item["amount_currency"]) == (6833, "6833.0", "EUR")
    assert (tax["tax_rate"], tax["base_amount_cents"], tax["amount_cents"]) == (19.0, 6833, 1298)
    assert shown["customer"]["external_id"] == "c1"
    assert {key: value for key, value in shown.items() if key not in {"items", "applied_taxes", "customer"}} == {
        "lago_id": str(note.uuid),
        "billing_entity_code": "acme",
        "sequential_id": 1,
        "number": "ACME-001-001-CN001",
        "lago_invoice_id": str(invoice.uuid),
        "invoice_number": "ACME-001-001",
        "purchase_order_number": None,
        "issuing_date": "2026-05-01",
        "credit_status": "available",
        "refund_status": None,
        "reason": "duplicated_charge",
        "description": "Twice",
        "currency": "EUR",
        "total_amount_cents": 8131,  # 6833 + 1298.27
        "precise_total_amount_cents": "8131.27",
        "taxes_amount_cents": 1298,
        "precise_taxes_amount_cents": "1298.27",
        "sub_total_excluding_taxes_amount_cents": 6833,
        "balance_amount_cents": 8131,
        "credit_amount_cents": 8131,
        "refund_amount_cents": 0,
        "offset_amount_cents": 0,
        "coupons_adjustment_amount_cents": 0,
        "taxes_rate": 19.0,
        "created_at": "2026-05-01T00:10:00Z",
        "updated_at": "2026-05-01T00:10:00Z",
        "file_url": None,
        "xml_url": None,
        "self_billed": False,
        "error_details": [],
        "metadata": {"ticket": "42"},
    }
    assert api.read(f"credit_notes/{shown['lago_id']}").json()["credit_note"] == shown
    assert api.read("customers/c1/credit_notes").json()["credit_notes"] == [shown]


def test_an_estimate_says_what_it_would_come_to(api: ApiClient, invoice: Invoice) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=Money("5.00", "EUR"),
        reference="",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )

    shown = api.call("post", "credit_notes/estimate", body(invoice)).json()["estimated_credit_note"]

    (tax,) = shown.pop("applied_taxes")
    assert (tax["tax_code"], tax["tax_rate"], tax["base_amount_cents"], tax["amount_cents"]) == (
        "vat19",
        19.0,
        6833,
        1298,
    )
    assert shown == {
        "lago_invoice_id": str(invoice.uuid),
        "invoice_number": "ACME-001-001",
        "currency": "EUR",
        "taxes_amount_cents": 1298,
        "precise_taxes_amount_cents": "1298.27",
        "sub_total_excluding_taxes_amount_cents": 6833,
        "max_creditable_amount_cents": 8131,
        "max_refundable_amount_cents": 500,
        "max_offsettable_amount_cents": 8131,
        "coupons_adjustment_amount_cents": 0,
        "precise_coupons_adjustment_amount_cents": "0.0",
        "taxes_rate": 19.0,
        "items": [{"lago_fee_id": fee(invoice), "amount_cents": 6833}],
    }
    assert not CreditNote.objects.exists()


def test_an_invoice_shows_the_credits_it_used(api: ApiClient, invoice: Invoice, customer: Customer) -> None:
    note = create(api, invoice, 1000)  # 11.90
    later = make.issue(customer, "50.00")  # 59.50

    shown = api.read(f"invoices/{later.uuid}").json()["invoice"]

    assert {key: shown[key] for key in shown if key.endswith("_amount_cents")}["credit_notes_amount_cents"] == 1190
    assert (shown["sub_total_including_taxes_amount_cents"], shown["total_amount_cents"]) == (5950, 4760)
    assert shown["total_due_amount_cents"] == 4760
    (used,) = shown["credits"]
    assert (used["amount_cents"], used["before_taxes"]) == (1190, False)
    assert used["item"] == {
        "lago_item_id": note["lago_id"],
        "type": "credit_note",
        "code": "ACME-001-001-CN001",
        "name": "ACME-001-001",
        "description": None,
    }
    assert used["invoice"] == {"lago_id": str(later.uuid), "payment_status": "pending"}
    assert api.read(f"credit_notes/{note['lago_id']}").json()["credit_note"]["credit_status"] == "consumed"


def test_an_offset_lowers_what_is_due(api: ApiClient, invoice: Invoice) -> None:
    create(api, invoice, offset_amount_cents=8131)

    shown = api.read(f"invoices/{invoice.uuid}").json()["invoice"]

    assert (shown["total_amount_cents"], shown["total_offsetted_credit_note_amount_cents"]) == (16263, 8131)
    assert (shown["total_due_amount_cents"], shown["credit_notes_amount_cents"]) == (8132, 0)


def test_refunds_and_notes_are_told(api: ApiClient, invoice: Invoice) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=Money("162.63", "EUR"),
        reference="",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )
    note = create(api, invoice, refund_amount_cents=8131, credit_amount_cents=0, metadata={"a": "1"})
    assert (note["refund_status"], note["credit_status"]) == ("pending", None)

    told = api.call(
        "put",
        f"credit_notes/{note['lago_id']}",
        {"credit_note": {"refund_status": "succeeded", "metadata": {"b": "2"}}},
    )

    assert told.json()["credit_note"]["refund_status"] == "succeeded"
    assert told.json()["credit_note"]["metadata"] == {"a": "1", "b": "2"}
    late = api.call("put", f"credit_notes/{note['lago_id']}", {"credit_note": {"refund_status": "failed"}})
    assert (late.status_code, late.json()["code"]) == (405, "is_succeeded")


def test_a_credit_is_voided_once(api: ApiClient, invoice: Invoice) -> None:
    note = create(api, invoice)

    gone = api.call("put", f"credit_notes/{note['lago_id']}/void").json()["credit_note"]

    assert (gone["credit_status"], gone["balance_amount_cents"]) == ("voided", 0)
    again = api.call("put", f"credit_notes/{note['lago_id']}/void")
    assert (again.status_code, again.json()["code"]) == (405, "no_voidable_amount")


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"items": []}, {"items": ["value_is_mandatory"]}),
        ({"items": "x"}, {"items": ["must_be_an_array"]}),
        ({"reason": "whim"}, {"reason": ["value_is_invalid"]}),
        ({"credit_amount_cents": 8000}, {"base": ["does_not_match_item_amounts"]}),
        ({"credit_amount_cents": 0}, {"base": ["total_amount_must_be_positive"]}),
        ({"refund_amount_cents": 8131}, {"refund_amount_cents": ["cannot_refund_unpaid_invoice"]}),
        ({"offset_amount_cents": -1}, {"offset_amount_cents": ["value_is_out_of_range"]}),
    ],
)
def test_what_cannot_be_read_or_given_back(
    api: ApiClient, invoice: Invoice, change: dict[str, Any], details: dict[str, list[str]]
) -> None:
    content = body(invoice)
    content["credit_note"].update(change)

    response = api.call("post", "credit_notes", content)

    assert (response.status_code, response.json()["error_details"]) == (422, details)
    assert not CreditNote.objects.exists()


def test_items_are_refused(api: ApiClient, invoice: Invoice) -> None:
    other = make.issue(invoice.customer, "1.00")
    line = {"fee_id": fee(invoice), "amount_cents": 1}
    for items, code in [
        ([{"fee_id": fee(other), "amount_cents": 1}], "fee_not_found"),
        ([{"fee_id": "nonsense", "amount_cents": 1}], "fee_not_found"),
        ([line, line], "value_is_duplicated"),
    ]:
        response = api.call("post", "credit_notes", {"credit_note": {"invoice_id": str(invoice.uuid), "items": items}})
        assert (response.status_code, response.json()["error_details"]) == (422, {"items": [code]})
    response = api.call("post", "credit_notes", body(invoice, 6834))
    assert response.json()["error_details"] == {"amount_cents": ["higher_than_remaining_fee_amount"]}


def test_what_is_not_there_is_not_found(api: ApiClient, customer: Customer) -> None:
    assert api.read("credit_notes/nonsense").json()["code"] == "credit_note_not_found"
    assert api.call("put", "credit_notes/nonsense/void").status_code == 404
    assert api.read("customers/nobody/credit_notes").status_code == 404
    lost = api.call(
        "post", "credit_notes", {"credit_note": {"invoice_id": "x", "items": [{"fee_id": "y", "amount_cents": 1}]}}
    )
    assert (lost.status_code, lost.json()["code"]) == (404, "invoice_not_found")
    draft = make.draft(customer, "5.00").invoice
    refused = api.call("post", "credit_notes/estimate", body(draft, 1))
    assert (refused.status_code, refused.json()["code"]) == (405, "invalid_type_or_status")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("external_customer_id=c1", 2),
        ("external_customer_id=c2", 0),
        ("reason=order_change", 1),
        ("credit_status=available", 2),
        ("credit_status=voided", 0),
        ("refund_status=pending", 0),
        ("currency=EUR", 2),
        ("currency=USD", 0),
        ("invoice_number=ACME-001-001", 2),
        ("invoice_number=none", 0),
        ("issuing_date_from=2026-05-01&issuing_date_to=2026-05-01", 2),
        ("issuing_date_from=2026-05-02", 0),
        ("amount_from=120", 1),
        ("amount_to=119", 1),
        ("types[]=subscription", 2),
        ("types[]=one_off", 0),
        ("billing_entity_codes[]=acme", 2),
        ("search_term=CN002", 1),
        ("self_billed=true", 0),
        ("purchase_order_number=PO", 0),
    ],
)
def test_the_list_is_narrowed(api: ApiClient, invoice: Invoice, query: str, count: int) -> None:
    create(api, invoice, 100)  # 1.19
    create(api, invoice, 200, reason="order_change")  # 2.38

    found = api.read(f"credit_notes?{query}").json()

    assert (len(found["credit_notes"]), found["meta"]["total_count"]) == (count, count)


def test_a_list_costs_the_same_however_long_it_is(api: ApiClient, invoice: Invoice) -> None:
    create(api, invoice, 100)
    with CaptureQueriesContext(connection) as one:
        api.read("credit_notes")
    for _ in range(3):
        create(api, invoice, 100)
    with CaptureQueriesContext(connection) as four:
        found = api.read("credit_notes").json()

    assert len(found["credit_notes"]) == 4
    assert [note["sequential_id"] for note in found["credit_notes"]] == [4, 3, 2, 1]
    assert len(four) == len(one)
