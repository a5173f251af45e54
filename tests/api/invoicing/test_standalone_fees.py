"""Fees that stand alone through the API: telling how they were paid, taking them back, finding them."""

from __future__ import annotations

from typing import Any

import pytest

from invoicing.models import InvoiceLine
from tests.factories import advance, billing, catalog, usage
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture(autouse=True)
def _fees() -> None:
    """Two fees of 6 and 9 that stand alone."""
    metric = catalog.make_metric("seats", "sum_agg")
    advance.make_subscription(advance.make_plan(metric))
    for number, units in enumerate((2, 3), start=1):
        event = usage.make_event(
            "2026-05-04T12:00:00", code="seats", transaction_id=f"t{number}", properties={"seats": units}
        )
        usage.store(event)
    advance.bill("2026-05-04T13:00")


def listed(api: ApiClient, query: str = "") -> list[dict[str, Any]]:
    response = api.call("get", f"fees{query}")
    assert response.status_code == 200, response.content
    return list(response.json()["fees"])


def put(api: ApiClient, fee: dict[str, Any], **values: Any) -> Any:
    return api.call("put", f"fees/{fee['lago_id']}", {"fee": values})


def test_a_fee_tells_its_event_and_how_it_is_billed(api: ApiClient) -> None:
    first, second = listed(api)
    assert (first["event_transaction_id"], second["event_transaction_id"]) == ("t1", "t2")
    assert (first["pay_in_advance"], first["invoiceable"], first["lago_invoice_id"]) == (True, False, None)
    assert (first["payment_status"], first["succeeded_at"]) == ("pending", None)
    assert (second["units"], second["total_aggregated_units"], second["amount_cents"]) == ("3.0", "5.0", 900)
    assert (first["from_date"], first["to_date"]) == ("2026-05-01T00:00:00Z", "2026-05-31T23:59:59Z")


def test_the_trace_is_there_and_verifies(api: ApiClient) -> None:
    fee = listed(api)[1]
    shown = api.call("get", f"fees/{fee['lago_id']}/trace").json()["fee_trace"]
    assert shown["verification"]["verified"]
    labels = [line["label"] for line in shown["worked_sum"]]
    assert labels[0] == "Event"
    assert "Most units so far" in labels
    assert shown["trace"]["inputs"]["step"]["before"]["peak"] == "2"


def test_a_payment_is_told(api: ApiClient) -> None:
    first, _ = listed(api)
    answer = put(api, first, payment_status="succeeded")
    assert answer.status_code == 200
    assert answer.json()["fee"]["payment_status"] == "succeeded"
    assert answer.json()["fee"]["succeeded_at"] is not None
    assert [row["lago_id"] for row in listed(api, "?payment_status=succeeded")] == [first["lago_id"]]
    assert len(listed(api, "?payment_status=pending")) == 1
    assert put(api, first, payment_status="refunded").json()["fee"]["refunded_at"] is not None
    assert len(listed(api, "?refunded_at_from=2020-01-01T00:00:00Z")) == 1


@pytest.mark.parametrize("status", ["paid", "", None, 3])
def test_a_status_that_is_none_is_refused(api: ApiClient, status: object) -> None:
    assert put(api, listed(api)[0], payment_status=status).status_code == 422


def test_finding_by_event_and_metric(api: ApiClient) -> None:
    assert [row["event_transaction_id"] for row in listed(api, "?event_transaction_id=t2")] == ["t2"]
    assert len(listed(api, "?billable_metric_code=seats&currency=EUR&external_customer_id=acme")) == 2
    assert listed(api, "?event_transaction_id=t9") == []


def test_a_fee_is_taken_back_once_and_not_after_it_was_paid(api: ApiClient) -> None:
    first, second = listed(api)
    assert api.call("delete", f"fees/{first['lago_id']}").status_code == 200
    assert api.call("delete", f"fees/{first['lago_id']}").status_code == 404
    assert [row["lago_id"] for row in listed(api)] == [second["lago_id"]]
    put(api, second, payment_status="succeeded")
    refused = api.call("delete", f"fees/{second['lago_id']}")
    assert (refused.status_code, refused.json()["code"]) == (405, "not_deletable")
    assert InvoiceLine.objects.count() == 2


def test_the_payment_of_a_fee_on_an_invoice_is_the_invoice_s(api: ApiClient) -> None:
    metric = catalog.make_metric("requests")
    version = advance.make_plan(metric, code="other", invoiceable=True)
    other = InvoiceLine.objects.first().customer
    billing.make_subscription(other, version, "sub2", at=billing.instant("2026-05-01"))
    billing.send("sub2", "requests", "2026-05-04T12:00:00")
    advance.bill("2026-05-04T13:00")
    (fee,) = listed(api, "?external_subscription_id=sub2")
    for refused in (put(api, fee, payment_status="succeeded"), api.call("delete", f"fees/{fee['lago_id']}")):
        assert (refused.status_code, refused.json()["code"]) == (405, "invoiced_fee")
