"""What was quoted is what is billed: ramps, discounts, coupons, credits and one-offs, in any currency and time zone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.storage import InMemoryStorage

from billing.models import Contract, ContractCommitment, Order, OrderForm, Subscription
from billing.queries import quotes as known
from billing.services import (
    order_forms,
    orders,
    quote_acceptance,
    quote_versions,
    quotes,
    signed_documents,
    subscription_moves,
)
from billing.services.order_forms import SignedDocument
from billing.services.quote_acceptance import Acceptance
from billing.services.quotes import QuoteValues
from catalog.services import plans
from config.kernel import errors
from config.platform.services import approval_rules
from config.platform.services.approval_rules import RuleValues
from config.platform.services.approvals import ApprovalRequired
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice, Wallet, WalletTransaction
from tests.factories import catalog as goods
from tests.factories import contracts
from tests.factories import coupons as coupon_factory
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant, send
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity(taxes=[parties.make_tax()])


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


@pytest.fixture
def sam() -> User:
    return made.person("sam")


def billed() -> Decimal:
    """Return all that was invoiced before tax, coupons and credits."""
    return sum((row.fees_amount.amount for row in Invoice.objects.all()), Decimal(0))


def pass_days(*days: str) -> None:
    """Let days come: what starts starts, and what is due is billed."""
    for day in days:
        subscription_moves.activate_pending(as_of=instant(day))
        contracts.pass_days(day)


@pytest.mark.parametrize(
    ("currency", "zone", "starts_on", "first", "days", "fees", "total", "expires"),
    [
        # 1,000.05 − 15 % = 850.0425 → 850.04, and 1,000.05 × 2; 2 × 333.33 × 0.9 = 599.994; 100 paid credits
        ("EUR", "Asia/Tokyo", "2026-02-01", date(2026, 2, 1), contracts.months("2026-02-01", 3), ["850.04", "1000.05"],
         "3550.13", "2026-07-09T15:00"),
        # ¥100,005 − 15 % = 85,004.25; 2 × ¥33,333 × 0.9 = 59,999.4. At 02:00 UTC it is the day before in Los Angeles.
        ("JPY", "America/Los_Angeles", None, date(2026, 1, 9), contracts.months("2026-01-11", 3), ["85004", "100005"],
         "345113", "2026-07-09T07:00"),
        # 100.005 − 15 % = 85.00425; 2 × 33.333 × 0.9 = 59.9994. It began before it was accepted.
        ("BHD", "Asia/Bahrain", "2025-12-15", date(2025, 12, 15), contracts.months("2026-01-15", 2),
         ["85.004", "100.005"], "445.013", "2026-07-09T21:00"),
    ],
)  # fmt: skip
def test_the_invoices_are_what_was_quoted(
    sam: User,
    entity: BillingEntity,
    currency: str,
    zone: str,
    starts_on: str | None,
    first: date,
    days: list[str],
    fees: list[str],
    total: str,
    expires: str,
) -> None:
    customer = parties.make_customer(entity, timezone=zone)
    goods.make_plan("platform", cents=100005, currency=currency, pay_in_advance=True)
    goods.make_add_on("setup", cents=33333, currency=currency)
    coupon_factory.make_coupon("ten", rate="0.1", frequency="recurring", frequency_duration=2)
    phases = [
        {"plan_code": "platform", "discount_rate": "0.15"},
        {"plan_code": "platform", "after_months": 1},
    ]
    offered = {
        "starts_on": starts_on,
        "term_months": 3,
        "items": [{"external_id": "sub", "phases": phases}],
        "one_offs": [{"add_on_code": "setup", "units": "2", "discount_rate": "0.1"}],
        "coupons": [{"coupon_code": "ten"}],
        "credits": [
            {"name": "Start", "paid_credits": "100", "granted_credits": "5", "expires_after_months": 6},
        ],
    }
    form = made.offered(customer, offered, by=sam, currency=currency)
    view = known.view(form.version)
    assert view.totals is not None
    assert [line.amount for phase in view.totals.phases for line in phase.lines] == [Decimal(fee) for fee in fees]

    made.accept(form, at="2026-01-10T02:00")
    pass_days(*days)

    contract = Contract.objects.get()
    assert (contract.starts_on, contract.currency) == (first, currency)
    assert (billed(), view.totals.total_amount) == (Decimal(total), Decimal(total))
    assert Wallet.objects.get().expiration_at == instant(expires)
    # The coupon is on two invoices of the subscription, and on no other.
    assert Invoice.objects.filter(coupons_amount__gt=0).count() == 2


def test_a_discount_of_everything_is_off_usage_too(customer: Customer, sam: User) -> None:
    calls = goods.make_metric("calls")
    goods.make_plan("usage", cents=10000, charges=[goods.standard(calls, "0.10")])
    phases = [{"plan_code": "usage", "discount_rate": "0.25", "discount_scope": "all"}]
    form = made.offered(
        customer, made.terms(items=[{"external_id": "sub", "phases": phases}]) | {"term_months": 12}, by=sam
    )
    made.accept(form)
    send("sub", "calls", *[f"2026-01-{day:02}T10:00" for day in range(2, 9)])

    pass_days("2026-02-01")

    # 7 × 0.075 = 0.525 → 0.53, and 100.00 − 25 %
    assert billed() == Decimal("75.53")


def test_every_change_of_an_amendment_is_made_as_it_was_quoted(customer: Customer, sam: User) -> None:
    goods.make_plan("platform", cents=110000, pay_in_advance=True)
    goods.make_plan("extra", cents=5000, pay_in_advance=True)
    items = [
        {"external_id": "sub", "phases": [{"plan_code": "platform"}]},
        {"external_id": "gone", "phases": [{"plan_code": "extra"}]},
    ]
    offered = {"term_months": 12, "items": items, "commitments": [{"amount_cents": 1200000, "invoice_name": "Least"}]}
    made.accept(made.offered(customer, offered, by=sam))
    contract = Contract.objects.get()
    commitment = ContractCommitment.objects.get()
    changes: list[dict[str, Any]] = [
        {
            "kind": "add_product",
            "external_id": "more",
            "effective_on": "2026-02-01",
            "phases": [{"plan_code": "extra", "discount_rate": "0.1"}],
        },
        {"kind": "remove_product", "external_id": "gone", "effective_on": "2026-03-01"},
        {
            "kind": "change_commitment",
            "commitment_id": str(commitment.uuid),
            "commitment": {"amount_cents": 1800000},
            "effective_on": "2026-07-01",
        },
        {"kind": "extend_term", "ends_on": "2027-06-30", "effective_on": "2026-02-01"},
        {
            "kind": "change_terms",
            "external_id": "more",
            "effective_on": "2026-06-01",
            "phases": [{"discount_rate": "0.5"}],
        },
    ]
    about = {"kind": "amendment", "contract_number": contract.number, "external_customer_id": ""}
    form = made.offered(customer, {"changes": changes}, by=sam, at="2026-01-15", **about)
    totals = known.view(form.version).totals
    assert totals is not None
    # more: 4 × 45.00 until June, then 13 × 22.50; sub: 6 × 1,100.00 in the time that is new
    assert totals.total_amount == Decimal("180.00") + Decimal("292.50") + Decimal("6600.00")
    # Of what changes: gone and sub before, sub and more in the end.
    assert (totals.before_recurring_amount, totals.recurring_amount) == (Decimal("1150.00"), Decimal("1122.50"))
    # 12,000.00 × 181 / 365 + 18,000.00 × 184 / 365
    assert totals.committed_amount == Decimal("15024.66")

    made.accept(form, at="2026-01-20")
    bills = []
    for day in contracts.months("2026-02-01", 5):
        before = billed()
        pass_days(day)
        bills.append(billed() - before)

    # 1,100.00 + 50.00 + 45.00; from March on without the extra, from June on at half of the 45.00
    assert bills == [Decimal(text) for text in ("1195.00", "1145.00", "1145.00", "1145.00", "1122.50")]
    contract.refresh_from_db()
    commitment.refresh_from_db()
    assert (contract.ends_on, commitment.amount.amount) == (date(2027, 6, 30), Decimal("15024.66"))


def test_an_earlier_version_is_a_discount_off_what_is_on_sale(customer: Customer, sam: User) -> None:
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    plans.update(code="platform", values={"amount_cents": 200000}, actor=ACTOR, at=instant("2025-12-01"))
    made.rule("0.2")
    items = [{"external_id": "sub", "phases": [{"plan_code": "platform", "plan_version": 1}]}]

    quote = made.draft(customer, {"term_months": 12, "items": items}, by=sam)
    version = made.submit(quote, by=sam)

    assert (version.state, version.discount_rate) == ("in_approval", Decimal("0.5"))


def test_an_order_waits_for_its_day(customer: Customer, sam: User) -> None:
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    form = made.offered(customer, made.terms("platform"), by=sam)
    order_forms.record_signature(
        order_form_id=form.pk,
        signer=made.SIGNER,
        execute_at=instant("2026-03-01T09:00"),
        actor=made.actor(sam),
        at=instant("2026-01-02"),
    )

    assert orders.execute_due(as_of=instant("2026-03-01T08:59")) == 0
    assert not Contract.objects.exists()
    assert orders.execute_due(as_of=instant("2026-03-01T09:00")) == 1
    assert orders.execute_due(as_of=instant("2026-03-01T10:00")) == 0
    assert Order.objects.get().state == "executed"
    assert (Contract.objects.get().starts_on, billed()) == (date(2026, 3, 1), Decimal("1000.00"))


def test_whoever_offers_credits_for_nothing_needs_the_second_person_not_the_customer(
    customer: Customer, sam: User
) -> None:
    """10.00 may be given alone; 11 credits of 1.00 wait for whoever approves, before the customer sees them."""
    rule = RuleValues("grant_credits", Group.objects.create(name="Checkers").pk, "EUR", Decimal(10))
    approval_rules.create(values=rule, actor=ACTOR, at=instant("2026-01-01"))
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    gift = [{"name": "Start", "granted_credits": "11"}]
    form = made.offered(customer, made.terms("platform", credits=gift), by=sam)
    values: dict[str, Any] = {"order_form_id": form.pk, "actor": made.actor(sam), "at": instant("2026-01-02")}
    with pytest.raises(ApprovalRequired):
        order_forms.send(to=["a@example.com"], message="", **values)
    for mode in ("execute", "order_only"):  # nor by a job later on
        with pytest.raises(ApprovalRequired):
            order_forms.record_signature(signer=made.SIGNER, mode=mode, execute_at=instant("2026-01-03"), **values)
    assert not Wallet.objects.exists()
    made.accept(form, at="2026-01-02")  # sent by then: what was offered is the customer's to take
    assert WalletTransaction.objects.get(transaction_status="granted").credit_amount == 11


def test_the_scan_of_a_signature_that_failed_is_deleted(
    customer: Customer, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    form = made.offered(customer, made.terms("platform"), by=sam)
    common: dict[str, Any] = {"order_form_id": form.pk, "actor": made.actor(sam), "at": instant("2026-01-02")}
    storage = InMemoryStorage()
    monkeypatch.setattr(signed_documents, "default_storage", storage)
    scan = SignedDocument(b"%PDF-1.7 signed")

    with pytest.raises(errors.Invalid):
        order_forms.record_signature(signer=order_forms.Signer(name=""), document=scan, **common)
    assert storage.listdir(signed_documents.FOLDER)[1] == []

    kept = order_forms.record_signature(signer=made.SIGNER, document=scan, **common)
    assert signed_documents.opened(order_form=kept).read() == scan.content


def test_a_prospect_does_not_become_a_customer_who_is_there(entity: BillingEntity, sam: User) -> None:
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    prospect = {"name": "New Ltd", "external_id": "new"}
    about = {"prospect": prospect, "currency": "EUR", "billing_entity_code": "acme"}
    form = made.offered(None, made.terms("platform"), by=sam, **about)
    sent = {"order_form_id": form.pk, "to": ["a@b.test"], "message": "", "actor": made.actor(sam)}
    token = order_forms.send(at=instant("2026-01-02"), **sent).token
    theirs = parties.make_customer(entity, "new")

    with pytest.raises(errors.NotAllowed) as refused:
        quote_acceptance.accept(
            token=token, answer=Acceptance(made.SIGNER, form.sha256, details={}), at=instant("2026-01-03")
        )
    assert refused.value.code == "customer_exists"
    with pytest.raises(errors.NotAllowed, match="customer new"):
        order_forms.send(at=instant("2026-01-03"), **sent)

    assert not Subscription.objects.filter(customer=theirs).exists()
    assert OrderForm.objects.get().state == "generated"


def test_what_was_submitted_keeps_name_and_prospect(entity: BillingEntity, sam: User) -> None:
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    about = {"prospect": {"name": "New Ltd"}, "currency": "EUR", "billing_entity_code": "acme"}
    form = made.offered(None, made.terms("platform"), by=sam, **about)
    common: dict[str, Any] = {"quote_id": form.version.quote_id, "actor": made.actor(sam), "at": instant("2026-01-02")}
    changes: list[QuoteValues] = [{"name": "Other"}, {"prospect": {"name": "Other Ltd"}}]
    for values in changes:
        with pytest.raises(errors.NotAllowed, match="another version"):
            quotes.update(values=values, **common)

    assert quotes.update(values={"owner_id": None}, **common).owner_id is None
    quote_versions.clone(version_id=form.version_id, actor=made.actor(sam), at=instant("2026-01-02"))
    assert quotes.update(values={"name": "Other"}, **common).name == "Other"


def test_a_prospect_without_an_id_gets_a_free_one(entity: BillingEntity, sam: User) -> None:
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    parties.make_customer(entity, "qt-2026-0001", slug="OTHER-001")
    about = {"prospect": {"name": "New Ltd"}, "currency": "EUR", "billing_entity_code": "acme"}

    made.accept(made.offered(None, made.terms("platform"), by=sam, **about))

    assert Contract.objects.get().customer.external_id == "qt-2026-0001-2"


def test_an_offer_ends_at_midnight_where_the_customer_is(entity: BillingEntity, sam: User) -> None:
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    customer = parties.make_customer(entity, timezone="America/Los_Angeles")
    form = made.offered(customer, made.terms("platform"), by=sam)

    with pytest.raises(order_forms.UnableToSign):
        made.accept(form, at="2026-02-01T08:00")
    assert made.accept(form, at="2026-02-01T07:59").state == "signed"


@pytest.mark.parametrize("count", [1, 4])
def test_a_view_takes_three_queries(customer: Customer, sam: User, count: int, django_assert_num_queries: Any) -> None:
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    items = [{"external_id": f"sub{number}", "phases": [{"plan_code": "platform"}]} for number in range(count)]
    quote = made.draft(customer, {"term_months": 12, "items": items}, by=sam)
    for _ in range(count):
        version = quote_versions.clone(
            version_id=made.version_of(quote).pk, actor=made.actor(sam), at=instant("2026-01-02")
        )

    with django_assert_num_queries(3):
        view = known.view(version)

    assert (len(view.versions), len(view.terms.items)) == (count + 1, count)
