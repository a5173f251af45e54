"""Fees that stand alone in the admin: the list, the page, and telling how one was paid."""

from __future__ import annotations

import pytest
from django.test import Client

from invoicing.models import InvoiceLine
from tests.factories import advance, catalog, usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def fee() -> InvoiceLine:
    advance.make_subscription(advance.make_plan(catalog.make_metric("seats", "sum_agg")))
    usage.store(usage.make_event("2026-05-04T12:00:00", code="seats", properties={"seats": 2}))
    advance.bill("2026-05-04T13:00")
    return InvoiceLine.objects.get(invoice=None)


def test_a_fee_is_listed_shown_paid_and_refunded(superuser: Client, fee: InvoiceLine) -> None:
    listed = superuser.get("/admin/invoicing/invoiceline/")
    assert listed.status_code == 200
    assert "Seats" in listed.content.decode()
    page = f"/admin/invoicing/invoiceline/{fee.pk}/"
    assert superuser.get(f"{page}change/").status_code == 200
    asked = superuser.get(f"{page}paid/")
    assert asked.status_code == 200
    fee.refresh_from_db()
    assert fee.payment_status == "pending"  # asking changes nothing
    assert superuser.post(f"{page}refunded/").status_code == 302
    fee.refresh_from_db()
    assert fee.payment_status == "pending"  # nothing was paid yet
    superuser.post(f"{page}paid/")
    fee.refresh_from_db()
    assert fee.payment_status == "succeeded"
    superuser.post(f"{page}refunded/")
    fee.refresh_from_db()
    assert fee.payment_status == "refunded"
    assert [row.status for row in fee.payments.all()] == ["pending", "succeeded", "refunded"]


def test_the_subscription_shows_its_fees(superuser: Client, fee: InvoiceLine) -> None:
    page = superuser.get(f"/admin/billing/subscription/{fee.rated_charge.subscription_id}/change/").content.decode()
    assert "Usage billed in advance" in page
    assert f"/admin/invoicing/invoiceline/{fee.pk}/change/" in page


def test_a_fee_is_not_paid_by_whoever_only_looks(auditor: Client, fee: InvoiceLine) -> None:
    assert auditor.get("/admin/invoicing/invoiceline/").status_code == 200
    assert auditor.post(f"/admin/invoicing/invoiceline/{fee.pk}/paid/").status_code == 403
    fee.refresh_from_db()
    assert fee.payment_status == "pending"


def test_a_fee_of_zero_is_not_among_those_that_wait_for_payment(superuser: Client, fee: InvoiceLine) -> None:
    # A sum that falls bills nothing.
    usage.store(usage.make_event("2026-05-05T12:00:00", code="seats", properties={"seats": -1}))
    advance.bill("2026-05-05T13:00")
    free = InvoiceLine.objects.latest("pk")
    assert (free.amount.amount, free.payment_status) == (0, "pending")
    shown = {
        query: [
            f"/{row.pk}/change/" in superuser.get(f"/admin/invoicing/invoiceline/{query}").content.decode()
            for row in (fee, free)
        ]
        for query in ("", "?payment=pending", "?payment=succeeded")
    }
    assert shown == {"": [True, True], "?payment=pending": [True, False], "?payment=succeeded": [False, False]}
