"""Writing many rows at once: what COPY and one UPDATE write is what Django would have written."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from moneyed import Money

from config.kernel import rows
from config.kernel.actors import SYSTEM
from config.platform.models import AuditEntry
from invoicing.models import Invoice, InvoiceLine
from tests.factories import documents as factory
from tests.factories.documents import LineRow

pytestmark = pytest.mark.django_db

MANY = rows.FEW + 1
ODD = 'tab\there, "quotes", \\back\\slash, {braces}, \n, ü, NULL, \\N'


def entries(count: int) -> list[AuditEntry]:
    return [
        AuditEntry(
            at=factory.AT,
            created_at=factory.AT,
            actor_kind=SYSTEM.kind,
            actor_label=ODD,
            verb="try",
            object_type="a.b",
            object_id=number,
            object_label=f"{number}",
            old={},
            new={"text": ODD, "number": number, "none": None},
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, MANY])
def test_rows_come_back_as_they_were_written(count: int) -> None:
    made = rows.insert(entries(count))
    found = list(AuditEntry.objects.order_by("pk"))
    assert [row.pk for row in made] == [row.pk for row in found]
    for row, stored in zip(made, found, strict=True):
        for field in AuditEntry._meta.concrete_fields:
            assert getattr(row, field.attname) == getattr(stored, field.attname), field.name
    assert not any(row._state.adding for row in made)


def test_lines_come_back_as_they_were_written() -> None:
    invoice = factory.draft(factory.buyer(factory.seller()), [LineRow(ODD, "1.10", units="0.000000000000001")])
    (line,) = invoice.lines.all()
    values = {field.attname: getattr(line, field.attname) for field in InvoiceLine._meta.concrete_fields}
    values |= {"id": None, "amount_details": {"free_units": ODD}, "total_units": Decimal("1E+3")}
    del values["uuid"]
    rows.insert([InvoiceLine(**values | {"position": number}) for number in range(2, 2 + MANY)])
    found = list(invoice.lines.order_by("position")[1:])
    assert [row.position for row in found] == list(range(2, 2 + MANY))
    del values["id"], values["position"]
    assert all(getattr(row, name) == value for row in found for name, value in values.items())
    assert len({row.uuid for row in found}) == MANY


def test_what_the_database_refuses_is_not_written() -> None:
    twice = entries(MANY)
    twice[-1].uuid = twice[0].uuid
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(twice)
    assert not AuditEntry.objects.exists()


def test_known_rows_get_the_named_fields_only() -> None:
    customer = factory.buyer(factory.seller())
    invoices = [factory.draft(customer, [LineRow("Fee", "1.00")]) for _ in range(2)]
    for number, invoice in enumerate(invoices):
        invoice.snapshot = {"text": ODD, "number": number}
        invoice.issuing_date = date(2026, 6, 2 + number)
        invoice.coupons_amount = Money("0.25", "EUR")
        invoice.voided_at = None
        invoice.locale = "fr"
    names = ["snapshot", "issuing_date", "voided_at", "purchase_order_number"]
    assert rows.update(invoices, names) == 2
    found = Invoice.objects.order_by("pk")
    assert [row.snapshot for row in found] == [{"text": ODD, "number": 0}, {"text": ODD, "number": 1}]
    assert [row.issuing_date.day for row in found] == [2, 3]
    # Neither of these was named.
    assert {(row.locale, row.coupons_amount) for row in found} == {("de", Money(0, "EUR"))}


def test_nothing_to_update_asks_nothing() -> None:
    assert rows.update([], ["locale"]) == 0
