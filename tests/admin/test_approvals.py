"""Second persons in the admin: a verb becomes a request, somebody else looks and approves, and it is done once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from catalog.models import Plan
from config.kernel import actors
from config.platform.models import ApprovalRequest, ApprovalRule, AuditEntry
from config.platform.services import approval_rules
from config.platform.services.approval_rules import RuleValues
from customers.models import Customer
from invoicing.admin.void_verbs import VoidIssued
from invoicing.models import CreditNote, Invoice, LedgerAccount, ManualEntry, PaymentRefund, WalletTransaction
from invoicing.services import credit_notes, invoices, ledger, payments, wallet_top_ups, write_offs
from invoicing.services.wallet_top_ups import TopUp
from tests.admin import test_lists, test_plan_editor
from tests.admin.conftest import NOW, Company, person, signed_in
from tests.admin.test_voids import weighed
from tests.factories import invoicing as make
from tests.factories.platform import client_of
from tests.factories.wallets import make_wallet

pytestmark = pytest.mark.django_db

CHECKERS = "Checkers"


def rule(action: str, above: str | None = "1000", currency: str = "EUR") -> ApprovalRule:
    group = Group.objects.get_or_create(name=CHECKERS)[0]
    limit = None if above is None else Decimal(above)
    values = RuleValues(action, group.pk, currency if limit is not None else "", limit)
    return approval_rules.create(values=values, actor=make.ACTOR, at=NOW)


@pytest.fixture
def checker(company: Company, db: None) -> Client:
    """Somebody else: a checker who may do what finance may."""
    user = person("Nobody")
    user.groups.set([Group.objects.get(name="Finance admin"), Group.objects.get_or_create(name=CHECKERS)[0]])
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def customer(company: Company) -> Customer:
    """Whose invoices have no tax: totals are as they are written."""
    return make.make_customer(make.make_entity("second"), "big")


def url(row: object, verb: str) -> str:
    meta = row._meta  # type: ignore[attr-defined]
    return f"/admin/{meta.app_label}/{meta.model_name}/{row.pk}/{verb}/"  # type: ignore[attr-defined]


def void(client: Client, invoice: Invoice) -> None:
    client.post(url(invoice, "void_issued"), weighed(client, url(invoice, "void_issued"), reason="wrong"))


def waits() -> ApprovalRequest:
    row = ApprovalRequest.objects.get(status="waiting")
    assert row.asked_by.username == "finance_admin"
    return row


def approve(client: Client, row: ApprovalRequest, **values: str) -> None:
    """Look at the request, and approve what was seen."""
    page = client.get(url(row, "approve"))
    seen = page.context["form"].initial["seen"]
    answer = client.post(url(row, "approve"), {"_do": "1", "seen": seen, **values})
    assert answer.status_code == 302, answer.context["form"].errors
    row.refresh_from_db()


def status(invoice: Invoice) -> str:
    return Invoice.objects.get(pk=invoice.pk).status


def test_up_to_the_limit_alone_above_it_together(finance: Client, checker: Client, customer: Customer) -> None:
    rule("void_invoice")
    small, big = make.issue(customer, "999.99"), make.issue(customer, "1000.01")

    void(finance, small)
    assert status(small) == "voided"
    assert not ApprovalRequest.objects.exists()

    void(finance, big)
    assert status(big) == "finalized"
    row = waits()
    assert (row.object_label, row.money, row.reason) == (big.number, Money("1000.01", "EUR"), "wrong")
    assert ["As it was", ""] not in row.shown
    assert any("1,000.01" in str(part) for part in row.shown)  # what was shown is kept

    void(finance, big)  # once is enough
    assert ApprovalRequest.objects.count() == 1
    own = finance.post(url(row, "approve"), {"_do": "1", "seen": "x"})
    assert own.status_code == 200
    assert (status(big), waits().status) == ("finalized", "waiting")

    approve(checker, row, remark="agreed")

    assert (row.status, status(big)) == ("approved", "voided")
    entry = AuditEntry.objects.get(object_type="invoicing.invoice", object_id=big.pk, verb="void")
    assert (entry.actor_label, entry.reason) == ("nobody for finance_admin", "wrong")
    assert finance.get(url(row, "change")).status_code == 200


def test_what_changed_since_needs_a_second_look(finance: Client, checker: Client, customer: Customer) -> None:
    rule("void_invoice")
    invoice = make.issue(customer, "2000.00")
    void(finance, invoice)
    row = waits()
    payments.record(
        invoice_id=invoice.pk, amount=Money(500, "EUR"), reference="", paid_at=NOW, actor=make.ACTOR, at=NOW
    )

    page = checker.get(url(row, "approve"))
    assert b"It is not as it was when it was asked" in page.content
    seen = page.context["form"].initial["seen"]
    refused = checker.post(url(row, "approve"), {"_do": "1", "seen": seen})
    assert "accepts_change" in refused.context["form"].errors
    payments.record(
        invoice_id=invoice.pk, amount=Money(100, "EUR"), reference="", paid_at=NOW, actor=make.ACTOR, at=NOW
    )
    stale = checker.post(url(row, "approve"), {"_do": "1", "seen": seen, "accepts_change": "on"})
    assert "Look again" in str(stale.context["form"].errors)
    assert status(invoice) == "finalized"

    approve(checker, row, accepts_change="on")
    assert (row.status, status(invoice)) == ("approved", "voided")


def test_what_cannot_be_done_any_more_fails_with_the_reason(
    finance: Client, checker: Client, customer: Customer
) -> None:
    rule("void_invoice")
    invoice = make.issue(customer, "2000.00")
    void(finance, invoice)
    row = waits()
    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=NOW)
    assert b"It cannot be done any more" in checker.get(url(row, "change")).content
    assert finance.get(url(row, "close")).status_code == 200
    checker.post(url(row, "close"), {"_do": "1"})
    row.refresh_from_db()
    assert row.status == "failed"
    assert "refuses: void" in row.remark


def test_who_may_decide(finance: Client, auditor: Client, customer: Customer) -> None:
    rule("void_invoice")
    void(finance, make.issue(customer, "2000.00"))
    row = waits()
    for verb in ("approve", "reject", "withdraw", "close"):
        assert auditor.get(url(row, verb)).status_code == 403
        assert auditor.post(url(row, verb), {"_do": "1", "reason": "x"}).status_code == 403
    accountant = signed_in("Accountant")
    assert accountant.get(url(row, "approve")).status_code == 403
    assert accountant.post(url(row, "withdraw"), {"_do": "1"}).status_code == 200  # not theirs
    assert waits().pk == row.pk
    finance.post(url(row, "withdraw"), {"_do": "1"})
    row.refresh_from_db()
    assert row.status == "withdrawn"
    mine = finance.get("/admin/platform/approvalrequest/?whose=mine")
    assert row.object_label.encode() in mine.content
    assert row.object_label.encode() not in finance.get("/admin/platform/approvalrequest/?whose=for_me").content


def test_credit_notes_refunds_and_write_offs(finance: Client, checker: Client, customer: Customer) -> None:
    for action in ("credit_note", "refund_credit_note", "refund_payment", "write_off"):
        rule(action, "10")
    invoice, other = make.issue(customer, "100.00"), make.issue(customer, "50.00")
    line = invoice.lines.get()
    payments.record(
        invoice_id=invoice.pk, amount=Money(100, "EUR"), reference="", paid_at=NOW, actor=make.ACTOR, at=NOW
    )

    values = {"reason": "other", "way": "refund", f"line_{line.pk}": "20", "description": "As agreed on the phone"}
    told = "Above the limit of €10.00: Checkers approves it first."
    before = finance.post(url(invoice, "credit"), {"_do": "1", **values}).content.decode()
    assert told in before
    finance.post(url(invoice, "credit"), weighed(finance, url(invoice, "credit"), **values))
    assert not CreditNote.objects.filter(invoice=invoice).exists()
    asked = checker.get(url(waits(), "change")).content.decode()
    for words in ("As agreed on the phone", customer.display_name, line.label, "€20.00"):
        assert words in asked
    assert told not in asked
    approve(checker, waits())
    note = CreditNote.objects.get(invoice=invoice)
    assert note.refund_amount == Money(20, "EUR")

    finance.post(url(note, "refund"), {"_do": "1", "refund_status": "succeeded"})
    assert CreditNote.objects.get(pk=note.pk).refund_status == "pending"
    approve(checker, waits())
    assert CreditNote.objects.get(pk=note.pk).refund_status == "succeeded"

    finance.post(url(other, "write_off"), weighed(finance, url(other, "write_off"), reason="insolvent"))
    assert not Invoice.objects.get(pk=other.pk).written_off_amount
    approve(checker, waits())
    assert Invoice.objects.get(pk=other.pk).written_off_amount == Money(50, "EUR")

    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=NOW)  # 80.00 of the payment is held
    payment = invoice.allocations.get().payment
    finance.post(url(payment, "refund"), {"_do": "1", "amount": "80.00", "reference": "wire"})
    assert not PaymentRefund.objects.exists()
    approve(checker, waits())
    assert PaymentRefund.objects.get().amount == Money(80, "EUR")


def test_manual_entries_wallet_credits_and_prices(finance: Client, checker: Client, customer: Customer) -> None:
    rule("manual_entry", "10")
    rule("grant_credits", "10")
    rule("publish_prices", None)
    seller = customer.billing_entity
    ledger.ensure_accounts(billing_entity_ids=[seller.pk], at=NOW)
    cash, loss = (LedgerAccount.objects.get(billing_entity=seller, role=role) for role in ("cash", "write_off"))
    values = {
        "billing_entity": str(seller.pk), "accounting_date": "2026-05-01", "currency": "EUR", "reason": "till",
        "account_1": str(loss.pk), "side_1": "debit", "amount_1": "20",
        "account_2": str(cash.pk), "side_2": "credit", "amount_2": "20", "side_3": "credit", "side_4": "credit",
    }  # fmt: skip
    post = "/admin/invoicing/ledgerentry/post/"
    for _ in range(2):  # nothing tells one new booking from another: each may be asked for
        finance.post(post, weighed(finance, post, **values))
    assert ApprovalRequest.objects.filter(status="waiting", object_id=None).count() == 2
    for row in ApprovalRequest.objects.filter(status="waiting"):
        approve(checker, row)
    assert ManualEntry.objects.filter(billing_entity=seller).count() == 2

    wallet = make_wallet(customer)
    wallet_top_ups.top_up(wallet_id=wallet.pk, wanted=TopUp(granted_credits=Decimal(5)), actor=make.ACTOR, at=NOW)
    finance.post(url(wallet, "grant"), weighed(finance, url(wallet, "grant"), credits="50", priority="50"))
    assert WalletTransaction.objects.filter(wallet=wallet).count() == 1
    approve(checker, waits())
    assert WalletTransaction.objects.filter(wallet=wallet).count() == 2

    plan = Plan.objects.get(code="growth_eur")
    data = test_plan_editor.shown(finance, plan) | {"fee": "59", "step": "publish", "effective_date": ""}
    assert finance.post(test_plan_editor.url(plan), data).status_code == 302
    assert plan.versions.count() == 1
    row = waits()
    assert any("59.00" in str(part) for part in row.shown)
    approve(checker, row)
    assert plan.versions.get(is_current=True).amount.amount == 59


def test_api_keys_are_refused(customer: Customer) -> None:
    rule("void_invoice")
    rule("write_off", "10")
    rule("credit_note", "10")
    invoice = make.issue(customer, "2000.00")
    client = client_of()
    body = {"write_off": {"reason": "insolvent"}}
    note = {"invoice_id": str(invoice.uuid), "reason": "other", "credit_amount_cents": 2000}
    note |= {"items": [{"fee_id": str(invoice.lines.get().uuid), "amount_cents": 2000}]}
    for path, content in (
        (f"invoices/{invoice.uuid}/void", {}),
        (f"invoices/{invoice.uuid}/write_off", body),
        ("credit_notes", {"credit_note": note}),
    ):
        answer = client.call("post", path, content)
        assert (answer.status_code, answer.json()["code"]) == (403, "approval_required"), path
        assert answer.json()["error_details"]["groups"] == [CHECKERS]
    assert status(invoice) == "finalized"
    assert not ApprovalRequest.objects.exists()
    assert not CreditNote.objects.filter(invoice=invoice).exists()


def test_many_at_once_are_asked_row_by_row(finance: Client, checker: Client, customer: Customer) -> None:
    rule("write_off", "1000")
    small, big = make.issue(customer, "999.99"), make.issue(customer, "1000.01")
    answer = finance.post(
        "/admin/invoicing/invoice/bulk/write_off_many/", {"ids": f"{small.pk},{big.pk}", "reason": "insolvent"}
    )
    (table,) = answer.context["blocks"]
    assert ["done" in str(row.cells[1]) for row in table.rows] == [True, False]
    assert "asked" in str(table.rows[1].cells[1])
    assert not Invoice.objects.get(pk=big.pk).written_off_amount
    approve(checker, waits())
    assert Invoice.objects.get(pk=big.pk).written_off_amount == Money("1000.01", "EUR")


def test_rules_are_made_and_switched_off(finance: Client, company: Company) -> None:
    rule("publish_prices", None)
    group = Group.objects.get(name=CHECKERS)
    page = finance.get("/admin/platform/approvalrule/create/")
    assert page.status_code == 200
    finance.post(
        "/admin/platform/approvalrule/create/",
        {"_do": "1", "action": "write_off", "group": str(group.pk), "above_amount": "5", "currency": "eur"},
    )
    made = ApprovalRule.objects.get(action="write_off")
    assert (made.limit, made.is_active) == (Money(5, "EUR"), True)
    assert b"Nobody can approve by this rule" in finance.get(url(made, "change")).content
    edited = {"_do": "1", "action": "write_off", "group": str(group.pk), "above_amount": "5", "currency": "EUR"}
    finance.post(url(made, "edit"), edited)  # no longer in force
    made.refresh_from_db()
    assert not made.is_active


def test_estimates_need_nobody(finance: Client, customer: Customer) -> None:
    """Looking at what a credit note would come to is no credit note."""
    rule("credit_note", "10")
    invoice = make.issue(customer, "100.00")
    line = invoice.lines.get()
    assert credit_notes.estimate(invoice_id=invoice.pk, amounts={line.pk: Money(50, "EUR")}).credited.amount.gross
    weighed(finance, url(invoice, "credit"), reason="other", way="credit", **{f"line_{line.pk}": "50"})
    assert not ApprovalRequest.objects.exists()


def test_lists_cost_as_many_queries_for_one_row_as_for_many(finance: Client, customer: Customer) -> None:
    rule("write_off", "1")
    found = {}
    for wanted in (1, 4):
        for _ in range(wanted):
            invoice = make.issue(customer, "50.00")
            address = url(invoice, "write_off")
            finance.post(address, weighed(finance, address, reason="insolvent"))
            write_offs.write_off(invoice_id=make.issue(customer, "9").pk, reason="x", actor=make.ACTOR, at=NOW)
        for name in ("platform/approvalrequest", "platform/approvalrule", "invoicing/writeoff"):
            with CaptureQueriesContext(connection) as captured:
                assert finance.get(f"/admin/{name}/").status_code == 200
            found.setdefault(name, []).append(len(captured))
    assert {name: counts[0] - counts[1] for name, counts in found.items()} == dict.fromkeys(found, 0)
    assert max(max(counts) for counts in found.values()) <= test_lists.MOST_QUERIES


def test_who_lacks_the_right_of_the_verb_or_of_the_larger_amount_does_not_approve(
    finance: Client, checker: Client, customer: Customer
) -> None:
    rule("write_off")
    directors = Group.objects.create(name="Directors")
    ApprovalRule.objects.update(counts="each")
    values = RuleValues("write_off", directors.pk, "EUR", Decimal(2000), counts="each")
    approval_rules.create(values=values, actor=make.ACTOR, at=NOW)
    invoice = make.issue(customer, "3000")
    first = write_offs.write_off(
        invoice_id=invoice.pk, amount=Money(1500, "EUR"), reason="x", actor=actors.job("x"), at=NOW
    )
    finance.post(url(invoice, "write_off"), weighed(finance, url(invoice, "write_off"), reason="bankrupt"))
    row = waits()
    assert row.money == Money(1500, "EUR")  # all that is due now

    write_offs.undo(write_off_id=first.pk, reason="paid after all", actor=actors.job("x"), at=NOW)
    seen = checker.get(url(row, "approve")).context["form"].initial["seen"]
    given = {"_do": "1", "seen": seen, "accepts_change": "on"}
    answer = checker.post(url(row, "approve"), given)  # 3,000.00 by now: that is for the directors

    assert "Directors" in answer.content.decode()
    assert Invoice.objects.get(pk=invoice.pk).written_off_amount == Money(0, "EUR")
    assert waits() == row
    User.objects.get(username="nobody").groups.add(directors)
    checker.post(url(row, "approve"), given)
    assert Invoice.objects.get(pk=invoice.pk).written_off_amount == Money(3000, "EUR")


def test_the_right_of_the_verb_is_needed_beside_that_of_the_action(
    finance: Client, checker: Client, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule("void_invoice")
    invoice = make.issue(customer, "1000.01")
    void(finance, invoice)
    row = waits()
    monkeypatch.setattr(VoidIssued, "permission", "billing.no_such_right")
    seen = checker.get(url(row, "approve")).context["form"].initial["seen"]
    answer = checker.post(url(row, "approve"), {"_do": "1", "seen": seen})
    assert "right" in answer.content.decode()
    assert (status(invoice), waits()) == ("finalized", row)


def test_whoever_asked_sees_who_may_approve_and_no_button(finance: Client, checker: Client, customer: Customer) -> None:
    rule("void_invoice")
    void(finance, make.issue(customer, "2000.00"))
    row = waits()
    own, other = (client.get(url(row, "change")).content.decode() for client in (finance, checker))
    assert "You asked for this, so somebody else decides" in own
    assert "Who may approve it: " in own
    for verb, is_own in (("approve", False), ("reject", False), ("withdraw", True)):
        assert (url(row, verb) in own) is is_own
        assert (url(row, verb) in other) is not is_own
    assert "Who may approve it" not in other
