"""One-off invoices over the API: the whole answer, repeats, and what is refused with which code."""

from typing import Any

import pytest
from moneyed import Money

from catalog.models import AddOn
from customers.models import Customer, InvoiceCustomSection
from invoicing.models import Invoice
from tests.factories.platform import ApiClient


@pytest.fixture
def add_on(db: None) -> AddOn:
    return AddOn.objects.create(code="setup", name="Set-up", currency="EUR", amount=Money("100.00", "EUR"))


def body(*fees: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"invoice": {"external_customer_id": "c1", "currency": "EUR", "fees": list(fees), **values}}


def test_the_answer_has_everything(api: ApiClient, customer: Customer, add_on: AddOn) -> None:
    fee = {
        "add_on_code": "setup",
        "units": "2.5",
        "unit_amount_cents": 1000,
        "invoice_display_name": "Set-up, half a day",
        "description": "On site",
        "from_datetime": "2026-04-01T00:00:00Z",
        "to_datetime": "2026-04-30T23:59:59Z",
    }
    answer = api.call("post", "invoices", body(fee, net_payment_term=7, purchase_order_number="PO 1", skip_psp=True))

    assert answer.status_code == 200, answer.json()
    invoice = answer.json()["invoice"]
    assert {
        "invoice_type": "one_off",
        "status": "finalized",
        "payment_status": "pending",
        "number": "ACME-001-001",
        "purchase_order_number": "PO 1",
        "net_payment_term": 7,
        "payment_due_date": "2026-05-08",
        "fees_amount_cents": 2500,
        "taxes_amount_cents": 475,
        "total_amount_cents": 2975,
        "subscriptions": [],
        "billing_periods": [],
    }.items() <= invoice.items()
    (shown,) = invoice["fees"]
    assert shown["item"] == {
        "type": "add_on",
        "code": "setup",
        "name": "Set-up",
        "description": "On site",
        "invoice_display_name": "Set-up, half a day",
        "filters": None,
        "filter_invoice_display_name": None,
        "lago_item_id": str(add_on.uuid),
        "item_type": "AddOn",
        "grouped_by": {},
    }
    assert {
        "units": "2.5",
        "precise_unit_amount": "10.0",
        "amount_cents": 2500,
        "taxes_amount_cents": 475,
        "from_date": "2026-04-01T00:00:00Z",
        "to_date": "2026-04-30T23:59:59Z",
        "external_subscription_id": None,
    }.items() <= shown.items()
    assert api.read(f"invoices/{invoice['lago_id']}").json()["invoice"]["fees"] == invoice["fees"]


def test_the_same_key_makes_one_invoice(api: ApiClient, customer: Customer, add_on: AddOn) -> None:
    content = body({"add_on_code": "setup"})

    first = api.call("post", "invoices", content, Idempotency_Key="k1")
    again = api.call("post", "invoices", content, Idempotency_Key="k1")

    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "status", "code", "details"),
    [
        (body(), 404, "fees_not_found", None),
        (body({"add_on_code": "gone"}), 404, "add_on_not_found", None),
        (body({"add_on_code": "setup"}, external_customer_id="gone"), 404, "customer_not_found", None),
        (body({"add_on_code": "setup", "tax_codes": ["gone"]}), 404, "tax_not_found", None),
        (body({"add_on_code": "setup"}, billing_entity_code="gone"), 404, "billing_entity_not_found", None),
        (
            body({"add_on_code": "setup"}, currency="XYZ"),
            422,
            "validation_errors",
            {"currency": ["invalid_currency"]},
        ),
        (
            body({"add_on_code": "setup", "units": "-1"}),
            422,
            "validation_errors",
            {"fees.0.units": ["value_is_out_of_range"]},
        ),
        (
            body({"add_on_code": "setup"}, currency="USD"),
            422,
            "validation_errors",
            {"fees.0.unit_amount_cents": ["currencies_does_not_match"]},
        ),
        (body({"add_on_code": "setup", "unit_amount_cents": -1}), 422, "validation_errors", None),
        (body({"add_on_code": "setup", "units": "many"}), 422, "validation_errors", None),
        (body({"units": "1"}), 422, "validation_errors", None),
        (body("setup"), 422, "validation_errors", None),  # type: ignore[arg-type]
        (body({"add_on_code": "setup"}, payment_method={"payment_method_id": "x"}), 422, "validation_errors", None),
        ({"invoice": {}}, 400, None, None),
    ],
)
def test_what_does_not_fit_is_refused(
    api: ApiClient, customer: Customer, add_on: AddOn, content: Any, status: int, code: str | None, details: Any
) -> None:
    answer = api.call("post", "invoices", content)

    assert (answer.status_code, answer.json().get("code")) == (status, code)
    if details:
        assert answer.json()["error_details"] == details
    assert not Invoice.objects.exists()


def test_it_may_choose_its_own_sections(api: ApiClient, customer: Customer, add_on: AddOn) -> None:
    chosen = InvoiceCustomSection.objects.create(code="po", name="PO", display_name="Orders", details="As agreed.")
    customer.invoice_custom_sections.add(
        InvoiceCustomSection.objects.create(code="bank", name="Bank", display_name="Bank", details="By wire.")
    )

    own = api.call(
        "post",
        "invoices",
        body({"add_on_code": "setup"}, invoice_custom_section={"invoice_custom_section_codes": ["po"]}),
    )
    none = api.call(
        "post",
        "invoices",
        body({"add_on_code": "setup"}, invoice_custom_section={"skip_invoice_custom_sections": True}),
    )
    usual = api.call("post", "invoices", body({"add_on_code": "setup"}))

    found = [answer.json()["invoice"]["applied_invoice_custom_sections"] for answer in (own, none, usual)]
    assert [[section["code"] for section in sections] for sections in found] == [["po"], [], ["bank"]]
    assert found[0][0]["details"] == chosen.details


def test_lists_find_invoices_by_what_settled_them(api: ApiClient, customer: Customer, add_on: AddOn) -> None:
    first, second = (
        api.call("post", "invoices", body({"add_on_code": "setup"})).json()["invoice"]["lago_id"] for _ in range(2)
    )
    paid = {"payment": {"invoice_id": first, "amount_cents": 100, "reference": "wire"}}
    assert api.call("post", "payments", paid).status_code == 200

    def found(**params: Any) -> set[str]:
        return {row["lago_id"] for row in api.read("invoices", **params).json()["invoices"]}

    assert found(**{"settlements[]": "payment"}) == {first}
    assert found(**{"settlements[]": "credit_note"}) == set()
    assert found(invoice_type="one_off", payment_dispute_lost="false") == {first, second}
    assert found(self_billed="true") == set()
    assert api.read("invoices", settlements="barter").status_code == 422
