"""An amount in parts meets the limit that the whole meets: on the same document, or of the same customer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from moneyed import Money

from config.kernel.actors import Actor
from config.platform.models import ApprovalRule
from config.platform.services import approval_rules, approvals
from config.platform.services.approval_rules import RuleValues
from config.platform.services.approvals import ApprovalRequired, Wish
from invoicing.models import CreditNote, WriteOff
from invoicing.queries import had_before
from invoicing.services import approval_actions, credit_notes, held_payments, invoices, payments, voiding, write_offs
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

ALICE = Actor(kind="user", label="Alice")
KEY = Actor(kind="api_key", label="ERP")


def limit(action: str, above: str = "100", counts: str = "document", days: int | None = None) -> ApprovalRule:
    group = Group.objects.get_or_create(name="Checkers")[0]
    values = RuleValues(action, group.pk, "EUR", Decimal(above), counts, days)
    return approval_rules.create(values=values, actor=make.ACTOR, at=make.AT)


def eur(text: str) -> Money:
    return Money(text, "EUR")


def test_write_offs_of_an_invoice_add_up_until_they_are_undone() -> None:
    limit(approval_actions.WRITE_OFF)
    customer = make.make_customer(make.make_entity())
    invoice, other = make.issue(customer, "500"), make.issue(customer, "500")

    def give_up(amount: str, actor: Actor = ALICE, of: object = invoice) -> WriteOff:
        return write_offs.write_off(
            invoice_id=of.pk,  # type: ignore[attr-defined]
            amount=eur(amount),
            reason="x",
            actor=actor,
            at=make.AT,
        )

    first = give_up("60")
    give_up("40", KEY)  # 60 + 40 = 100: the limit
    for actor in (ALICE, KEY):
        with pytest.raises(ApprovalRequired) as refused:
            give_up("0.01", actor)
        assert refused.value.amount == eur("0.01")
        assert refused.value.needed.total == eur("100.01")
        assert "before it" in refused.value.needed.why
    give_up("100", of=other)  # another document
    write_offs.undo(write_off_id=first.pk, reason="paid", actor=make.ACTOR, at=make.AT)
    give_up("60")  # 40 + 60
    assert sum(row.amount.amount for row in WriteOff.objects.filter(reversal__isnull=True)) == 200


def test_what_a_customer_had_counts_for_so_many_days() -> None:
    limit(approval_actions.WRITE_OFF, counts="customer", days=30)
    customer = make.make_customer(make.make_entity())
    first, second = make.issue(customer, "500"), make.issue(customer, "500")
    write_offs.write_off(invoice_id=first.pk, amount=eur("90"), reason="x", actor=ALICE, at=make.AT)
    given = {"invoice_id": second.pk, "amount": eur("11"), "reason": "x", "actor": ALICE}
    with pytest.raises(ApprovalRequired):
        write_offs.write_off(**given, at=make.AT + timedelta(days=30))
    write_offs.write_off(**given, at=make.AT + timedelta(days=30, seconds=1))


def test_each_by_itself_is_as_a_rule_says() -> None:
    limit(approval_actions.WRITE_OFF, counts="each")
    invoice = make.issue(make.make_customer(make.make_entity()), "500")
    for _ in range(3):
        write_offs.write_off(invoice_id=invoice.pk, amount=eur("100"), reason="x", actor=ALICE, at=make.AT)
    with pytest.raises(ApprovalRequired):
        write_offs.write_off(invoice_id=invoice.pk, amount=eur("100.01"), reason="x", actor=ALICE, at=make.AT)


def test_credit_notes_their_refunds_and_held_money_add_up() -> None:
    for action in (
        approval_actions.CREDIT_NOTE,
        approval_actions.REFUND_CREDIT_NOTE,
        approval_actions.REFUND_PAYMENT,
    ):
        limit(action)
    invoice = make.issue(make.make_customer(make.make_entity()), "500")
    payments.record(
        invoice_id=invoice.pk, amount=eur("500"), reference="", paid_at=make.AT, actor=make.ACTOR, at=make.AT
    )
    line = invoice.lines.get()

    def credit(amount: str, actor: Actor = ALICE) -> CreditNote:
        return credit_notes.create(
            invoice_id=invoice.pk,
            amounts={line.pk: eur(amount)},
            reason="other",
            refund=eur(amount),
            actor=actor,
            at=make.AT,
        )

    notes = [credit("60"), credit("40"), credit("30", make.ACTOR)]
    with pytest.raises(ApprovalRequired):
        credit("1")
    for note in notes[:2]:
        credit_notes.tell_refund(credit_note_id=note.pk, refund_status="succeeded", actor=KEY, at=make.AT)
    with pytest.raises(ApprovalRequired):  # 60 + 40 + 30
        credit_notes.tell_refund(credit_note_id=notes[2].pk, refund_status="succeeded", actor=KEY, at=make.AT)

    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)
    payment = invoice.allocations.get().payment
    given = {"payment_id": payment.pk, "reference": "", "actor": ALICE, "at": make.AT}
    for amount in ("70", "30"):
        held_payments.refund(amount=eur(amount), **given)
    with pytest.raises(ApprovalRequired):
        held_payments.refund(amount=eur("0.01"), **given)


def test_voids_of_a_customer_add_up_with_tax() -> None:
    limit(approval_actions.VOID_INVOICE, counts="customer")
    customer = make.make_customer(make.make_entity())
    first, second = make.issue(customer, "60"), make.issue(customer, "50")
    voiding.void(invoice_id=first.pk, actor=ALICE, at=make.AT)
    with pytest.raises(ApprovalRequired) as refused:
        voiding.void(invoice_id=second.pk, actor=ALICE, at=make.AT)
    assert refused.value.needed.total == first.gross_amount + second.gross_amount


def test_what_grew_since_it_was_asked_is_not_covered_by_the_request() -> None:
    """Asked for 50 with 60 before it; by the time it is approved 1,000 more were given up: that is for directors."""
    limit(approval_actions.WRITE_OFF)
    directors = Group.objects.create(name="Directors")
    approval_rules.create(
        values=RuleValues(approval_actions.WRITE_OFF, directors.pk, "EUR", Decimal(1000)),
        actor=make.ACTOR,
        at=make.AT,
    )
    asker, checker = (User.objects.create_user(name) for name in ("asker", "checker"))
    checker.groups.add(Group.objects.get(name="Checkers"))
    checker.is_superuser = True
    checker.save()
    invoice = make.issue(make.make_customer(make.make_entity()), "5000")
    person = Actor(kind="user", label="Asker", user_id=asker.pk)

    def give_up(amount: str, actor: Actor) -> WriteOff:
        return write_offs.write_off(invoice_id=invoice.pk, amount=eur(amount), reason="x", actor=actor, at=make.AT)

    give_up("60", person)
    with pytest.raises(ApprovalRequired) as refused:
        give_up("50", person)
    wish = Wish("write_off", "Write off", "invoicing.invoice", invoice.pk, str(invoice), {}, ())
    row = approvals.ask(wish=wish, refusal=refused.value, actor=person, at=make.AT)
    assert (row.amount, row.total, row.asked_of) == (50, 110, [Group.objects.get(name="Checkers").pk])
    give_up("1000", make.ACTOR)
    other = Actor(kind="user", label="Checker", user_id=checker.pk)
    with pytest.raises(approvals.NotYourDecision, match="Directors"):
        approvals.approve(request_id=row.pk, perform=lambda both: give_up("50", both), actor=other, at=make.AT)
    row.refresh_from_db()
    assert row.status == "waiting"

    with connection.cursor() as cursor:
        table = "platform_approvalrequest"
        for statement in (
            f"UPDATE {table} SET amount = 1 WHERE id = {row.pk}",
            f'UPDATE {table} SET values = \'{{"amount": ["1"]}}\' WHERE id = {row.pk}',
            f"UPDATE {table} SET asked_by_id = {checker.pk} WHERE id = {row.pk}",
            f"DELETE FROM {table} WHERE id = {row.pk}",
            f"INSERT INTO {table}_groups (approvalrequest_id, group_id) VALUES ({row.pk}, {directors.pk})",
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute(statement)
        approvals.reject(request_id=row.pk, remark="no", actor=other, at=make.AT)
        for change in ("status = 'approved'", f"decided_by_id = {asker.pk}", "remark = 'yes'"):
            with pytest.raises(IntegrityError, match="is decided"), transaction.atomic():
                cursor.execute(f"UPDATE {table} SET {change} WHERE id = {row.pk}")


def test_voiding_the_rest_of_a_credit_leaves_what_was_used_of_it() -> None:
    customer = make.make_customer(make.make_entity())
    invoice = make.issue(customer, "2000")
    note = credit_notes.create(
        invoice_id=invoice.pk,
        amounts={invoice.lines.get().pk: eur("1000")},
        reason="other",
        credit=eur("1000"),
        actor=make.ACTOR,
        at=make.AT,
    )
    had = had_before.credit_notes(invoice=invoice, at=make.AT)
    assert had.of_document(since=None) == eur("1000")
    voided = make.issue(customer, "400")
    invoices.void(invoice_id=voided.pk, actor=make.ACTOR, at=make.AT)  # 400 used, and given back
    make.issue(customer, "999")  # the credit pays for it
    assert [use.amount for use in note.uses.all()] == [eur("400"), eur("999")]
    credit_notes.void(credit_note_id=note.pk, actor=make.ACTOR, at=make.AT)
    assert had.of_document(since=None) == had.of_customer(since=make.AT) == eur("999")
    limit(approval_actions.CREDIT_NOTE, above="1000")
    given = {"invoice_id": invoice.pk, "reason": "other", "actor": ALICE, "at": make.AT}
    credit_notes.create(amounts={invoice.lines.get().pk: eur("1")}, **given)  # 999 + 1
    with pytest.raises(ApprovalRequired):
        credit_notes.create(amounts={invoice.lines.get().pk: eur("0.01")}, **given)


def test_a_request_of_one_group_does_not_cover_what_others_decide_by_now() -> None:
    """Asked with a total of the customer; by now the rule of directors over the document decides: not comparable."""
    limit(approval_actions.WRITE_OFF, counts="customer")
    asker, checker = (User.objects.create_user(name, is_superuser=True) for name in ("asker", "checker"))
    checker.groups.add(Group.objects.get(name="Checkers"))
    customer = make.make_customer(make.make_entity())
    first, second = make.issue(customer, "5000"), make.issue(customer, "5000")

    def give_up(of: object, amount: str, actor: Actor) -> WriteOff:
        given = {"invoice_id": of.pk, "amount": eur(amount), "reason": "x"}  # type: ignore[attr-defined]
        return write_offs.write_off(**given, actor=actor, at=make.AT)

    give_up(first, "1000", make.ACTOR)
    person = Actor(kind="user", label="Asker", user_id=asker.pk)
    with pytest.raises(ApprovalRequired) as refused:
        give_up(second, "50", person)
    wish = Wish("write_off", "Write off", "invoicing.invoice", second.pk, str(second), {}, ())
    row = approvals.ask(wish=wish, refusal=refused.value, actor=person, at=make.AT)
    assert row.total == 1050
    directors = RuleValues(
        approval_actions.WRITE_OFF, Group.objects.create(name="Directors").pk, "EUR", Decimal(500), "document"
    )
    approval_rules.create(values=directors, actor=make.ACTOR, at=make.AT)
    give_up(second, "600", make.ACTOR)  # with it 650 of the document: less than 1,050, and above 500
    other = Actor(kind="user", label="Checker", user_id=checker.pk)
    with pytest.raises(approvals.NotYourDecision, match="Directors"):
        approvals.approve(request_id=row.pk, perform=lambda both: give_up(second, "50", both), actor=other, at=make.AT)
