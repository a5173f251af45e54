"""E-mails in the admin: what failed is seen with its reason, and tried again once by whoever may send."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client

from invoicing.models import Delivery, Invoice
from tests.admin.conftest import NOW, signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

LIST = "/admin/invoicing/delivery/"


@pytest.fixture
def failed(company: Company) -> Delivery:
    """An e-mail of an invoice that was given up."""
    row = Delivery.objects.filter(invoice__status=Invoice.Status.FINALIZED).order_by("pk").first()
    assert row is not None
    Delivery.objects.filter(pk=row.pk).update(
        state="failed", attempts=4, error="550 No such mailbox.", sent_at=None, next_attempt_at=NOW
    )
    return Delivery.objects.get(pk=row.pk)


def test_what_failed_is_listed_with_its_reason(finance: Client, failed: Delivery) -> None:
    listed = finance.get(f"{LIST}?state__exact=failed")
    assert [row.pk for row in listed.context["cl"].result_list] == [failed.pk]
    assert "550 No such mailbox." in listed.content.decode()
    assert "550 No such mailbox." in finance.get(f"{LIST}{failed.pk}/change/").content.decode()
    assert finance.get(f"{LIST}?queue=mail").context["cl"].result_count == 1
    number = failed.invoice.number if failed.invoice else ""
    assert finance.get(LIST, {"q": number}).context["cl"].result_count == 1


def test_it_is_tried_again_once(finance: Client, failed: Delivery, django_capture_on_commit_callbacks: object) -> None:
    address = f"{LIST}{failed.pk}/repeat/"
    assert finance.get(address).status_code == 200
    assert Delivery.objects.get(pk=failed.pk).state == "failed"  # looking changes nothing
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert finance.post(address).status_code == 302
    row = Delivery.objects.get(pk=failed.pk)
    assert (row.state, row.attempts, row.error) == ("sent", 1, "")
    assert [one.to for one in mail.outbox] == [failed.recipients]
    again = finance.post(address, follow=True)
    assert "Only an e-mail that failed for good" in again.content.decode()
    assert len(mail.outbox) == 1


def test_who_may_not_send_may_only_look(failed: Delivery) -> None:
    auditor = signed_in("Auditor")
    assert auditor.get(LIST).status_code == 200
    assert auditor.post(f"{LIST}{failed.pk}/repeat/").status_code == 403
    assert auditor.post(f"{LIST}bulk/repeat/", {"ids": f"{failed.pk}"}).status_code == 403
    assert Delivery.objects.get(pk=failed.pk).state == "failed"
