"""A process or a session that dies between any two commits of a month end: billed, issued, rendered and sent. Run
again, each period is billed once, no number is lost or doubled, and no e-mail is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from billing.models import BilledPeriod, RatedCharge, Subscription
from billing.services import books_register, runs
from catalog.models import PlanVersion
from config.kernel import checks, jobs
from config.kernel.checks import Scope
from customers.models import BillingEntity, Customer
from invoicing.models import Delivery, Document, Invoice
from invoicing.services import books_checks, dispatch, document_pdf, invoices
from invoicing.services import books_register as invoicing_register
from tests.concurrency import crashes
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db(transaction=True)

AS_OF = instant("2026-02-01T00:10")
CUSTOMERS = 1


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """No message arrives, documents are cheap, and files survive the process that wrote them."""

    def drop(path: str, **kwargs: object) -> None:
        """Lose it."""

    def cheap(*, html: str) -> bytes:
        return b"%PDF-1.7 " + html.encode()

    monkeypatch.setattr(jobs, "enqueue", drop)
    monkeypatch.setattr(document_pdf, "write", cheap)
    settings.BILLING_RUN_CHUNK = 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "documents")},
        },
    }


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity(document_numbering="per_billing_entity", email_settings=["invoice.finalized"])


@pytest.fixture
def stories(entity: BillingEntity) -> Iterator[list[Customer]]:
    """Customers with a subscription and usage, for each time that the month ends."""
    metric = goods.make_metric("requests")
    plan = goods.make_plan("pro", cents=3100, charges=[goods.standard(metric, "0.5")])
    return (_customers(entity, plan, number) for number in range(crashes.MOST))


def _customers(entity: BillingEntity, plan: PlanVersion, number: int) -> list[Customer]:
    found = []
    for one in range(CUSTOMERS):
        name = f"c{number}-{one}"
        customer = parties.make_customer(entity, name, email=f"{name}@example.com")
        made.make_subscription(customer, plan, name, at=instant("2026-01-01"))
        made.send(name, "requests", "2026-01-10T08:00", "2026-01-11T08:00")
        found.append(customer)
    return found


def month_end() -> None:
    runs.run_scheduled(as_of=AS_OF)
    invoices.finalize_due(as_of=AS_OF)
    dispatch.sweep(as_of=AS_OF)


@pytest.mark.parametrize("mode", crashes.MODES)
def test_a_month_end(stories: Iterator[list[Customer]], mode: str) -> None:
    invoicing_register.register()
    books_register.register()
    points, customers = [], next(stories)
    for point in crashes.every_commit(month_end, mode=mode):
        points.append(point)
        month_end()
        for customer in customers:
            # 31.00 and two requests of 0.50
            assert [billed[1:] for billed in made.billed(customer)] == [("finalized", "32")]
        assert RatedCharge.objects.count() == 2 * BilledPeriod.objects.count()
        customers = next(stories)
    assert len(points) > 8

    count = len(points) * CUSTOMERS
    issued = Invoice.objects.order_by("sequential_id")
    assert list(issued.values_list("sequential_id", flat=True)) == list(range(1, count + 1))
    assert BilledPeriod.objects.count() == count == Subscription.objects.count() - CUSTOMERS
    # Who died while it sent had taken the e-mail for some minutes.
    dispatch.sweep(as_of=AS_OF + timedelta(hours=1))
    assert sorted(Delivery.objects.values_list("invoice_id", "number", "state")) == sorted(
        (pk, 1, "sent") for pk in issued.values_list("pk", flat=True)
    )
    documents = Document.objects.filter(kind="pdf")
    assert documents.count() == count
    assert all(default_storage.exists(document.file.name) for document in documents)
    names = [one.name for one in checks.registered() if one.name != "pdf_totals"]
    broken = books_checks.findings(scope=Scope(as_of=AS_OF), names=names)
    assert [(check.name, found.label, found.message) for check, found in broken] == []
