"""Prepaid commitments of contracts: invoiced in instalments, granted when paid, drawn down, expired or rolled over."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from moneyed import Money

from billing.models import Contract, ContractCommitment, PrepaidInstalment
from billing.queries import prepaid_commitments as known
from billing.services import contract_amendments, contract_endings, prepaid_commitments, subscription_moves
from billing.services.contract_amendments import Change
from billing.services.contract_drafts import InvalidContract, NewCommitment, NewItem
from billing.subscribers import grant_prepaid
from catalog.models import PlanVersion
from config.kernel import errors
from customers.models import Customer
from invoicing.domain.facts import InvoicePaid
from invoicing.models import Invoice, LedgerEntry, PrepaidCredit
from invoicing.queries import ledger
from invoicing.services import payments
from tests.factories import catalog as goods
from tests.factories import contracts
from tests.factories import invoicing as parties
from tests.factories.billing import instant, make_subscription
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

Commitment = ContractCommitment


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    """A customer without tax and grace; the plan is 100.00 a month, in arrears."""
    goods.make_plan("plan", cents=10000)
    return parties.make_customer(parties.make_entity())


def prepaid(customer: Customer, cents: int, **values: Any) -> Contract:
    """Activate a contract of a year from 1 January with a prepaid commitment."""
    agreed = {name: values.pop(name) for name in ("renewal", "notice_days") if name in values}
    commitment = NewCommitment(amount_cents=cents, kind=Commitment.Kind.PREPAID, **values)
    drafted = contracts.draft(customer, contracts.phase("plan"), commitments=(commitment,), **agreed)
    return contracts.activate(drafted)


def purchases() -> list[tuple[str, str, str]]:
    rows = Invoice.objects.filter(kind=Invoice.Kind.CREDIT).order_by("pk")
    return [(row.status, row.issuing_date.isoformat(), f"{row.total_amount.amount.normalize():f}") for row in rows]


def pay(invoice: Invoice, at: str) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=invoice.total_amount,
        reference="",
        paid_at=instant(at),
        actor=ACTOR,
        at=instant(at),
    )


def usage() -> list[tuple[str, Decimal, Decimal]]:
    rows = Invoice.objects.filter(kind=Invoice.Kind.SUBSCRIPTION).order_by("pk")
    return [(row.issuing_date.isoformat(), row.prepaid_credit_amount.amount, row.total_amount.amount) for row in rows]


def drawdown() -> known.Drawdown:
    return known.drawdown(ContractCommitment.objects.order_by("pk")[0])


def end_and_pass(day: str) -> None:
    """Let subscriptions end whose last day is over, with their last invoices, and the day pass."""
    subscription_moves.terminate_ended(as_of=instant(day))
    contracts.pass_days(day)


def check() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert ledger.out_of_balance() == {}


def test_it_is_invoiced_at_activation_granted_when_paid_and_drawn_down(customer: Customer) -> None:
    prepaid(customer, 25000)

    invoice = Invoice.objects.get(kind=Invoice.Kind.CREDIT)
    assert purchases() == [("finalized", "2026-01-01", "250")]
    (line,) = invoice.lines.all()
    assert (line.label, line.kind, line.group_label) == ("Prepaid commitment", "credit", f"{line.group_key} Platform")
    assert not PrepaidCredit.objects.exists()

    pay(invoice, "2026-01-10")
    credit = PrepaidCredit.objects.get()
    assert (credit.amount, credit.valid_from, credit.valid_until, credit.group_keys) == (
        eur("250"),
        date(2026, 1, 1),
        date(2026, 12, 31),
        ["sub"],
    )

    contracts.pass_days(*contracts.months("2026-02-01", 3))
    # 250: January and February in whole, 50 of March; the rest is billed as usual.
    assert usage() == [("2026-02-01", 100, 0), ("2026-03-01", 100, 0), ("2026-04-01", 50, 50)]
    assert drawdown() == known.Drawdown(
        committed=eur("250"), invoiced=eur("250"), granted=eur("250"), used=eur("250"), closed=eur("0"), left=eur("0")
    )
    assert [use.amount for use in known.uses(list(ContractCommitment.objects.all()))] == [
        eur("50"),
        eur("100"),
        eur("100"),
    ]
    check()


def test_without_payment_nothing_is_granted(customer: Customer) -> None:
    prepaid(customer, 25000)

    contracts.pass_days("2026-02-01")

    assert usage() == [("2026-02-01", 0, 100)]
    assert drawdown().granted == eur("0")
    assert drawdown().invoiced == eur("250")


def test_it_may_be_granted_at_issue(customer: Customer) -> None:
    prepaid(customer, 25000, grant_on=Commitment.GrantOn.ISSUE)

    contracts.pass_days("2026-02-01")
    pay(Invoice.objects.get(kind=Invoice.Kind.CREDIT), "2026-02-10")

    assert usage() == [("2026-02-01", 100, 0)]
    assert PrepaidCredit.objects.count() == 1  # the payment grants no second one
    check()


def test_a_fee_in_advance_is_paid_by_credit_of_the_same_day(customer: Customer) -> None:
    goods.make_plan("advance", cents=10000, pay_in_advance=True)
    commitment = NewCommitment(amount_cents=25000, kind="prepaid", grant_on="issue")
    contracts.activate(contracts.draft(customer, contracts.phase("advance"), commitments=(commitment,)))

    contracts.pass_days("2026-01-01")

    assert usage() == [("2026-01-01", 100, 0)]


def test_instalments_come_on_their_days_once(customer: Customer) -> None:
    prepaid(customer, 100001, instalments="quarterly", invoice_name="Credits 2026")

    for day in contracts.months("2026-02-01", 12):
        contracts.move(day)
        contracts.move(day)

    assert [(row.number, row.due_on.isoformat(), row.amount) for row in PrepaidInstalment.objects.all()] == [
        (1, "2026-01-01", eur("250.01")),
        (2, "2026-04-01", eur("250")),
        (3, "2026-07-01", eur("250")),
        (4, "2026-10-01", eur("250")),
    ]
    labels = [row.lines.get().label for row in Invoice.objects.filter(kind="credit").order_by("pk")]
    assert labels == [f"Credits 2026 – {number} of 4" for number in range(1, 5)]
    check()


def test_a_payment_told_twice_grants_once(customer: Customer) -> None:
    prepaid(customer, 10000)
    invoice = Invoice.objects.get()
    pay(invoice, "2026-01-10")

    grant_prepaid(InvoicePaid(invoice_id=invoice.pk))

    assert PrepaidCredit.objects.count() == 1


def test_what_is_left_expires_once_all_is_billed(customer: Customer) -> None:
    prepaid(customer, 150000, grant_on="issue")
    contracts.pass_days(*contracts.months("2026-02-01", 11))
    contracts.move("2027-01-01")  # December is not billed yet: its usage may still draw on it
    assert PrepaidCredit.objects.get().status == "active"

    end_and_pass("2027-01-01")
    contracts.move("2027-01-02")

    # 1500 − 12 × 100
    assert drawdown() == known.Drawdown(
        committed=eur("1500"),
        invoiced=eur("1500"),
        granted=eur("1500"),
        used=eur("1200"),
        closed=eur("300"),
        left=eur("0"),
    )
    entry = LedgerEntry.objects.get(fact="prepaid_credit_expired")
    assert entry.accounting_date == date(2026, 12, 31)
    assert ContractCommitment.objects.get().settled_at is not None
    check()


def test_what_is_left_rolls_over_into_the_renewed_term(customer: Customer) -> None:
    prepaid(customer, 150000, grant_on="issue", rolls_over=True, renewal="automatic", notice_days=30)
    contracts.pass_days(*contracts.months("2026-02-01", 12), "2027-01-02")

    first, second = ContractCommitment.objects.order_by("pk")
    assert (second.follows, second.kind, second.rolls_over, second.grant_on) == (first, "prepaid", True, "issue")
    assert known.drawdown(first).closed == eur("300")
    # The new term's own 1500 and the 300 that went on; nothing of January is drawn yet.
    assert known.drawdown(second).granted == eur("1800")
    assert not LedgerEntry.objects.filter(fact="prepaid_credit_expired").exists()
    contracts.pass_days("2027-02-01")
    assert usage()[-1] == ("2027-02-01", 100, 0)
    assert known.drawdown(second).used == eur("100")
    check()


def test_nothing_expires_before_the_term_is_renewed_or_over(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is billed, and the renewal is late: what is left waits for it."""
    prepaid(customer, 150000, grant_on="issue", rolls_over=True, renewal="automatic", notice_days=30)
    commitment = Commitment.objects.get()
    monkeypatch.setattr(prepaid_commitments.contract_lines, "is_billed", lambda **_: True)

    prepaid_commitments.move_on(commitment_id=commitment.pk, actor=ACTOR, at=instant("2027-01-02"))
    credit = PrepaidCredit.objects.get()
    assert (credit.status, credit.left) == ("active", eur("1500"))

    contracts.move("2027-01-02")
    assert known.drawdown(Commitment.objects.get(follows=commitment)).granted == eur("3000")  # 1500 + 1500
    assert not LedgerEntry.objects.filter(fact="prepaid_credit_expired").exists()
    check()


