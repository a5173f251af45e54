"""Drafts are computed anew before they are issued, by whoever asked for them; issued invoices are left alone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from moneyed import Money

from config.kernel import errors, events
from invoicing.domain.facts import DraftsOutdated
from invoicing.models import Invoice
from invoicing.services import invoices
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

LATER = make.AT + timedelta(hours=5)


@pytest.fixture
def asked() -> Iterator[list[DraftsOutdated]]:
    """Answer as billing would: a late event raised every draft to 50.00."""
    found: list[DraftsOutdated] = []

    def recompute(fact: DraftsOutdated) -> None:
        found.append(fact)
        for invoice_id in fact.invoice_ids:
            invoices.recompute(invoice_id=invoice_id, lines=[make.line("50.00")], actor=fact.actor, at=fact.at)

    before = list(events.type_subscribers[DraftsOutdated])
    events.type_subscribers[DraftsOutdated][:] = [recompute]
    yield found
    events.type_subscribers[DraftsOutdated][:] = before


def test_what_was_late_is_on_the_document(asked: list[DraftsOutdated]) -> None:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]))
    ids = [make.draft(customer, "1.00").invoice.pk for _ in range(2)]

    done = invoices.finalize_many(invoice_ids=ids, actor=make.ACTOR, at=LATER)

    assert asked == [DraftsOutdated(invoice_ids=tuple(ids), actor=make.ACTOR, at=LATER)]
    assert [invoice.total_amount for invoice in done] == [Money("59.50", "EUR")] * 2
    assert {invoice.total_amount for invoice in Invoice.objects.all()} == {Money("59.50", "EUR")}


def test_a_draft_of_this_instant_is_fresh(asked: list[DraftsOutdated]) -> None:
    invoice = make.issue(make.make_customer(make.make_entity()), "1.00", at=LATER)

    assert (asked, invoice.total_amount) == ([], Money("1.00", "EUR"))


def test_refresh_changes_drafts_only(asked: list[DraftsOutdated]) -> None:
    customer = make.make_customer(make.make_entity())
    draft, issued = make.draft(customer, "1.00").invoice, make.issue(customer, "1.00")

    assert invoices.refresh(invoice_id=draft.pk, actor=make.ACTOR, at=LATER).total_amount == Money("50.00", "EUR")
    assert invoices.refresh(invoice_id=draft.pk, actor=make.ACTOR, at=LATER).total_amount == Money("50.00", "EUR")
    assert invoices.refresh(invoice_id=issued.pk, actor=make.ACTOR, at=LATER).total_amount == Money("1.00", "EUR")

    assert [fact.invoice_ids for fact in asked] == [(draft.pk,)]
    with pytest.raises(errors.NotFound):
        invoices.refresh(invoice_id=0, actor=make.ACTOR, at=LATER)
