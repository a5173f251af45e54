"""The checks of the books on billed time, stored calculations, raw events and what was prepaid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from billing.models import BilledPeriod
from billing.services import books_register, late_usage, runs
from config.kernel.checks import Scope
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import books_checks, invoices, payments, wallet_top_ups
from invoicing.services import books_register as invoicing_register
from invoicing.services.wallet_top_ups import TopUp
from tests.factories import billing as made
from tests.factories import books
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

MARCH = instant("2026-03-01T00:10")
SCOPE = Scope(as_of=MARCH, sample=50)
NAMES = ("prepaid_account", "billed_once", "released", "traces", "usage")


@pytest.fixture
def customer() -> Customer:
    """Two months of a plan with usage, billed, and a wallet."""
    invoicing_register.register()
    books_register.register()
    metric = goods.make_metric("requests")
    goods.make_plan("pro", cents=3100, charges=[goods.standard(metric, "0.5")])
    version = goods.make_plan("team", cents=6200, charges=[goods.standard(metric, "0.25")])
    customer = parties.make_customer(parties.make_entity(), currency="EUR")
    made.make_subscription(customer, version, "sub", at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10T08:00", "2026-01-11T08:00", "2026-02-11T08:00")
    for as_of in (instant("2026-02-01T00:10"), MARCH):
        runs.run_scheduled(as_of=as_of)
    invoices.finalize_due(as_of=MARCH)
    values: Any = {"external_customer_id": "c1", "code": "w", "currency": "EUR", "rate_amount": Decimal(1)}
    wanted = TopUp(paid_credits=Decimal(10), granted_credits=Decimal(2))
    wallet = wallet_top_ups.create_wallet(values=values, wanted=wanted, actor=ACTOR, at=MARCH)
    sold = wallet.transactions.get(transaction_status="purchased").invoice
    assert sold is not None
    payments.record(invoice_id=sold.pk, amount=Money(10, "EUR"), reference="w", paid_at=MARCH, actor=ACTOR, at=MARCH)
    wallet_top_ups.top_up(wallet_id=wallet.pk, wanted=TopUp(paid_credits=Decimal(5)), actor=ACTOR, at=MARCH)
    return customer


def broken() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check, one in books_checks.findings(scope=SCOPE, names=NAMES):
        found.setdefault(check.name, []).append(f"{one.label}: {one.message}")
    return found


def test_sound_books_break_no_check(customer: Customer) -> None:
    assert broken() == {}
    assert BilledPeriod.objects.filter(invoice__status="finalized").count() == 2
    looked = {one.name: one.run(SCOPE).looked_at for one in books_checks.checks.registered() if one.name in NAMES}
    # 10.00 in the wallet, 5.00 sold and not paid; two periods with two charges each
    assert looked == {"prepaid_account": 2, "billed_once": 6, "released": 2, "traces": 4, "usage": 2}


def test_time_that_is_billed_twice(customer: Customer) -> None:
    with books.behind_its_back() as cursor:
        for table, name in (
            ("billedperiod", "billing_period_once"),
            ("billedperiod", "billing_usage_once"),
            ("ratedcharge", "billing_rated_once"),
        ):
            cursor.execute(f"ALTER TABLE billing_{table} DROP CONSTRAINT {name}")
        for table, start in (
            ("billedperiod", "from_at"),
            ("billedperiod", "charges_from_at"),
            ("ratedcharge", "from_at"),
        ):
            cursor.execute(
                f"UPDATE billing_{table} SET {start} = {start} - interval '1 day' WHERE {start} >= '2026-02-01'"
            )

    found = broken()

    assert sorted(text.split(" from ")[0] for text in found.pop("billed_once")) == [
        "sub: a charge", "sub: a charge", "sub: the fee", "sub: usage",
    ]  # fmt: skip
    assert set(found) <= {"usage"}  # a longer time has other events


def test_time_that_was_given_back_and_stands(customer: Customer) -> None:
    invoice = Invoice.objects.filter(kind="subscription").earliest("pk")
    with books.behind_its_back() as cursor:
        cursor.execute("UPDATE billing_billedperiod SET released_at = now() WHERE invoice_id = %s", [invoice.pk])

    found = broken()["released"]

    assert [text.partition(": its ")[2].split(" from ")[0] for text in found] == ["charges", "time"]
    assert all(text.startswith(f"{invoice.number}: ") for text in found)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE invoicing_invoiceline SET amount = amount + 1 WHERE kind = 'charge' AND units = 2",
         "computed again it is 0.50 EUR, billed were 1.50"),
        ("""UPDATE billing_ratedcharge SET trace = jsonb_set(trace, '{inputs,usage,units}', '"3"')
            WHERE trace #>> '{inputs,usage,units}' = '2'""", "does not have the digest"),
        ("UPDATE billing_ratedcharge SET trace = '{}' WHERE charge_id IS NULL AND from_at < '2026-02-01'",
         "cannot be read"),
    ],
)  # fmt: skip
def test_a_calculation_that_gives_another_amount(customer: Customer, sql: str, problem: str) -> None:
    with books.behind_its_back() as cursor:
        cursor.execute(sql)
        assert cursor.rowcount == 1

    (found,) = broken()["traces"]
    assert problem in found


def test_raw_events_that_are_not_those_that_were_billed(customer: Customer) -> None:
    with books.behind_its_back() as cursor:
        # Written long before they were billed: here all of it is one transaction.
        cursor.execute("UPDATE billing_usage_event SET written_in = 1")
        cursor.execute("""DELETE FROM billing_usage_event WHERE "timestamp" = '2026-01-11T08:00Z'""")

    (found,) = broken()["usage"]
    assert found.endswith("1 events of 1 units were sent, 2 of 2 were billed")


def test_late_usage_is_no_finding_before_and_after_it_is_found(customer: Customer) -> None:
    made.send("sub", "requests", "2026-01-12T08:00")
    assert broken() == {}
    late_usage.run(as_of=MARCH)
    assert broken() == {}


def test_what_was_prepaid_is_not_what_the_ledger_says(customer: Customer) -> None:
    with books.behind_its_back() as cursor:
        cursor.execute(
            "UPDATE invoicing_wallettransaction SET remaining_purchased_amount = 9"
            " WHERE transaction_status = 'purchased' AND status = 'settled'"
        )

    assert broken()["prepaid_account"] == ["C1: with Acme the ledger says 15 EUR, the documents 14 EUR"]
