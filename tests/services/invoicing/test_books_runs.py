"""Runs of the books check: what is kept of them, and that it stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from config.kernel import checks, jobs
from config.kernel.checks import Check, Scope, Verdict
from invoicing.models import BooksCheck, BooksCheckResult, BooksFinding, InvoiceLine
from invoicing.services import books_checks, invoices
from tests.factories import books
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


def run(**values: Any) -> BooksCheck:
    return books_checks.run(as_of=make.AT, trigger="test", actor=make.ACTOR, **values)


def test_a_run_keeps_what_it_found() -> None:
    customer = make.make_customer(make.make_entity())
    bills = [make.issue(customer, "10.00") for _ in range(3)]
    assert run().status == "passed"
    with books.behind_its_back() as cursor:
        cursor.execute("UPDATE invoicing_invoice SET payment_overdue = TRUE, payment_status = 'succeeded'")

    row = run(sample=7, seed=3)

    assert (row.status, row.findings_count, row.broken_count) == ("failed", 3, 1)
    assert row.checks_count == row.checks_total == len(checks.registered())
    assert (row.sample, row.seed) == (7, 3)
    assert row.finished_at is not None
    result = row.results.get(name="payment_status")
    assert (result.status, result.looked_at, result.findings_count) == ("failed", 3, 3)
    assert [(found.subject_type, found.subject_id, found.label) for found in result.findings.all()] == [
        ("invoicing.invoice", bill.pk, bill.number) for bill in bills
    ]
    assert not row.results.exclude(name="payment_status").exclude(status="passed").exists()


def test_many_findings_are_counted_and_the_first_are_kept() -> None:
    customer = make.make_customer(make.make_entity())
    specs = [make.spec(customer, "1.00") for _ in range(checks.KEPT + 5)]
    made = invoices.draft_many(specs=specs, actor=make.ACTOR, at=make.AT)
    invoices.finalize_many(invoice_ids=[one.invoice.pk for one in made], actor=make.ACTOR, at=make.AT)
    with books.behind_its_back() as cursor:
        cursor.execute("UPDATE invoicing_invoice SET payment_overdue = TRUE, payment_status = 'succeeded'")

    result = run(names=["payment_status"]).results.get()

    assert result.findings_count == checks.KEPT + 5
    assert result.findings.count() == checks.KEPT


def test_since_narrows_single_rows() -> None:
    make.issue(make.make_customer(make.make_entity()), "1.00")
    with books.behind_its_back() as cursor:
        cursor.execute("UPDATE invoicing_invoice SET payment_overdue = TRUE, payment_status = 'succeeded'")

    assert run(since=make.AT).findings_count == 1
    assert run(since=make.AT + timedelta(seconds=1)).findings_count == 0


def test_a_check_that_cannot_be_run_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(scope: Scope) -> Verdict:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        raise AssertionError

    bad = Check(name="bad", title="Bad", proves="Nothing.", run=fail)
    good = Check(name="good", title="Good", proves="All.", run=lambda _: Verdict(looked_at=1))
    monkeypatch.setattr(checks, "_registered", {"bad": bad, "good": good})

    row = run()

    assert (row.status, row.broken_count, row.findings_count) == ("failed", 1, 0)
    assert [(one.name, one.status) for one in row.results.all()] == [("bad", "error"), ("good", "passed")]
    assert "DataError: division by zero" in row.results.get(name="bad").error


def test_a_run_refuses_what_it_does_not_know() -> None:
    with pytest.raises(books_checks.UnknownCheck, match="no check 'nonsense'"):
        run(names=["nonsense"])
    with pytest.raises(books_checks.InvalidSample):
        run(sample=-1)
    assert not BooksCheck.objects.exists()


def test_the_same_seed_draws_the_same_and_every_night_another() -> None:
    first = books_checks.run_scheduled(as_of=make.AT)
    again = books_checks.run_scheduled(as_of=make.AT + timedelta(hours=1))
    later = books_checks.run_scheduled(as_of=make.AT + timedelta(days=1))
    assert (again.seed, later.seed) == (first.seed, first.seed + 1)
    assert jobs.periodic_jobs()["check_books"].hours == "2"


def test_another_check_of_a_name_is_refused() -> None:
    known = checks.registered()[0]
    checks.register(known)
    with pytest.raises(ValueError, match="already"):
        checks.register(Check(name=known.name, title="", proves="", run=known.run))


@pytest.mark.parametrize("model", [BooksCheck, BooksCheckResult, BooksFinding])
@pytest.mark.parametrize("verb", ["UPDATE {} SET created_at = created_at", "DELETE FROM {}"])
def test_what_was_found_stays(model: Any, verb: str) -> None:
    make.issue(make.make_customer(make.make_entity()), "1.00")
    with books.behind_its_back() as cursor:
        cursor.execute("UPDATE invoicing_invoice SET payment_overdue = TRUE, payment_status = 'succeeded'")
    run(names=["payment_status"])

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb.format(model._meta.db_table))


def test_lines_are_known() -> None:
    """The line of a finding is one of the invoice that it leads to."""
    bill = make.issue(make.make_customer(make.make_entity(taxes=[make.make_tax()])), "1.00")
    with books.behind_its_back() as cursor:
        cursor.execute("UPDATE invoicing_linetax SET rate = 0.2")

    found = run(names=["line_taxes"]).results.get().findings.get()

    assert (found.subject_type, InvoiceLine.objects.get(pk=found.subject_id).invoice_id) == (
        "invoicing.invoiceline", bill.pk,
    )  # fmt: skip
