"""The sample company in one process: every request is billed once, whatever the order and however often it is sent.

A part of the log stands for the whole, so that this stays quick. Documents are not made here: nothing is committed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx
import pytest
from django.db import transaction

from config.demo import comparing, loading, log, paying, sending, summary, tour, usage
from config.demo.api import Api
from config.kernel import jobs
from tests.scenarios.conftest import AT

pytestmark = pytest.mark.django_db

LINES = 400
COMPANIES = 9

Events = list[dict[str, object]]


@pytest.fixture(scope="module")
def material() -> tour.Material:
    requests = log.read()[:LINES]
    account_of = {
        address: account if rank < COMPANIES else usage.COMMUNITY
        for rank, (address, account) in enumerate(usage.accounts(requests).items())
    }
    return tour.Material(requests, account_of, usage.months(date(2026, 5, 1)))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that was sent to the API."""
    bodies: list[str] = []
    request = httpx.WSGITransport.handle_request

    def listen(transport: httpx.WSGITransport, sent: httpx.Request) -> httpx.Response:
        bodies.append(f"{sent.url} {sent.read().decode()}")
        return request(transport, sent)

    monkeypatch.setattr(httpx.WSGITransport, "handle_request", listen)
    return bodies


@contextmanager
def undone() -> Iterator[None]:
    """Leave no trace of what happens inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def events(material: tour.Material) -> Events:
    return [
        event
        for month, requests in material.played().items()
        for event in usage.events(requests, month=month, account_of=material.account_of)
    ]


def send(api: Api, found: Events, *, batch: int = sending.BATCH) -> sending.Sent:
    return sending.send(api, found, done=lambda _: None, batch=batch)


def load(api: Api, material: tour.Material) -> None:
    loading.catalogue(api)
    loading.customers(api, [buyer.customer for buyer in material.buyers], step=lambda: None)


def bill(api: Api, material: tour.Material) -> list[tuple[Any, ...]]:
    """Subscribe everybody, run the job, and return all that the invoices say."""
    loading.subscriptions(api, material.buyers, first_day=material.months[0], step=lambda: None)
    jobs.run("billing", as_of=AT)
    return told(api)


def told(api: Api) -> list[tuple[Any, ...]]:
    """Return number, customer and amounts of every invoice, and item, units and amounts of every line."""
    invoices = {row["lago_id"]: row for row in api.rows("invoices", status="finalized")}
    lines = sorted(
        (
            invoices[fee["lago_invoice_id"]]["number"],
            fee["external_customer_id"],
            fee["from_date"],
            fee["item"]["code"],
            fee["item"]["invoice_display_name"],
            str(fee["item"]["filters"]),
            fee["units"],
            str(fee["precise_amount"]),
            fee["amount_cents"],
            fee["taxes_amount_cents"],
        )
        for fee in api.rows("fees")
    )
    totals = sorted((row["number"], row["issuing_date"], row["total_amount_cents"]) for row in invoices.values())
    return [*totals, *lines]


def test_every_request_and_byte_is_billed_once(api: Api, material: tour.Material) -> None:
    load(api, material)
    send(api, events(material))

    bill(api, material)

    ids = [usage.subscription_id(buyer.external_id) for buyer in material.buyers]
    rows = comparing.rows(api, material.totals(), subscription_ids=ids)
    assert [row.logged.requests for row in rows] == [120, 160, 200, 280, 320, 400]  # 400 × 3, 4, 5, 7, 8, 10 tenths
    assert all(row.equal for row in rows)
    assert "✘" not in comparing.table(rows)
    # One event short, and it shows.
    short = {month: usage.Totals(found.requests + 1, found.size) for month, found in material.totals().items()}
    assert not any(row.equal for row in comparing.rows(api, short, subscription_ids=ids))


def test_order_batches_and_an_interruption_change_no_invoice(api: Api, material: tour.Material) -> None:
    found = events(material)
    half = len(found) // 2
    load(api, material)

    ways: dict[str, Callable[[], object]] = {
        "in order": lambda: send(api, found),
        "backwards": lambda: send(api, found[::-1]),
        "dealt out, in small batches": lambda: send(api, found[1::2] + found[::2], batch=70),
        "half, then everything after a restart": lambda: (send(api, found[:half]), send(api, found)),
    }
    outcomes = {}
    for way, do in ways.items():
        with undone():
            do()
            outcomes[way] = bill(api, material)

    expected = outcomes["in order"]
    assert len(expected) > 6 * COMPANIES  # an invoice and its lines for each month of each company
    for way, outcome in outcomes.items():
        assert outcome == expected, way


def test_sending_all_again_changes_nothing(api: Api, material: tour.Material) -> None:
    load(api, material)
    first = send(api, events(material))
    before = bill(api, material)

    again = send(api, events(material))
    load(api, material)
    after = bill(api, material)

    assert (first.known, again.new, again.known) == (0, 0, first.new)
    assert after == before
    # Who asks first is refused nothing: all that would be sent is known.
    known = sending.stored(api, months=material.months)
    assert len(known) == first.new
    assert all((event["external_subscription_id"], event["transaction_id"]) in known for event in events(material))
    assert len(list(api.rows("customers"))) == len(material.buyers)
    assert len(list(api.rows("plans"))) == 18


def test_payments_leave_some_invoices_open_and_are_recorded_once(api: Api, material: tour.Material) -> None:
    load(api, material)
    send(api, events(material))
    bill(api, material)

    def pay() -> int:
        invoices = list(api.rows("invoices", status="finalized"))
        last = material.months[-1]
        payers = [buyer.external_id for buyer in material.buyers]
        found = [paying.due(invoice, payers=payers, last_month=last, at=AT) for invoice in invoices]
        return paying.record(api, [payment for payment in found if payment], step=lambda: None)

    recorded = pay()

    assert recorded > 30
    assert pay() == 0
    assert len(list(api.rows("payments"))) == recorded
    statuses = Counter(row["payment_status"] for row in api.rows("invoices", status="finalized"))
    assert statuses["succeeded"] > statuses["pending"] > 0
    told_of_ours = summary.invoices(external_ids=[buyer.external_id for buyer in material.buyers])
    assert told_of_ours.startswith(f"{statuses.total()} finalized (")
    assert f" {statuses['succeeded']} paid, " in told_of_ours
    assert summary.invoices(external_ids=["somebody's own"]).startswith("0 finalized (")


def test_no_client_address_is_sent_stored_or_shown(api: Api, material: tour.Material, said: list[str]) -> None:
    load(api, material)
    send(api, events(material))
    bill(api, material)

    shown = [json.dumps(list(api.rows(path))) for path in ("customers", "subscriptions", "events", "fees", "invoices")]

    addresses = {request.address for request in material.requests}
    assert len(addresses) > 40
    for text in (*said, *shown):
        assert not addresses & set(re.findall(r"\d+\.\d+\.\d+\.\d+", text))
