"""Voiding and regenerating where usage was billed at thresholds: in the end it is billed once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.models import Subscription
from billing.services import progressive_billing
from config.kernel import errors
from customers.models import Customer
from invoicing.models import CreditNote, Invoice, InvoiceLine, LedgerPosting
from invoicing.services import invoices, regenerating
from invoicing.services.regenerating import LineEdit
from tests.factories import billing as made
from tests.factories import books
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import plan_stories as story
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = instant("2026-06-02")


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity(taxes=[parties.make_tax("t", "0.20")]))


@pytest.fixture
def progressive(customer: Customer) -> Invoice:
    """200.00 of usage, billed at the threshold of 200.00."""
    metric = goods.make_metric("gigabytes", "sum_agg")
    charge = goods.standard(metric, "1")
    plan = goods.make_plan("p", cents=3100, charges=[charge], usage_thresholds=[{"amount_cents": 20_000}])
    found: Subscription = story.begin(customer, plan, "2026-05-01")
    assert found.pk
    made.send("sub", "gigabytes", "2026-05-04T10:00", gigabytes="200")
    progressive_billing.run(as_of=instant("2026-05-04T11:00"))
    return Invoice.objects.get()


def month() -> Invoice:
    """31.00, and 250.00 of usage of which 200.00 were billed."""
    made.send("sub", "gigabytes", "2026-05-20T10:00", gigabytes="50")
    story.run("2026-06-01T00:10")
    return Invoice.objects.latest("pk")


def void(invoice: Invoice) -> Invoice:
    return invoices.void(invoice_id=invoice.pk, actor=ACTOR, at=AT)


def regenerate(invoice: Invoice, units: str | None = None) -> Invoice:
    edits = {}
    if units is not None:
        line = InvoiceLine.objects.get(invoice=invoice, kind="charge")
        edits = {line.pk: LineEdit(units=Decimal(units))}
    return regenerating.regenerate(invoice_id=invoice.pk, actor=ACTOR, at=AT, edits=edits)


def revenue() -> Decimal:
    return -sum(row.amount.amount for row in LedgerPosting.objects.filter(account__role="revenue"))


def test_what_was_billed_before_is_taken_off_again(progressive: Invoice) -> None:
    found = regenerate(void(month()))

    assert (found.fees_amount.amount, found.progressive_billing_credit_amount.amount) == (281, 200)
    assert (found.net_amount.amount, revenue()) == (81, 281)
    assert not CreditNote.objects.exists()
    books.assert_sound()


def test_what_was_billed_before_beyond_an_edited_line_is_given_back(progressive: Invoice) -> None:
    found = regenerate(void(month()), units="150")

    # 31 + 150, of which 150 are taken off; 50 of the 200 are given back with 20 % tax, and pay 37.20 of this one
    assert (found.net_amount.amount, found.progressive_billing_credit_amount.amount) == (31, 150)
    note = CreditNote.objects.get()
    assert (note.invoice_id, note.sub_total_amount.amount, note.total_amount.amount) == (progressive.pk, 50, 60)
    assert revenue() == 181
    books.assert_sound()


def test_both_are_regenerated_in_their_order(progressive: Invoice) -> None:
    whole = void(month())
    void(progressive)

    with pytest.raises(errors.NotAllowed) as refused:
        regenerate(whole)
    assert refused.value.code == "invalid_type_or_status"
    again = regenerate(progressive)
    found = regenerate(whole)

    assert (again.net_amount.amount, found.net_amount.amount, revenue()) == (200, 81, 281)
    assert found.progressive_credits.get().source_id == again.pk
    books.assert_sound()


def test_what_was_billed_in_full_since_is_not_billed_at_its_threshold_once_more(progressive: Invoice) -> None:
    void(progressive)
    assert month().net_amount.amount == 281

    with pytest.raises(errors.NotAllowed) as refused:
        regenerate(progressive)

    assert (refused.value.code, revenue()) == ("invalid_type_or_status", 281)
    assert Invoice.objects.filter(status="finalized").count() == 1
    books.assert_sound()


def test_one_voided_at_its_threshold_is_regenerated_within_its_time(progressive: Invoice) -> None:
    void(progressive)
    again = regenerate(progressive)

    assert (month().net_amount.amount, again.net_amount.amount, revenue()) == (81, 200, 281)
    books.assert_sound()
