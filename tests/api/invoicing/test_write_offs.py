"""Write-offs through the API: what is due follows, lists narrow, undoing, and what is refused."""

from __future__ import annotations

import pytest

from tests.factories import invoicing as make
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


def test_written_off_and_undone() -> None:
    customer = make.make_customer(make.make_entity(), "c1")
    invoice, client = make.issue(customer, "100.00"), ApiClient()
    path = f"invoices/{invoice.uuid}/write_off"

    answer = client.call("post", path, {"write_off": {"reason": "insolvent", "amount_cents": 4000}})

    assert answer.status_code == 200
    row = answer.json()["write_off"]
    assert (row["status"], row["amount_cents"], row["amount_currency"], row["external_customer_id"]) == (
        "standing",
        4000,
        "EUR",
        "c1",
    )
    shown = client.read(f"invoices/{invoice.uuid}").json()["invoice"]
    assert (shown["total_due_amount_cents"], shown["written_off_amount_cents"], shown["payment_status"]) == (
        6000,
        4000,
        "pending",
    )
    for query, count in (
        ({"external_customer_id": "c1"}, 1),
        ({"external_customer_id": "c2"}, 0),
        ({"lago_invoice_id": str(invoice.uuid)}, 1),
        ({"currency": "USD"}, 0),
        ({"status": "undone"}, 0),
    ):
        assert len(client.read("write_offs", **query).json()["write_offs"]) == count, query
    for query in ({"status": "x"}, {"lago_invoice_id": "x"}):
        assert client.read("write_offs", **query).status_code == 422

    undone = client.call("post", f"write_offs/{row['lago_id']}/undo", {"write_off": {"reason": "paid"}}).json()
    assert (undone["write_off"]["status"], undone["write_off"]["undone_reason"]) == ("undone", "paid")
    assert client.read(f"write_offs/{row['lago_id']}").json() == undone
    again = client.call("post", f"write_offs/{row['lago_id']}/undo", {"write_off": {"reason": "paid"}})
    assert (again.status_code, again.json()["code"]) == (405, "already_undone")
    assert client.read(f"invoices/{invoice.uuid}").json()["invoice"]["total_due_amount_cents"] == 10000


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({}, 400),  # an empty root is none
        ({"reason": "x", "amount_cents": 10001}, 422),
        ({"reason": "x", "amount_cents": -1}, 422),
        ({"reason": "x", "amount_cents": "many"}, 422),
        ({"reason": " "}, 422),
    ],
)
def test_bad_input(content: dict[str, object], status: int) -> None:
    invoice, client = make.issue(make.make_customer(make.make_entity()), "100.00"), ApiClient()
    assert client.call("post", f"invoices/{invoice.uuid}/write_off", {"write_off": content}).status_code == status
    assert client.call("post", "invoices/no-such/write_off", {"write_off": {"reason": "x"}}).status_code == 404
    missing = client.call("post", "write_offs/no-such/undo", {"write_off": {"reason": "x"}})
    assert (missing.status_code, missing.json()["code"]) == (404, "write_off_not_found")
    assert client.read("write_offs").json()["write_offs"] == []
