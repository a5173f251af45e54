"""Fees over the API: the shape of a line, completed from above, and the filters of the list."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from config.kernel import registry
from customers.models import Customer
from invoicing.models import InvoiceLine
from invoicing.queries import lines
from invoicing.services import payments
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient

_CHARGES = "00000000-0000-0000-0000-00000000000"


def test_a_fee(api: ApiClient, customer: Customer) -> None:
    line = make.line("3.335", units=Decimal("66.7"), unit_amount=Decimal("0.05"), events_count=12)
    invoice = make.issue(customer, lines=[line])
    stored = InvoiceLine.objects.get()

    content = api.read(f"fees/{stored.uuid}").json()["fee"]

    taxes = content.pop("applied_taxes")
    assert {name: value for name, value in content.items() if value is not None} == {
        "lago_id": str(stored.uuid),
        "lago_invoice_id": str(invoice.uuid),
        "external_subscription_id": "sub1",
        "lago_customer_id": str(customer.uuid),
        "external_customer_id": "c1",
        "item": {
            "type": "charge",
            "code": "requests",
            "name": "Requests",
            "description": None,
            "invoice_display_name": "Requests",
            "filters": None,
            "filter_invoice_display_name": None,
            "lago_item_id": None,
            "item_type": "BillableMetric",
            "grouped_by": {},
        },
        "pay_in_advance": False,
        "invoiceable": True,
        "amount_cents": 334,  # 3.335 rounds half up
        "amount_currency": "EUR",
        "precise_amount": 3.335,
        "precise_total_amount": 3.9696,  # 3.335 + 3.34 × 0.19
        "taxes_amount_cents": 63,
        "taxes_precise_amount": 0.6346,
        "taxes_rate": 19.0,
        "total_aggregated_units": "66.7",
        "total_amount_cents": 397,
        "total_amount_currency": "EUR",
        "units": "66.7",
        "precise_unit_amount": "0.05",
        "precise_coupons_amount_cents": "0.0",
        "sub_total_excluding_taxes_amount_cents": 334,
        "sub_total_excluding_taxes_precise_amount_cents": "333.5",
        "events_count": 12,
        "payment_status": "pending",
        "created_at": "2026-05-01T00:10:00Z",
        "amount_details": {},
        "self_billed": False,
        "presentation_breakdowns": [],
        "from_date": "2026-04-01T00:00:00Z",
        "to_date": "2026-04-30T23:59:59Z",
    }
    assert [(row["tax_code"], row["tax_rate"], row["amount_cents"]) for row in taxes] == [("vat19", 19.0, 63)]
    assert taxes[0]["lago_fee_id"] == str(stored.uuid)
    assert api.read(f"invoices/{invoice.uuid}").json()["invoice"]["fees"] == [{**content, "applied_taxes": taxes}]


@pytest.fixture
def parts() -> Iterator[None]:
    """An app above that knows which charge a line was rated from."""

    def charges(lines: Sequence[Any]) -> Mapping[int, Mapping[str, Any]]:
        return {
            line.pk: {"lago_charge_id": f"{_CHARGES}{line.position}", "item": {"filters": {"a": ["b"]}}}
            for line in lines
        }

    before = list(registry._parts["invoicing.line"])
    registry._parts["invoicing.line"][:] = [charges]
    yield
    registry._parts["invoicing.line"][:] = before


@pytest.mark.usefixtures("parts")
def test_apps_above_complete_a_fee(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "1.00", "2.00")

    listed = api.read("fees").json()["fees"]

    assert [fee["lago_charge_id"] for fee in listed] == [f"{_CHARGES}1", f"{_CHARGES}2"]
    assert listed[0]["item"]["filters"] == {"a": ["b"]}
    assert listed[0]["item"]["code"] == "requests"
    assert api.read(f"invoices/{invoice.uuid}").json()["invoice"]["fees"] == listed


@pytest.mark.parametrize("few", [10_000, 0])
def test_lists_are_narrowed(api: ApiClient, customer: Customer, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(lines, "_FEW", few)  # whether the paid invoices are named, or are too many for it
    other = make.make_customer(customer.billing_entity, "c2")
    plan = make.line("10.00", kind="subscription", item_code="pro", group_key="sub2")
    paid = make.issue(customer, lines=[plan, make.line("1.00", item_code="egress")])
    make.issue(other, "2000", currency="JPY")
    make.draft(other, "3.00")
    voided = make.draft(other, "4.00").invoice
    make.invoices.void_draft(invoice_id=voided.pk, reason="", actor=make.ACTOR, at=make.AT)
    payments.declare(invoice_id=paid.pk, payment_status="succeeded", actor=make.ACTOR, at=make.AT)

    def amounts(**filters: Any) -> list[int]:
        answer = api.read("fees", **filters)
        assert answer.status_code == 200
        return [fee["amount_cents"] for fee in answer.json()["fees"]]

    assert amounts() == [1000, 100, 2000, 300]
    assert amounts(fee_type="subscription") == [1000]
    assert amounts(fee_type="add_on") == []
    assert amounts(external_subscription_id="sub2") == [1000]
    assert amounts(external_customer_id="c2") == [2000, 300]
    assert amounts(billable_metric_code="egress") == [100]
    assert amounts(billable_metric_code="pro") == []
    assert amounts(currency="JPY") == [2000]
    assert amounts(payment_status="succeeded") == [1000, 100]
    assert amounts(payment_status="refunded") == []
    assert amounts(succeeded_at_to="2026-04-01T00:00:00Z") == []
    assert amounts(succeeded_at_from="2026-05-01T00:10:00Z") == [1000, 100]
    assert amounts(created_at_to="2026-05-01T00:09:59Z") == []
    assert amounts(event_transaction_id="t1") == []


def test_a_fee_on_no_invoice_is_shown(api: ApiClient, customer: Customer) -> None:
    make.draft(customer, "1.00")
    alone = InvoiceLine.objects.get()
    alone.pk, alone.invoice = None, None
    alone.uuid, alone.payment_status = uuid.UUID(int=5), "pending"
    alone.save(force_insert=True)

    listed = {fee["lago_id"]: fee for fee in api.read("fees").json()["fees"]}

    content = listed[str(alone.uuid)]
    assert (content["lago_invoice_id"], content["payment_status"], content["succeeded_at"]) == (None, "pending", None)
    assert len(listed) == 2


def test_what_is_not_there_or_not_readable(api: ApiClient) -> None:
    assert api.read("fees/x").json()["code"] == "fee_not_found"
    for name, value in (("fee_type", "x"), ("payment_status", "x"), ("created_at_from", "x")):
        answer = api.read("fees", **{name: value})
        assert (answer.status_code, list(answer.json()["error_details"])) == (422, [name])
