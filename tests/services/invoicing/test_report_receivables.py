"""What was open at months' ends: the month that runs is looked at today, and what is written off is not collected."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from moneyed import Money

from invoicing.queries import report_receivables
from invoicing.queries.revenue import Asked
from invoicing.services import write_offs
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
LATE = datetime(2026, 6, 20, 12, tzinfo=UTC)


def told(today: date) -> list[report_receivables.Standing]:
    found = report_receivables.sums(asked=Asked(currency="EUR"), until=date(2026, 6, 30), today=today)
    return report_receivables.standings(months=[MAY, JUNE], found=found, today=today)


def test_open_not_due_and_written_off() -> None:
    customer = make.make_customer(make.make_entity())
    invoice = make.issue(customer, "100")
    due_on = invoice.payment_due_date
    assert due_on is not None
    assert due_on < date(2026, 5, 31)

    [may, june] = told(due_on)  # the day on which it is due: May runs
    assert (may.open.amount, may.not_due.amount, june.open.amount) == (100, 100, 100)
    [may, _] = told(due_on + timedelta(days=1))
    assert (may.open.amount, may.not_due.amount) == (100, 0)

    amount = Money(Decimal(30), "EUR")
    row = write_offs.write_off(invoice_id=invoice.pk, amount=amount, reason="x", actor=make.ACTOR, at=LATE)
    [may, june] = told(LATE.date())
    assert (may.open.amount, may.written_off.amount) == (100, 0)
    assert (june.open.amount, june.written_off.amount) == (70, 30)

    write_offs.undo(write_off_id=row.pk, reason="paid after all", actor=make.ACTOR, at=LATE)
    [_, june] = told(LATE.date())
    assert (june.open.amount, june.written_off.amount) == (100, 0)
