"""The books check in the admin: the list, a run in order, a run with findings and their rows, and starting one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from billing.models import Subscription
from config.kernel import actors, checks, jobs
from invoicing.models import BooksCheck, Invoice, InvoiceLine
from invoicing.services import books_checks
from tests.admin.conftest import NOW
from tests.factories import books
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

LIST = "/admin/invoicing/bookscheck/"


def run(**values: object) -> BooksCheck:
    return books_checks.run(as_of=NOW, trigger="schedule", actor=actors.job("check_books"), sample=2, **values)  # type: ignore[arg-type]


def test_an_empty_list_says_when_the_books_are_checked(auditor: Client) -> None:
    assert "checked every night" in auditor.get(LIST).content.decode()


def test_books_in_order(auditor: Client) -> None:
    row = run()

    page = auditor.get(f"{LIST}{row.pk}/change/").content.decode()

    assert row.status == "passed", list(row.results.exclude(status="passed").values("name", "error"))
    assert "The books are in order: every check holds." in page
    for check in checks.registered():
        assert check.title.replace("−", "−") in page
    assert "in order" in auditor.get(LIST).content.decode()


def test_findings_lead_to_their_rows(auditor: Client, company: Company) -> None:
    invoice = Invoice.objects.filter(status="finalized").earliest("pk")
    line = InvoiceLine.objects.filter(invoice=invoice, applied_taxes__isnull=False).earliest("pk")
    with books.behind_its_back() as cursor:
        cursor.execute("UPDATE invoicing_linetax SET rate = rate + 0.01 WHERE line_id = %s", [line.pk])
        cursor.execute("UPDATE billing_usage_event SET written_in = 1")
        cursor.execute("DELETE FROM billing_usage_event")
    row = run(since=NOW - timedelta(days=400))

    page = auditor.get(f"{LIST}{row.pk}/change/").content.decode()

    assert row.status == "failed"
    assert "The books are not in order: " in page
    assert "Line tax = its taxes, rounded once" in page
    assert "rate: the line says 0.19, its taxes 0.2" in page
    assert f'href="/admin/invoicing/invoice/{invoice.pk}/change/"' in page
    assert "events of 0 units were sent" in page
    assert Subscription.objects.exists()


def test_a_check_is_handed_to_a_worker(finance: Client, auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(jobs, "enqueue", lambda path, **_: sent.append(path))

    assert "What it proves" in finance.get(f"{LIST}start/").content.decode()
    assert sent == []
    assert auditor.post(f"{LIST}start/").status_code == 403
    assert finance.post(f"{LIST}start/").status_code == 302

    assert sent == ["invoicing.tasks.start_books_check"]


def test_a_run_that_goes_on_shows_how_far_it_is(auditor: Client) -> None:
    row = BooksCheck.objects.create(as_of=NOW, trigger="Ada", sample=1, seed=1, checks_total=20, checks_count=5)
    page = auditor.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "5 of 20" in page
    assert "No check is done yet." in page
