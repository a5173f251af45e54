"""A subscription paid in advance on its pages: fees without usage, usage without a fee, a last invoice of nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing.models import Subscription
from billing.services import runs, terminations
from config.platform.admin import cells
from invoicing.models import Invoice
from invoicing.services import documents
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def yearly() -> Subscription:
    """A year in advance from 15 January with usage every month, none of it in February, ended in March."""
    customer = parties.make_customer(parties.make_entity())
    charge = goods.standard(goods.make_metric("calls"), "0.10")
    terms: dict[str, Any] = {"interval": "yearly", "pay_in_advance": True, "bill_charges_monthly": True}
    plan = goods.make_plan("pro", cents=36500, charges=[charge], **terms)
    subscription = made.make_subscription(customer, plan, at=instant("2026-01-15"))
    made.send("sub", "calls", "2026-01-20T10:00")
    runs.run(as_of=instant("2026-02-01T00:10"), trigger="test", actor=ACTOR)
    return terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-03-10T12:00"))


def test_the_periods_of_fee_and_usage_stand_beside_each_other(finance: Client, yearly: Subscription) -> None:
    page = finance.get(f"/admin/billing/subscription/{yearly.pk}/change/").context["page"]
    (table,) = next(tab.blocks for tab in page.tabs if tab.title == "Billed periods")
    titles = [column.label for column in table.columns]
    rows = [dict(zip(titles, (str(cell) for cell in row.cells), strict=True)) for row in table.rows]
    told = {(row["Why"], row["Usage of"]): row["Share of the fee"] for row in rows}
    assert "351 of 365 days" in told["start", cells.EMPTY]  # 15 January to 31 December
    assert "none" in told["period", "15 Jan 2026 – 31 Jan 2026"]
    assert "none" in told["termination", "1 Mar 2026 – 10 Mar 2026"]


def test_a_last_invoice_of_nothing_has_a_page_and_a_document(finance: Client, yearly: Subscription) -> None:
    last = Invoice.objects.latest("pk")
    assert (last.lines.count(), str(last.total_amount)) == (0, "€0.00")
    assert finance.get(f"/admin/invoicing/invoice/{last.pk}/change/").status_code == 200
    assert documents.render(invoice_id=last.pk, at=instant("2026-03-10T13:00")).size > 0
