"""Issuing: numbers, snapshot, ledger, facts, messages; zero totals, grace, and one broken draft among many."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from config.kernel import errors
from config.platform.models import AuditEntry, NumberSequence
from customers.models import CustomerMetadata
from invoicing.domain.facts import InvoiceFinalized, InvoicePaid
from invoicing.models import Delivery, Invoice, LedgerEntry
from invoicing.queries import ledger
from invoicing.services import finalization, invoices
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

LATER = make.AT + timedelta(days=3)


def test_a_draft_becomes_a_document(
    heard: list[object], messages: list[tuple[str, dict[str, Any]]], commit_checks: Callable[[], None]
) -> None:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]), email="ap@c1.test")
    draft = make.draft(customer, "100.00").invoice

    invoices.finalize(invoice_id=draft.pk, actor=make.ACTOR, at=make.AT)

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.payment_status) == ("finalized", "pending")
    assert (invoice.number, invoice.sequential_id, invoice.finalized_at) == ("ACME-001-001", 1, make.AT)
    assert invoice.paid_at is None
    entry = LedgerEntry.objects.get()
    assert (entry.accounting_date, entry.booked_at, entry.description) == (
        date(2026, 5, 1),
        make.AT,
        "Invoice ACME-001-001",
    )
    assert {(row.account.role, row.amount.amount) for row in entry.postings.all()} == {
        ("receivable", Decimal(119)),
        ("revenue", Decimal(-100)),
        ("tax", Decimal(-19)),
    }
    assert ledger.out_of_balance() == {}
    assert heard == [InvoiceFinalized(invoice_id=invoice.pk)]
    assert messages == [("invoicing.tasks.render_document", {"invoice_id": invoice.pk})]
    assert not Delivery.objects.exists()
    assert AuditEntry.objects.get(verb="finalize").new["number"] == "ACME-001-001"
    commit_checks()


def test_an_e_mail_is_noted_down_where_the_seller_wants_it(messages: list[tuple[str, dict[str, Any]]]) -> None:
    entity = make.make_entity(email_settings=["invoice.finalized"])

    make.issue(make.make_customer(entity, email="ap@c1.test"), "100.00")

    delivery = Delivery.objects.get()
    assert messages == [("invoicing.tasks.send_delivery", {"delivery_id": delivery.pk})]


def test_the_snapshot_keeps_seller_and_buyer_as_they_were() -> None:
    entity = make.make_entity(
        legal_name="Acme GmbH",
        tax_identification_number="DE123",
        iban="DE02120300000000202051",
        invoice_footer="Thank you",
        city="Berlin",
    )
    customer = make.make_customer(entity, name="Early Ltd", shipping_address={"city": "Lyon"}, timezone="Europe/Paris")
    CustomerMetadata.objects.create(customer=customer, key="cost centre", value="42", display_in_invoice=True)
    CustomerMetadata.objects.create(customer=customer, key="secret", value="x")
    draft = make.draft(customer, "1.00", timezone="Europe/Paris").invoice
    customer.name = "Renamed Ltd"
    customer.save()

    invoices.finalize(invoice_id=draft.pk, actor=make.ACTOR, at=make.AT)
    customer.name = "Late Ltd"
    customer.save()

    snapshot = Invoice.objects.get().snapshot
    assert snapshot["version"] == 1
    assert (snapshot["seller"]["legal_name"], snapshot["seller"]["iban"]) == ("Acme GmbH", "DE02120300000000202051")
    assert set(snapshot["seller"]) >= {"logo", "accent_color", "bank_name", "bic", "phone", "url", "legal_number"}
    assert snapshot["buyer"]["name"] == "Renamed Ltd"
    assert snapshot["buyer"]["shipping_address"] == {"city": "Lyon"}
    assert snapshot["buyer"]["metadata"] == [{"key": "cost centre", "value": "42"}]
    assert snapshot["texts"]["footer"] == "Thank you"
    assert (snapshot["locale"], snapshot["timezone"]) == ("en", "Europe/Paris")


def test_numbers_follow_billing_then_id_whatever_the_order_asked() -> None:
    entity = make.make_entity(document_numbering="per_billing_entity")
    first, second = make.make_customer(entity, "c1"), make.make_customer(entity, "c2")
    drafts = [
        make.draft(first, "1.00", billed_at=make.AT),
        make.draft(second, "1.00", billed_at=make.AT - timedelta(days=40)),
        make.draft(second, "1.00", billed_at=make.AT),
    ]
    ids = [drafted.invoice.pk for drafted in drafts]

    done = invoices.finalize_many(invoice_ids=ids[::-1], actor=make.ACTOR, at=make.AT)

    assert [(invoice.pk, invoice.number) for invoice in done] == [
        (ids[1], "ACME-202603-001"),
        (ids[0], "ACME-202605-002"),
        (ids[2], "ACME-202605-003"),
    ]


def test_each_customer_counts_alone() -> None:
    entity = make.make_entity()
    customers = [make.make_customer(entity, "c1"), make.make_customer(entity, "c2")]
    ids = [make.draft(customer, "1.00").invoice.pk for customer in [*customers, *customers]]

    done = invoices.finalize_many(invoice_ids=ids, actor=make.ACTOR, at=make.AT)

    assert [invoice.number for invoice in done] == ["ACME-001-001", "ACME-002-001", "ACME-001-002", "ACME-002-002"]


def test_one_that_is_no_draft_stops_all_and_takes_no_number() -> None:
    customer = make.make_customer(make.make_entity())
    issued = make.issue(customer, "1.00")
    draft = make.draft(customer, "1.00").invoice

    with pytest.raises(errors.NotAllowed):
        invoices.finalize_many(invoice_ids=[draft.pk, issued.pk], actor=make.ACTOR, at=make.AT)
    with pytest.raises(errors.NotFound):
        invoices.finalize_many(invoice_ids=[draft.pk, 0], actor=make.ACTOR, at=make.AT)

    draft.refresh_from_db()
    assert (draft.status, draft.number) == ("draft", None)
    assert NumberSequence.objects.get().last_value == 1
    invoices.finalize(invoice_id=draft.pk, actor=make.ACTOR, at=make.AT)
    assert Invoice.objects.get(pk=draft.pk).number == "ACME-001-002"


def test_an_early_finalization_is_dated_that_day() -> None:
    customer = make.make_customer(make.make_entity(net_payment_term=10), invoice_grace_period=5)

    invoice = make.issue(customer, "1.00", at=make.AT)

    assert (invoice.issuing_date, invoice.payment_due_date) == (date(2026, 5, 1), date(2026, 5, 11))


@pytest.mark.parametrize(
    ("seller_finalizes", "customer_says", "status"),
    [
        (True, "inherit", "finalized"),
        (False, "inherit", "closed"),
        (False, "finalize", "finalized"),
        (True, "skip", "closed"),
    ],
)
def test_an_invoice_of_nothing_is_paid_or_closed(
    heard: list[object], messages: list[Any], seller_finalizes: bool, customer_says: str, status: str
) -> None:
    entity = make.make_entity(finalize_zero_amount_invoice=seller_finalizes)
    customer = make.make_customer(entity, finalize_zero_amount_invoice=customer_says)

    invoice = make.issue(customer, "0.00")

    assert (invoice.status, invoice.payment_status) == (status, "succeeded")
    assert not LedgerEntry.objects.exists()
    if status == "closed":
        assert (invoice.number, invoice.snapshot, heard, messages) == (None, {}, [], [])
        assert not NumberSequence.objects.exists()
    else:
        assert (invoice.number, invoice.paid_at) == ("ACME-001-001", make.AT)
        assert heard == [InvoiceFinalized(invoice_id=invoice.pk), InvoicePaid(invoice_id=invoice.pk)]


def test_a_full_price_is_never_closed() -> None:
    entity = make.make_entity(finalize_zero_amount_invoice=False)

    assert make.issue(make.make_customer(entity), "0.01").status == "finalized"


def test_due_drafts_are_issued_once_and_others_stay(heard: list[object]) -> None:
    customer = make.make_customer(make.make_entity(), invoice_grace_period=3)
    due = [make.draft(customer, "1.00").invoice.pk for _ in range(3)]
    later = make.draft(customer, "1.00", billed_at=LATER).invoice

    assert invoices.finalize_due(as_of=datetime(2026, 5, 3, 23, 59, 59, tzinfo=UTC)).done == 0
    assert invoices.finalize_due(as_of=LATER) == finalization.Finalized(done=3, failed={})
    assert invoices.finalize_due(as_of=LATER).done == 0

    later.refresh_from_db()
    assert later.status == "draft"
    assert [invoice.number for invoice in Invoice.objects.filter(pk__in=due).order_by("pk")] == [
        "ACME-001-001",
        "ACME-001-002",
        "ACME-001-003",
    ]
    assert len(heard) == 3
    assert AuditEntry.objects.filter(verb="finalize", actor_kind="job", actor_label="finalize").count() == 3


def test_one_broken_draft_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    customer = make.make_customer(make.make_entity(), invoice_grace_period=3)
    ids = [make.draft(customer, "1.00").invoice.pk for _ in range(3)]
    build = finalization.snapshots.build

    def fail(*, invoice: Invoice, **others: Any) -> dict[str, Any]:
        if invoice.pk == ids[1]:
            raise RuntimeError("no letterhead")
        return build(invoice=invoice, **others)

    monkeypatch.setattr(finalization.snapshots, "build", fail)

    done = invoices.finalize_due(as_of=LATER)

    assert done == finalization.Finalized(done=2, failed={ids[1]: "no letterhead"})
    assert list(Invoice.objects.order_by("pk").values_list("status", flat=True)) == ["finalized", "draft", "finalized"]
    assert list(Invoice.objects.exclude(number=None).order_by("pk").values_list("number", flat=True)) == [
        "ACME-001-001",
        "ACME-001-002",
    ]


def test_a_listener_that_refuses_takes_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = make.draft(make.make_customer(make.make_entity()), "1.00").invoice

    def refuse(fact: object) -> None:
        raise RuntimeError("not now")

    monkeypatch.setattr(finalization.events, "publish", refuse)

    with pytest.raises(RuntimeError):
        invoices.finalize(invoice_id=draft.pk, actor=make.ACTOR, at=make.AT)
    draft.refresh_from_db()
    assert (draft.status, LedgerEntry.objects.count(), NumberSequence.objects.count()) == ("draft", 0, 0)


@pytest.mark.parametrize("numbering", ["per_customer", "per_billing_entity"])
def test_twenty_take_as_many_statements_as_two(numbering: str) -> None:
    entity = make.make_entity(taxes=[make.make_tax()], document_numbering=numbering)
    customers = [make.make_customer(entity, f"c{number}") for number in range(24)]
    make.issue(customers[0], "1.00")

    def statements(chosen: list[Any]) -> int:
        drafted = invoices.draft_many(
            specs=[make.spec(customer, "1.00") for customer in chosen], actor=make.ACTOR, at=make.AT
        )
        with CaptureQueriesContext(connection) as captured:
            invoices.finalize_many(invoice_ids=[one.invoice.pk for one in drafted], actor=make.ACTOR, at=make.AT)
        return len(captured)

    assert statements(customers[1:21]) == statements(customers[21:23]) <= 32


def test_amounts_of_a_currency_without_decimals() -> None:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]))

    invoice = make.issue(customer, "1005", currency="JPY")

    assert invoice.total_amount == Money(1196, "JPY")  # 1005 + 190.95
    assert {row.amount.amount for row in LedgerEntry.objects.get().postings.all()} == {
        Decimal(1196),
        Decimal(-1005),
        Decimal(-191),
    }