def declare(invoice: Invoice, status: str) -> Invoice:
    return payments.declare(invoice_id=invoice.pk, payment_status=status, actor=ACTOR, at=instant("2026-01-10"))


def test_what_granted_credit_stays_paid(customer: Customer) -> None:
    prepaid(customer, 25000)
    invoice = Invoice.objects.get()
    declare(invoice, "succeeded")

    for status in ("pending", "failed"):
        with pytest.raises(errors.NotAllowed) as refused, transaction.atomic():
            declare(invoice, status)
        assert refused.value.code == "prepaid_credit_granted"

    invoice.refresh_from_db()
    assert (invoice.payment_status, invoice.paid_at) == ("succeeded", instant("2026-01-10"))
    pay(invoice, "2026-01-20")  # the money comes after all
    assert drawdown().granted == eur("250")
    check()


def test_what_was_granted_at_issue_may_be_unpaid(customer: Customer) -> None:
    prepaid(customer, 25000, grant_on="issue")
    invoice = Invoice.objects.get()
    declare(invoice, "succeeded")

    assert declare(invoice, "pending").payment_status == "pending"
    assert drawdown().granted == eur("250")


def test_without_rollover_a_renewed_term_starts_with_its_own_credit(customer: Customer) -> None:
    prepaid(customer, 150000, grant_on="issue", renewal="automatic", notice_days=30)
    contracts.pass_days(*contracts.months("2026-02-01", 12), "2027-01-02")

    first, second = ContractCommitment.objects.order_by("pk")
    assert known.drawdown(first).closed == eur("300")
    assert known.drawdown(second).granted == eur("1500")
    assert LedgerEntry.objects.filter(fact="prepaid_credit_expired").count() == 1
    check()


