"""Payment habits: decided by customer and month alone, and never more than is due."""

from collections import Counter
from datetime import UTC, date, datetime

from config.demo import paying

LAST = date(2026, 5, 1)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
PAYERS = frozenset(f"acct_{number}" for number in range(40))


def invoice(customer="acct_1", issued="2026-03-01", total=10_001, paid=0, status="finalized"):
    return {
        "lago_id": f"{customer}/{issued}",
        "number": f"TH-{issued}",
        "status": status,
        "issuing_date": issued,
        "total_amount_cents": total,
        "total_paid_amount_cents": paid,
        "total_due_amount_cents": total - paid,
        "customer": {"external_id": customer},
    }


def invoices():
    months = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01"]
    return [invoice(f"acct_{number}", month) for number in range(40) for month in months]


def test_most_is_paid_in_full_a_little_in_part_and_a_little_not_at_all():
    kinds = Counter()
    for one in invoices():
        payment = paying.due(one, payers=PAYERS, last_month=LAST, at=LATER)
        kinds["none" if payment is None else "full" if payment.amount_cents == 10_001 else "part"] += 1

    assert kinds["full"] > 0.7 * 240
    assert 5 <= kinds["part"] <= 40
    assert 5 <= kinds["none"] <= 40


def test_payment_waits_for_its_day():
    found = [payment for one in invoices() if (payment := paying.due(one, payers=PAYERS, last_month=LAST, at=LATER))]
    early = datetime(2026, 3, 5, tzinfo=UTC)

    known = [payment for one in invoices() if (payment := paying.due(one, payers=PAYERS, last_month=LAST, at=early))]

    assert known == [payment for payment in found if payment.paid_at <= early]
    assert 0 < len(known) < len(found)
    assert all(payment.paid_at.date() > date(2026, 1, 1) for payment in found)


def test_nothing_comes_in_twice_or_for_what_is_not_owed():
    payable = next(one for one in invoices() if paying.due(one, payers=PAYERS, last_month=LAST, at=LATER))

    assert paying.due(payable | {"total_paid_amount_cents": 1}, payers=PAYERS, last_month=LAST, at=LATER) is None
    assert paying.due(payable | {"status": "draft"}, payers=PAYERS, last_month=LAST, at=LATER) is None
    assert paying.due(payable | {"total_due_amount_cents": 0}, payers=PAYERS, last_month=LAST, at=LATER) is None
    part = paying.due(payable | {"total_due_amount_cents": 400}, payers=PAYERS, last_month=LAST, at=LATER)
    assert part is not None  # a credit note took the rest off
    assert part.amount_cents <= 400


def test_somebodys_own_customers_never_pay():
    months = [f"2026-{month:02}-01" for month in range(1, 7)]
    own = [invoice(f"acme_{number}", month) for number in range(20) for month in months]

    assert not any(paying.due(one, payers=PAYERS, last_month=LAST, at=LATER) for one in own)


def test_payments_go_out_with_a_key_of_their_own():
    class Recorder:
        calls = ()

        def send(self, path, body, *, idempotency_key):
            self.calls = (*self.calls, (path, body["payment"], idempotency_key))

    recorder, steps = Recorder(), []
    payment = paying.Payment("id-1", "TH-1", 500, datetime(2026, 3, 4, 9, 30, tzinfo=UTC))

    assert paying.record(recorder, [payment], step=lambda: steps.append(1)) == 1

    body = {
        "invoice_id": "id-1",
        "amount_cents": 500,
        "reference": "Bank transfer TH-1",
        "paid_at": "2026-03-04T09:30:00Z",
    }
    assert recorder.calls == (("payments", body, "sample-payment-id-1"),)
    assert steps == [1]
