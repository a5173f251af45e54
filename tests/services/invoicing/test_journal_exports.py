"""Exports of the journal: every entry comes once, late ones with the next, and the same file for the same question."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.models import BillingEntity
from invoicing.models import JournalExport, LedgerEntry
from invoicing.services import journal_exports, payments
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

MAY, JUNE, JULY = (datetime(2026, month, 1, 0, 10, tzinfo=UTC) for month in (5, 6, 7))
END_OF_MAY, END_OF_JUNE = date(2026, 5, 31), date(2026, 6, 30)


def export(entity: BillingEntity, at: datetime = JULY, **values: Any) -> JournalExport:
    return journal_exports.create(billing_entity_id=entity.pk, actor=make.ACTOR, at=at, **values)


def read(found: JournalExport, kind: str = "csv") -> bytes:
    return b"".join(journal_exports.content(export=found, kind=kind))


def ids(found: JournalExport) -> list[int]:
    rows = csv.DictReader(io.StringIO(read(found).decode(), newline=""))
    return list(dict.fromkeys(int(row["entry_id"]) for row in rows))


def test_a_month_is_exported_and_what_comes_late_is_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_exports, "PIECE", 1)
    entity = make.make_entity(taxes=[make.make_tax()])
    customer = make.make_customer(entity, name='Bolt, "Nuts" & Söhne')
    other = make.issue(make.make_customer(make.make_entity("other"), "c9"), "1.00")
    may = make.issue(customer, "100.00", billed_at=MAY, at=MAY)
    june = make.issue(customer, "1000", currency="JPY", billed_at=JUNE, at=JUNE)

    first = export(entity, until_date=END_OF_MAY)

    assert (first.number, first.since_date, first.entries_count, first.late_count) == (1, None, 1, 0)
    assert first.totals == {"EUR": {"debit": "119.0000", "credit": "119.0000"}}
    text = read(first)
    assert hashlib.sha256(text).hexdigest() == first.csv_sha256
    assert text.count(b"\r\n") == 4
    head, *rows = csv.reader(io.StringIO(text.decode(), newline=""))
    assert head[:4] == ["journal", "entry_id", "entry_uuid", "accounting_date"]
    line = dict(zip(head, rows[0], strict=True))
    assert (line["account_code"], line["debit"], line["credit"], line["currency"]) == ("1200", "119.00", "", "EUR")
    assert (line["accounting_date"], line["invoice_number"], line["late"]) == ("2026-05-01", may.number, "no")

    # Paid in May, told in July: the month was exported
    payments.record(
        invoice_id=may.pk, amount=may.total_amount, reference="late, “quoted”", paid_at=MAY, actor=make.ACTOR, at=JULY
    )
    assert export(entity, until_date=END_OF_MAY) == first
    assert read(first) == text
    second = export(entity, until_date=END_OF_JUNE)
    assert (second.since_date, second.entries_count, second.late_count) == (date(2026, 6, 1), 2, 1)
    content = json.loads(read(second, "json"))
    assert hashlib.sha256(read(second, "json")).hexdigest() == second.json_sha256
    assert [entry["late"] for entry in content["entries"]] == [False, True]
    assert content["entries"][0]["postings"][0] == {
        "account_code": "1200",
        "account_name": "Receivables",
        "account_type": "asset",
        "currency": "JPY",
        "debit": "1190",
        "credit": None,
        "invoice_number": june.number,
    }
    assert content["controls"]["totals"] == second.totals
    assert content["journal"]["since_date"] == "2026-06-01"
    every = LedgerEntry.objects.filter(billing_entity=entity).order_by("pk").values_list("pk", flat=True)
    assert ids(first) + ids(second) == list(every)
    booked = LedgerEntry.objects.filter(source_type="invoicing.invoice", source_id=other.pk)
    assert [entry.billing_entity == entity for entry in booked] == [False]


def test_what_is_refused() -> None:
    entity = make.make_entity(taxes=[make.make_tax()])
    with pytest.raises(journal_exports.NothingToExport):
        export(entity)
    make.issue(make.make_customer(entity), "1.00")
    with pytest.raises(journal_exports.UnableToExport, match="to come"):
        export(entity, until_date=date(2026, 7, 2))
    first = export(entity, until_date=END_OF_JUNE, idempotency_key="a")
    assert export(entity, until_date=END_OF_JUNE, idempotency_key="a") == first
    with pytest.raises(journal_exports.KeyReused):
        export(entity, idempotency_key="a")
    with pytest.raises(journal_exports.UnableToExport, match="exported"):
        export(entity, until_date=END_OF_MAY)
    with pytest.raises(journal_exports.NothingToExport):
        export(entity)
    for change in (
        lambda: JournalExport.objects.update(entries_count=0),
        lambda: first.parts.all().delete(),
        lambda: JournalExport.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    assert JournalExport.objects.count() == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.integers(1, 28)),
        st.tuples(st.just("export"), st.one_of(st.none(), st.integers(1, 28))),
    ),
    max_size=10,
)


@given(steps=STEPS)
@settings(max_examples=8, deadline=None)
def test_every_entry_is_exported_once(steps: list[tuple[str, int | None]]) -> None:
    with transaction.atomic():
        entity = make.make_entity()
        customer = make.make_customer(entity)
        for what, day in steps:
            if what == "book":
                at = datetime(2026, 5, day or 1, tzinfo=UTC)
                make.issue(customer, "1.00", billed_at=at, at=at)
            else:
                try:
                    export(entity, until_date=date(2026, 5, day) if day else None)
                except (journal_exports.NothingToExport, journal_exports.UnableToExport):
                    continue
        with contextlib.suppress(journal_exports.NothingToExport):
            export(entity)
        exports = list(JournalExport.objects.order_by("number"))
        found = [pk for one in exports for pk in ids(one)]
        assert sorted(found) == sorted(LedgerEntry.objects.values_list("pk", flat=True))
        assert sum(one.entries_count for one in exports) == len(found)
        for one in exports:
            assert all(Decimal(sums["debit"]) == Decimal(sums["credit"]) for sums in one.totals.values())
        transaction.set_rollback(True)