@pytest.mark.parametrize(("is_whole", "instalments"), [(False, 2), (True, 4)])
def test_an_early_end_owes_what_was_agreed(customer: Customer, is_whole: bool, instalments: int) -> None:
    contract = prepaid(customer, 120000, instalments="quarterly", grant_on="issue")
    contracts.pass_days(*contracts.months("2026-02-01", 4))
    contract_endings.end(
        contract_id=contract.pk, ends_on=date(2026, 5, 31), is_whole=is_whole, actor=ACTOR, at=instant("2026-05-15")
    )

    contracts.pass_days("2026-05-31")
    end_and_pass("2026-06-01")
    contracts.pass_days("2026-07-01", "2026-10-01")

    assert PrepaidInstalment.objects.count() == instalments
    # 300 each; January to May used 500 of them, the rest expired.
    assert drawdown().used == eur("500")
    assert drawdown().closed == eur("300") * instalments - eur("500")
    assert drawdown().left == eur("0")
    check()


def test_a_product_that_is_added_is_paid_too(customer: Customer) -> None:
    contract = prepaid(customer, 150000, grant_on="issue")
    change = Change(effective_on=date(2026, 1, 15), reason="")
    contract_amendments.add_product(
        contract_id=contract.pk,
        item=NewItem(external_id="second", phases=(contracts.phase("plan"),)),
        change=change,
        actor=ACTOR,
        at=instant("2026-01-15"),
    )

    assert PrepaidCredit.objects.get().group_keys == ["second", "sub"]
    contracts.pass_days("2026-02-01")
    assert all(total == 0 for _, _, total in usage())
    check()


