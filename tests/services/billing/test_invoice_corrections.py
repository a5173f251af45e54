"""Correcting invoices: the documents of each case to the cent, a preview that is what happens, and what is refused."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from moneyed import Money

from billing.domain.event_corrections import Action, CorrectionIn
from billing.models import AdjustedLine, OwedLine, UsageEvent
from billing.services import invoice_corrections, runs
from billing.services.invoice_corrections import Asked, Corrected
from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import Customer
from invoicing.domain.corrections import Fix
from invoicing.models import CorrectedLine, Correction, CreditNote, Invoice, InvoiceLine, Payment
from invoicing.queries import held_payments, ledger
from invoicing.services import invoices, payments, regenerating
from invoicing.services.regenerating import LineEdit
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = instant("2026-02-10")
TIERS = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 2, "per_unit_amount": "1", "flat_amount": "0"},
        {"from_value": 3, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "3"},
    ]
}


@pytest.fixture
def customer() -> Customer:
    """28.00 a month, 10 requests at 0.10 and 2 seats in tiers: 31.00 net, 37.20 with tax, for January."""
    requests, seats = goods.make_metric("requests"), goods.make_metric("seats")
    tiers = {**goods.standard(seats), "charge_model": "graduated", "properties": TIERS}
    plan = goods.make_plan("pro", cents=2800, charges=[goods.standard(requests, "0.10"), tiers])
    found = parties.make_customer(parties.make_entity(taxes=[parties.make_tax("t", "0.20")]))
    made.make_subscription(found, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", *(f"2026-01-{day}" for day in range(10, 20)))
    made.send("sub", "seats", "2026-01-10", "2026-01-11")
    return found


@pytest.fixture
def invoice(customer: Customer) -> Invoice:
    run("2026-02-01T00:10")
    return Invoice.objects.get()


def run(as_of: str) -> None:
    runs.run(as_of=instant(as_of), trigger="test", actor=ACTOR)


def pay(invoice: Invoice, amount: str) -> None:
    payments.record(
        invoice_id=invoice.pk, amount=Money(amount, "EUR"), reference="wire", paid_at=AT, actor=ACTOR, at=AT
    )


def fix(code: str, **values: Any) -> Fix:
    line = InvoiceLine.objects.get(item_code=code, invoice=Invoice.objects.order_by("pk").first())
    return Fix(line.pk, **{name: Decimal(value) if isinstance(value, str) else value for name, value in values.items()})


def correct(invoice: Invoice, *fixes: Fix, **values: Any) -> Corrected:
    """Look first, then do it; both have to say the same."""
    asked = Asked(reason="it was wrong", fixes=fixes, **values)
    rows = Invoice.objects.count(), CreditNote.objects.count(), AuditEntry.objects.count()
    shown = invoice_corrections.preview(invoice_id=invoice.pk, asked=asked, actor=ACTOR, at=AT)
    assert (Invoice.objects.count(), CreditNote.objects.count(), AuditEntry.objects.count()) == rows
    done = invoice_corrections.correct(
        invoice_id=invoice.pk, asked=asked, fingerprint=shown.fingerprint, actor=ACTOR, at=AT
    )
    assert shown.effect == done.effect
    assert shown.correction is None
    assert done.correction is not None
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert ledger.out_of_balance() == {}
    return done


def text(amount: Money) -> str:
    return f"{amount.amount:.2f}"


def balances(done: Corrected) -> dict[str, tuple[str, str]]:
    return {one.name: (text(one.before), text(one.after)) for one in done.effect.balances}


def taxes(done: Corrected) -> list[tuple[str, str]]:
    return [(text(part.base), text(part.amount)) for part in done.effect.taxes]


def test_too_much_on_an_unpaid_invoice_is_taken_off_what_is_due(invoice: Invoice) -> None:
    done = correct(invoice, fix("requests", units="4"))

    # 10 → 4 requests at 0.10: 0.60, and 20 % of it
    note = CreditNote.objects.get()
    assert (note.sub_total_amount.amount, note.offset_amount.amount) == (Decimal("0.60"), Decimal("0.72"))
    assert not note.credit_amount
    assert balances(done) == {
        "invoice_due": ("37.20", "36.48"),
        "receivable": ("37.20", "36.48"),
        "revenue": ("31.00", "30.40"),
        "tax": ("6.20", "6.08"),
    }
    assert taxes(done) == [("-0.60", "-0.12")]
    assert {(one.role, text(one.amount)) for one in done.effect.accounts} == {
        ("receivable", "-0.72"),
        ("revenue", "0.60"),
        ("tax", "0.12"),
    }
    assert AuditEntry.objects.get(verb="correct", object_id=invoice.pk).reason == "it was wrong"


@pytest.mark.parametrize(
    ("paid", "way", "parts"),
    [  # 28.00 that should not have been billed: 33.60 with tax
        ("37.20", "", ("33.60", "0.00", "0.00")),
        ("37.20", "refund", ("0.00", "33.60", "0.00")),
        ("10.00", "refund", ("0.00", "6.40", "27.20")),  # 27.20 are due
        ("10.00", "credit", ("6.40", "0.00", "27.20")),
    ],
)
def test_what_was_paid_is_credit_or_a_refund(invoice: Invoice, paid: str, way: str, parts: tuple[str, ...]) -> None:
    pay(invoice, paid)

    correct(invoice, fix("pro", not_owed=True), given_back_by=way)

    note = CreditNote.objects.get()
    assert tuple(text(one) for one in (note.credit_amount, note.refund_amount, note.offset_amount)) == parts


def test_too_little_waits_for_the_next_invoice(invoice: Invoice, customer: Customer) -> None:
    done = correct(invoice, fix("requests", unit_amount="0.25"), fix("seats", units="4"))

    # 10 × 0.25 − 1.00 = 1.50; by tiers 2 × 1 + 3 + 2 × 0.5 = 6.00, less 2.00
    assert [(text(row.amount), row.line_id) for row in OwedLine.objects.all()] == [("1.50", None), ("4.00", None)]
    assert [made.kind for made in done.effect.documents] == ["next_invoice_line"]
    assert Invoice.objects.count() == 1
    run("2026-03-01T00:10")
    later = Invoice.objects.order_by("pk")[1]
    assert later.fees_amount.amount == Decimal("33.50")
    labels = list(later.lines.order_by("position").values_list("label", flat=True))
    assert [label for label in labels if "correction of" in label] == [
        f"Requests – correction of {invoice}",
        f"Seats – correction of {invoice}",
    ]
    run("2026-04-01T00:10")
    assert Invoice.objects.order_by("pk")[2].fees_amount.amount == Decimal(28)


def test_a_draft_takes_it_and_gives_it_up_again(invoice: Invoice, customer: Customer) -> None:
    correct(invoice, fix("requests", unit_amount="0.25"))
    Customer.objects.filter(pk=customer.pk).update(invoice_grace_period=5)
    run("2026-03-01T00:10")
    draft = Invoice.objects.get(status="draft")
    assert draft.fees_amount.amount == Decimal("29.50")

    invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-03-02"))
    draft.refresh_from_db()
    assert draft.fees_amount.amount == Decimal("29.50")
    invoices.void_draft(invoice_id=draft.pk, reason="wrong", actor=ACTOR, at=instant("2026-03-02"))

    assert OwedLine.objects.get().line_id is None
    run("2026-03-02T00:10")
    assert Invoice.objects.get(status="draft").fees_amount.amount == Decimal("29.50")


def test_what_waits_gives_way_to_what_is_right(invoice: Invoice) -> None:
    correct(invoice, fix("requests", unit_amount="0.25"))
    with pytest.raises(errors.Invalid):
        correct(invoice, fix("requests", unit_amount="0.25"))

    correct(invoice, fix("requests", units="4"))

    # 1.00 → 0.40; nothing of the 1.50 is billed
    assert CreditNote.objects.get().sub_total_amount.amount == Decimal("0.60")
    run("2026-03-01T00:10")
    assert Invoice.objects.order_by("pk")[1].fees_amount.amount == Decimal(28)


def test_or_it_is_billed_by_an_invoice_of_its_own(invoice: Invoice) -> None:
    done = correct(invoice, fix("requests", amount=Money("3.33", "EUR")), owed_by="own_invoice")

    own = Invoice.objects.order_by("pk")[1]
    # 3.33 − 1.00, and 20 % of it: 0.466
    assert (own.status, own.fees_amount.amount, own.total_amount.amount) == (
        "finalized", Decimal("2.33"), Decimal("2.80"),
    )  # fmt: skip
    assert balances(done)["receivable"] == ("37.20", "40.00")
    again = correct(invoice, fix("requests", amount=Money("4", "EUR")), owed_by="own_invoice")
    assert again.told[0]["fees"][0]["difference_amount_cents"] == 67
    with pytest.raises(errors.Invalid) as refused:
        correct(invoice, fix("requests", amount=Money("4", "EUR")))
    assert refused.value.code == "nothing_to_correct"


def test_both_at_once_are_two_documents(invoice: Invoice) -> None:
    correct(invoice, fix("requests", units="20"), fix("pro", amount=Money("20", "EUR")), owed_by="own_invoice")

    assert CreditNote.objects.get().sub_total_amount.amount == Decimal(8)
    assert Invoice.objects.order_by("pk")[1].fees_amount.amount == Decimal(1)
    assert Correction.objects.get().documents.count() == 2


def test_wrong_particulars_are_corrected_by_another_invoice_that_has_the_money(invoice: Invoice) -> None:
    pay(invoice, "37.20")

    done = correct(invoice, fix("requests", units="0"), particulars={"legal_name": "Right Ltd", "city": "Bath"})

    old, new = Invoice.objects.order_by("pk")
    assert (old.status, new.status, new.regenerated_from_id) == ("voided", "finalized", old.pk)
    assert new.snapshot["buyer"]["legal_name"] == "Right Ltd"
    # 30.00 and 20 %: 36.00 of 37.20
    assert (new.total_amount.amount, new.payment_status, new.paid_amount.amount) == (
        Decimal(36), "succeeded", Decimal(36),
    )  # fmt: skip
    assert held_payments.held(Payment.objects.get()).amount == Decimal("1.20")
    assert CreditNote.objects.get().credit_status == "voided"
    assert balances(done) == {
        "customer_credit": ("0.00", "1.20"),
        "invoice_due": ("0.00", "0.00"),
        "revenue": ("31.00", "30.00"),
        "tax": ("6.20", "6.00"),
    }
    assert taxes(done) == [("-1.00", "-0.20")]


def test_wrong_taxes(invoice: Invoice) -> None:
    reduced = parties.make_tax("reduced", "0.07")

    done = correct(invoice, fix("pro", tax_ids=(reduced.pk,)))

    # 28.00 at 7 % = 1.96 and 3.00 at 20 % = 0.60
    new = Invoice.objects.order_by("pk")[1]
    assert (new.fees_amount.amount, new.taxes_amount.amount) == (Decimal(31), Decimal("2.56"))
    assert taxes(done) == [("28.00", "1.96"), ("-28.00", "-5.60")]


def test_what_was_credited_before_is_not_billed_again(invoice: Invoice) -> None:
    correct(invoice, fix("pro", amount=Money("20", "EUR")))

    correct(invoice, document_is_wrong=True)

    new = Invoice.objects.order_by("pk")[1]
    assert (new.fees_amount.amount, new.total_amount.amount) == (Decimal(23), Decimal("27.60"))
    balance = {row.role: row.amount for row in ledger.balances(customer_id=invoice.customer_id) if row.amount}
    assert balance["receivable"].amount == Decimal("27.60")


def withdrawal(number: str, corrects: str) -> CorrectionIn:
    sent = {"corrects": corrects, "action": "withdraw", "reason": "twice"}
    return CorrectionIn(f"fix-{number}", "sub", corrects, Action.WITHDRAW, "twice", sent=sent)


def test_wrong_usage_is_corrected_by_its_events(invoice: Invoice) -> None:
    ids = UsageEvent.objects.filter(code="requests").order_by("timestamp").values_list("transaction_id", flat=True)[:3]

    done = correct(invoice, events=tuple(withdrawal(str(number), one) for number, one in enumerate(ids)))

    note = CreditNote.objects.get()
    assert (note.sub_total_amount.amount, note.offset_amount.amount) == (Decimal("0.30"), Decimal("0.36"))
    assert balances(done)["invoice_due"] == ("37.20", "36.84")
    assert done.told[0]["kind"] == "usage"
    with pytest.raises(errors.Conflict):
        correct(invoice, events=(withdrawal("x", ids[0]),))


def test_a_draft_is_adjusted_and_no_document_is_made(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(invoice_grace_period=5)
    run("2026-02-01T00:10")
    draft = Invoice.objects.get()

    done = correct(draft, fix("seats", units="4"), fix("requests", not_owed=True))

    # 28 + 6.00
    draft.refresh_from_db()
    assert (draft.status, draft.fees_amount.amount) == ("draft", Decimal(34))
    assert AdjustedLine.objects.count() == 2
    assert not CorrectedLine.objects.exists()
    assert [one.kind for one in done.effect.documents] == ["draft"]
    assert not done.effect.accounts


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"units": "-1"}, "value_is_out_of_range"),
        ({"units": "10"}, "nothing_to_correct"),
        ({}, "value_is_mandatory"),
        ({"units": "1", "not_owed": True}, "value_is_invalid"),
        ({"amount": Money("1", "USD")}, "currencies_does_not_match"),
    ],
)
def test_what_is_refused(invoice: Invoice, values: dict[str, Any], code: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        correct(invoice, fix("requests", **values))
    assert refused.value.code == code
    assert not Correction.objects.exists()


def test_a_voided_invoice_is_not_corrected_and_what_waits_of_it_is_dropped(invoice: Invoice) -> None:
    correct(invoice, fix("requests", unit_amount="0.25"))
    invoices.void(invoice_id=invoice.pk, actor=ACTOR, at=AT)

    with pytest.raises(errors.NotAllowed) as refused:
        correct(invoice, fix("requests", units="1"))
    assert refused.value.code == "not_correctable"
    run("2026-03-01T00:10")
    assert Invoice.objects.order_by("pk")[1].fees_amount.amount == Decimal(28)


def test_a_repeat_changes_nothing_and_a_change_in_between_refuses(invoice: Invoice) -> None:
    asked = Asked(reason="wrong", fixes=(fix("requests", units="4"),))
    shown = invoice_corrections.preview(invoice_id=invoice.pk, asked=asked, actor=ACTOR, at=AT)
    pay(invoice, "1.00")
    with pytest.raises(errors.Conflict) as refused:
        invoice_corrections.correct(
            invoice_id=invoice.pk, asked=asked, fingerprint=shown.fingerprint, actor=ACTOR, at=AT
        )
    assert refused.value.code == "correction_outdated"

    keyed = {"invoice_id": invoice.pk, "actor": ACTOR, "at": AT, "idempotency_key": "k"}
    first = invoice_corrections.correct(asked=asked, **keyed)
    second = invoice_corrections.correct(asked=asked, **keyed)

    assert first.correction == second.correction
    assert CreditNote.objects.count() == 1
    other = Asked(reason="wrong", fixes=(fix("requests", units="5"),))
    with pytest.raises(errors.Conflict):
        invoice_corrections.correct(asked=other, **keyed)
    with contextlib.suppress(IntegrityError), transaction.atomic():
        Correction.objects.update(reason="other")
    assert Correction.objects.get().reason == "wrong"


def test_units_alone_keep_a_price_that_was_set_by_hand(invoice: Invoice) -> None:
    """10 × 0.10 are made anew as 10 × 0.20; of 12 of them 2 are missing, which makes 0.40 and 20 % of it."""
    line = invoice.lines.get(item_code="requests")
    invoices.void(invoice_id=invoice.pk, actor=ACTOR, at=AT)
    edits = {line.pk: LineEdit(units=Decimal(10), unit_amount=Decimal("0.20"))}
    anew = regenerating.regenerate(invoice_id=invoice.pk, actor=ACTOR, at=AT, edits=edits)
    edited = anew.lines.get(item_code="requests")

    asked = Asked(reason="wrong", fixes=(Fix(edited.pk, units=Decimal(12)),), owed_by="own_invoice")
    invoice_corrections.correct(invoice_id=anew.pk, asked=asked, actor=ACTOR, at=AT)

    own = Invoice.objects.latest("pk")
    assert (edited.amount.amount, own.fees_amount.amount, own.total_amount.amount) == (
        Decimal(2),
        Decimal("0.40"),
        Decimal("0.48"),
    )
