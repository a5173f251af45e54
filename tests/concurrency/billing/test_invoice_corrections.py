"""Two people who correct the same invoice at once: the second one is told that it has changed, and nothing is doubled.

The control shows what happens where neither of them looked.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from moneyed import Money

from billing.services import invoice_corrections
from billing.services.invoice_corrections import Asked, Corrected
from invoicing.domain.corrections import Fix
from invoicing.models import Correction, CreditNote, Invoice
from invoicing.queries import ledger
from invoicing.services import corrections
from tests.concurrency import threads
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)


def correcting(invoice: Invoice, amount: str, **values: Any) -> Any:
    fix = Fix(invoice.lines.get().pk, amount=Money(amount, "EUR"))
    asked = Asked(reason="agreed", fixes=(fix,))
    return partial(
        invoice_corrections.correct, invoice_id=invoice.pk, asked=asked, actor=make.ACTOR, at=make.AT, **values
    )


@pytest.fixture
def invoice() -> Invoice:
    return make.issue(make.make_customer(make.make_entity()), "100.00")


def test_one_of_two_is_told_to_look_again(invoice: Invoice) -> None:
    fix = Fix(invoice.lines.get().pk, amount=Money("80", "EUR"))
    asked = Asked(reason="agreed", fixes=(fix,))
    seen = invoice_corrections.preview(invoice_id=invoice.pk, asked=asked, actor=make.ACTOR, at=make.AT).fingerprint

    results = threads.together([correcting(invoice, amount, fingerprint=seen) for amount in ("80", "70")])

    assert sorted(type(one).__name__ for one in results) == [Corrected.__name__, corrections.Outdated.__name__]
    assert (Correction.objects.count(), CreditNote.objects.count()) == (1, 1)
    assert ledger.out_of_balance() == {}


def test_without_having_looked_they_follow_each_other(invoice: Invoice) -> None:
    results = threads.together([correcting(invoice, amount) for amount in ("80", "70")])

    # In either order what stands at the end is what the last one said; nothing is taken off twice.
    done = [one for one in results if isinstance(one, Corrected)]
    stands = 100 - sum(note.sub_total_amount.amount for note in CreditNote.objects.all())
    assert len(done) in {1, 2}
    assert stands in {70, 80}
    assert ledger.out_of_balance() == {}


def test_one_key_corrects_once(invoice: Invoice) -> None:
    results = threads.together([correcting(invoice, "80", idempotency_key="k") for _ in range(4)])

    assert len({one.correction.pk for one in results}) == 1
    assert CreditNote.objects.count() == 1