def test_credit_that_was_granted_beside_an_added_product_pays_it_too(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(prepaid_commitments, "_groups", lambda _: ["first"])
        prepaid(customer, 25000, grant_on="issue")
    assert PrepaidCredit.objects.get().group_keys == ["first"]

    contracts.move("2026-01-02")
    assert PrepaidCredit.objects.get().group_keys == ["first", "sub"]


def test_a_subscription_without_the_contract_is_not_paid(customer: Customer) -> None:
    prepaid(customer, 150000, grant_on="issue")
    version = PlanVersion.objects.get(plan__code="plan")
    make_subscription(customer, version, "apart", at=instant("2026-01-01"))

    contracts.pass_days("2026-02-01")

    assert drawdown().used == eur("100")
    assert sum(total for _, _, total in usage()) == 100


def test_taxes_belong_to_what_is_used(customer: Customer) -> None:
    with pytest.raises(InvalidContract) as caught:
        prepaid(customer, 1000, tax_codes=("vat",))

    assert caught.value.details == {"commitments": ["taxes_not_allowed"]}
    assert not Contract.objects.exclude(state="draft").exists()


def test_a_prepaid_commitment_is_not_changed(customer: Customer) -> None:
    contract = prepaid(customer, 1000)

    with pytest.raises(errors.NotAllowed) as caught:
        contract_amendments.change_commitment(
            contract_id=contract.pk,
            commitment_id=contract.commitments.get().pk,
            wanted=NewCommitment(amount_cents=5),
            change=Change(effective_on=date(2026, 2, 1), reason=""),
            actor=ACTOR,
            at=instant("2026-01-15"),
        )

    assert caught.value.code == "commitment_is_prepaid"


def test_one_more_is_added_by_an_amendment(customer: Customer) -> None:
    contract = prepaid(customer, 1000)
    contract_amendments.change_commitment(
        contract_id=contract.pk,
        commitment_id=None,
        wanted=NewCommitment(amount_cents=5000, kind="prepaid"),
        change=Change(effective_on=date(2026, 2, 1), reason=""),
        actor=ACTOR,
        at=instant("2026-01-15"),
    )

    contracts.move("2026-01-20")
    assert len(purchases()) == 1
    contracts.move("2026-02-01")
    assert [row[1] for row in purchases()] == ["2026-01-01", "2026-02-01"]


def test_a_settled_commitment_is_left_alone(customer: Customer) -> None:
    prepaid(customer, 10000, grant_on="issue")
    contracts.pass_days(*contracts.months("2026-02-01", 11))
    end_and_pass("2027-01-01")
    row = ContractCommitment.objects.get()
    before = row.settled_at

    again = prepaid_commitments.move_on(commitment_id=row.pk, actor=ACTOR, at=instant("2027-03-01"))

    assert before is not None
    assert again.settled_at == before
    assert list(known.unsettled(latest=date(2027, 3, 1) + timedelta(days=1))) == []
