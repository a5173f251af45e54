"""Quotes from the draft to the first invoice: what an acceptance makes, to the cent, and what it does not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from billing.domain.quote_states import InvalidQuoteState
from billing.models import Contract, Order, OrderForm, Subscription
from billing.queries import quotes as known
from billing.services import contract_amendments, order_forms, orders, quote_versions, subscription_moves, terminations
from billing.services.order_forms import LinkInvalid, LinkOver, Signer
from billing.services.signed_documents import InvalidDocument, SignedDocument
from catalog.models import PlanVersion
from catalog.services import add_ons, plans
from config.kernel import errors
from customers.models import AppliedCoupon, BillingEntity, Customer
from invoicing.models import Invoice, Wallet
from tests.factories import billing, contracts
from tests.factories import catalog as goods
from tests.factories import coupons as coupon_factory
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant
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


@pytest.fixture
def plan() -> PlanVersion:
    seat = goods.make_add_on("seat", cents=1000)
    return goods.make_plan(
        "platform", cents=100000, pay_in_advance=True, fixed_charges=[goods.fixed(seat, 10, "10", pay_in_advance=True)]
    )


def test_a_prospect_accepts_and_everything_is_made(entity: BillingEntity, sam: User, plan: PlanVersion) -> None:
    goods.make_add_on("setup", cents=50000)
    coupon_factory.make_coupon("ten", rate="0.1", frequency="once")
    offered = {
        "term_months": 12,
        "payment_term_days": 45,
        "purchase_order_number": "PO-7",
        "items": [
            {
                "phases": [
                    {"plan_code": "platform", "units": {"seat": "20"}, "discount_rate": "0.25"},
                    {"plan_code": "platform", "units": {"seat": "40"}, "after_months": 6},
                ]
            }
        ],
        "one_offs": [{"add_on_code": "setup", "units": "1", "discount_rate": "0.1"}],
        "coupons": [{"coupon_code": "ten"}],
        "credits": [{"name": "Start", "granted_credits": "50", "rate_amount": "1"}],
    }
    form = made.offered(None, offered, by=sam, prospect={"name": "New Ltd"}, currency="EUR", billing_entity_code="acme")

    view = known.view(form.version)
    assert view.party.name == "New Ltd"
    assert view.party.is_prospect
    assert view.totals is not None
    # 750.00 + 20 × 10.00; 1,000.00 + 40 × 10.00
    assert [phase.monthly_amount for phase in view.totals.phases] == [Decimal("950.00"), Decimal("1400.00")]
    # 6 × 950.00 + 6 × 1,400.00 + 450.00
    assert view.totals.total_amount == Decimal("14550.00")
    assert view.totals.recurring_amount == Decimal("1400.00")
    # 25 % of the fee, and the coupon's 10 % of what is left
    assert view.totals.deepest_discount_rate == Decimal("0.325")
    assert not Customer.objects.exists()
    assert not Contract.objects.exists()

    signed = made.accept(form, at="2026-01-10")

    customer = Customer.objects.get()
    order = Order.objects.get()
    assert (customer.external_id, customer.name, customer.net_payment_term) == ("qt-2026-0001", "New Ltd", 45)
    assert (signed.state, signed.signer_name, signed.signer_address) == ("signed", "Ada King", "203.0.113.7")
    assert (order.number, order.state, order.customer_id) == ("OR-2026-0001", "executed", customer.pk)
    contract = Contract.objects.get()
    assert (contract.state, contract.starts_on, contract.ends_on) == ("active", date(2026, 1, 10), date(2027, 1, 9))
    assert contract.purchase_order_number == "PO-7"
    assert Subscription.objects.filter(status="active").get().external_id == "qt-2026-0001-platform"
    assert Wallet.objects.get().name == "Start"
    assert AppliedCoupon.objects.count() == 1
    first, setup = Invoice.objects.order_by("pk")
    # 750.00 + 200.00 = 950.00, less 10 % = 855.00, plus 19 % = 1,017.45, less 50.00 of credits
    assert first.fees_amount.amount == Decimal("950.00")
    assert first.total_amount.amount == Decimal("967.45")
    # 500.00 − 10 % = 450.00, plus 19 %
    assert setup.total_amount.amount == Decimal("535.50")
    assert order.record["invoices"] == [str(first.uuid), str(setup.uuid)]
    assert order.invoice_id == first.pk


def test_the_same_click_twice_is_one_acceptance(customer: Customer, sam: User, plan: PlanVersion) -> None:
    form = made.offered(customer, made.terms("platform"), by=sam)

    first = made.accept(form)
    second = made.accept(form, at="2026-01-02")

    assert (first.decided_at, first.state) == (second.decided_at, second.state)
    assert (Contract.objects.count(), Order.objects.count(), Invoice.objects.count()) == (1, 1, 1)


def test_a_part_that_cannot_be_made_leaves_nothing(customer: Customer, sam: User, plan: PlanVersion) -> None:
    goods.make_add_on("setup", cents=50000)
    offered = made.terms("platform", one_offs=[{"add_on_code": "setup"}], payment_term_days=10)
    form = made.offered(customer, offered, by=sam)
    add_ons.delete(code="setup", actor=ACTOR, at=instant("2026-01-01"))

    with pytest.raises(errors.NotFound, match="add-on"):
        made.accept(form)

    form.refresh_from_db()
    customer.refresh_from_db()
    assert (form.state, form.signer_name, form.version.state) == ("generated", "", "approved")
    assert customer.net_payment_term is None
    assert not Contract.objects.exists()
    assert not Invoice.objects.exists()
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("at", "changes", "code"),
    [
        ("2026-02-01", {}, "order_form_is_expired"),
        ("2026-01-31T23:59", {"document_sha256": "b" * 64}, "document_changed"),
        ("2026-01-31T23:59", {"signer": Signer(name=" ")}, "validation_errors"),
    ],
)
def test_what_is_no_acceptance(
    customer: Customer, sam: User, plan: PlanVersion, at: str, changes: dict[str, Any], code: str
) -> None:
    form = made.offered(customer, made.terms("platform"), by=sam)

    with pytest.raises(errors.DomainError) as refused:
        made.accept(form, at=at, **changes)

    assert refused.value.code == code
    assert not Contract.objects.exists()


def test_the_customer_declines_and_another_version_takes_its_place(
    customer: Customer, sam: User, plan: PlanVersion
) -> None:
    form = made.offered(customer, made.terms("platform"), by=sam)
    said = made.actor(sam)

    order_forms.decline(
        order_form_id=form.pk, reason="Too dear", signer=made.SIGNER, actor=said, at=instant("2026-01-05")
    )
    with pytest.raises(InvalidQuoteState):
        made.accept(form)
    second = quote_versions.clone(version_id=form.version_id, actor=said, at=instant("2026-01-06"))

    form.refresh_from_db()
    assert (form.state, form.reason, form.recorded_by) == ("declined", "Too dear", "sam")
    assert (second.number, second.state, second.terms_sha256) == (2, "draft", "")
    assert form.version.quote.versions.count() == 2
    assert not Contract.objects.exists()


def test_time_ends_offers(customer: Customer, sam: User, plan: PlanVersion) -> None:
    form = made.offered(customer, made.terms("platform"), by=sam)

    assert order_forms.expire_due(as_of=instant("2026-01-31T23:59")) == 0
    assert order_forms.expire_due(as_of=instant("2026-02-01")) == 1
    assert order_forms.expire_due(as_of=instant("2026-02-02")) == 0

    form.refresh_from_db()
    assert (form.state, form.version.state) == ("expired", "expired")


def test_links_are_good_until_the_next_one(
    customer: Customer, sam: User, plan: PlanVersion, django_capture_on_commit_callbacks: Any
) -> None:
    form = made.offered(customer, made.terms("platform"), by=sam)
    common: dict[str, Any] = {"order_form_id": form.pk, "message": "", "actor": made.actor(sam)}

    first = order_forms.send(to=["ada@example.com"], at=instant("2026-01-02"), **common)
    opened = order_forms.opened(token=first.token, at=instant("2026-01-02"))
    second = order_forms.send(to=["ada@example.com"], at=instant("2026-01-03"), **common)

    assert opened.pk == form.pk
    assert opened.version.state == "sent"
    assert first.token not in str(OrderForm.objects.values())
    assert order_forms.opened(token=second.token, at=instant("2026-01-03")).pk == form.pk
    with pytest.raises(LinkOver):
        order_forms.opened(token=first.token, at=instant("2026-01-03"))
    for wrong in ("", "x", second.token[:-1], second.token + "0", "a" * 5000):
        with pytest.raises(LinkInvalid):
            order_forms.opened(token=wrong, at=instant("2026-01-03"))


def test_what_was_submitted_is_sold_at_its_prices(customer: Customer, sam: User, plan: PlanVersion) -> None:
    form = made.offered(customer, made.terms("platform"), by=sam)
    plans.update(code="platform", values={"amount_cents": 200000}, actor=ACTOR, at=instant("2026-01-05"))

    made.accept(form, at="2026-01-10")

    # 1,000.00 + 10 × 10.00, as it was offered
    assert Invoice.objects.get().fees_amount.amount == Decimal("1100.00")
    assert form.version.terms["items"][0]["phases"][0]["plan_version"] == 1


def test_a_contract_is_amended_as_it_was_quoted(customer: Customer, sam: User, plan: PlanVersion) -> None:
    made.accept(made.offered(customer, made.terms("platform"), by=sam))
    contract = Contract.objects.get()
    changes = [
        {
            "kind": "change_terms",
            "external_id": "sub",
            "effective_on": "2026-02-01",
            "phases": [{"units": {"seat": "30"}, "discount_rate": "0.5"}],
        },
        {"kind": "extend_term", "ends_on": "2027-06-30"},
    ]
    about = {"kind": "amendment", "contract_number": contract.number, "external_customer_id": ""}
    form = made.offered(customer, {"changes": changes}, by=sam, at="2026-01-15", **about)

    view = known.view(form.version)
    assert view.totals is not None
    before, *_ = view.totals.phases
    # 1,000.00 + 100.00 now; 500.00 + 300.00 then
    assert (before.before_monthly_amount, before.monthly_amount) == (Decimal("1100.00"), Decimal("800.00"))
    # The longer time is sold at what the product costs then; what it costs now counts once.
    assert (view.totals.before_recurring_amount, view.totals.recurring_amount) == (
        Decimal("1100.00"),
        Decimal("800.00"),
    )
    # From 1 February 2026 until 30 June 2027
    assert view.totals.total_amount == 17 * Decimal("800.00")
    assert [change.figures.after_day for change in view.changes] == [None, date(2027, 6, 30)]

    made.accept(form, at="2026-01-20")
    contracts.pass_days("2026-02-01")

    contract.refresh_from_db()
    assert contract.ends_on == date(2027, 6, 30)
    assert [row.kind for row in contract.amendments.all()] == ["change_terms", "extend_term"]
    # 500.00 + 30 × 10.00 in February
    assert Invoice.objects.order_by("-pk")[0].fees_amount.amount == Decimal("800.00")


def test_a_contract_that_changed_meanwhile_is_quoted_again(customer: Customer, sam: User, plan: PlanVersion) -> None:
    made.accept(made.offered(customer, made.terms("platform"), by=sam))
    contract = Contract.objects.get()
    changes = [{"kind": "extend_term", "ends_on": "2027-06-30"}]
    about = {"kind": "amendment", "contract_number": contract.number, "external_customer_id": ""}
    form = made.offered(customer, {"changes": changes}, by=sam, at="2026-01-15", **about)
    contract_amendments.extend_term(
        contract_id=contract.pk,
        ends_on=date(2027, 1, 31),
        change=contract_amendments.Change(effective_on=date(2026, 1, 16)),
        actor=ACTOR,
        at=instant("2026-01-16"),
    )

    with pytest.raises(contract_amendments.ContractChanged):
        made.accept(form, at="2026-01-20")

    contract.refresh_from_db()
    assert contract.ends_on == date(2027, 1, 31)


def test_a_renewal_is_the_next_term_at_quoted_prices(customer: Customer, sam: User, plan: PlanVersion) -> None:
    goods.make_plan("extra", cents=5000, pay_in_advance=True)
    first = made.terms("platform", renewal="automatic", notice_days=30, uplift_rate="0.1", term_months=2)
    made.accept(made.offered(customer, first, by=sam))
    contract = Contract.objects.get()
    items = [
        {"external_id": "sub", "phases": [{"plan_code": "platform", "units": {"seat": "10"}, "discount_rate": "0.1"}]},
        {"external_id": "more", "phases": [{"plan_code": "extra"}]},
    ]
    about = {"kind": "renewal", "contract_number": contract.number, "external_customer_id": ""}
    offered = {"term_months": 3, "items": items}
    form = made.offered(customer, offered, by=sam, at="2026-01-10", **about)
    view = known.view(form.version)
    assert view.totals is not None
    # (900.00 + 100.00 + 50.00) × 3; 1,100.00 a month before
    assert view.totals.total_amount == Decimal("3150.00")
    assert view.totals.before_recurring_amount == Decimal("1100.00")

    made.accept(form, at="2026-01-20")
    for day in contracts.months("2026-02-01", 5):
        subscription_moves.activate_pending(as_of=instant(day))
        contracts.pass_days(day)

    contract.refresh_from_db()
    assert (contract.ends_on, contract.state, contract.renewal) == (date(2026, 5, 31), "ended", "none")
    amounts = [f"{row.fees_amount.amount:.2f}" for row in Invoice.objects.order_by("pk")]
    # The old term to its end without the uplift, then three months of the new one.
    assert sum(Decimal(amount) for amount in amounts) == Decimal("5350.00")
    assert amounts[:2] == ["1100.00", "1100.00"]


def test_an_order_that_was_kept_is_executed_later_and_says_why_it_failed(
    customer: Customer, sam: User, plan: PlanVersion
) -> None:
    form = made.offered(customer, made.terms("platform"), by=sam)
    said = made.actor(sam)
    scan = SignedDocument(b"%PDF-1.7 signed")
    order_forms.record_signature(
        order_form_id=form.pk,
        signer=made.SIGNER,
        document=scan,
        mode="order_only",
        actor=said,
        at=instant("2026-01-02"),
    )
    order = Order.objects.get()
    assert (order.state, order.mode, order.contract_id) == ("created", "order_only", None)
    assert not Contract.objects.exists()
    made_by_hand = billing.make_subscription(customer, plan, "sub", at=instant("2026-01-03"))

    failed = orders.execute(order_id=order.pk, actor=said, at=instant("2026-01-04"))
    assert (failed.state, failed.error_code) == ("failed", "value_already_exist")
    assert not Contract.objects.exists()

    terminations.terminate(subscription_id=made_by_hand.pk, actor=ACTOR, at=instant("2026-01-05"))
    done = orders.execute(order_id=order.pk, actor=said, at=instant("2026-01-06"))

    assert (done.state, done.error, done.mode) == ("executed", "", "execute")
    assert Contract.objects.get().starts_on == date(2026, 1, 6)
    with pytest.raises(InvalidQuoteState, match="executed already"):
        orders.execute(order_id=order.pk, actor=said, at=instant("2026-01-07"))


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"%PDF-" + b"x" * (10 * 1024 * 1024)], ids=["empty", "gif", "big"])
def test_documents_that_are_none(customer: Customer, sam: User, plan: PlanVersion, content: bytes) -> None:
    form = made.offered(customer, made.terms("platform"), by=sam)

    with pytest.raises(InvalidDocument):
        order_forms.record_signature(
            order_form_id=form.pk,
            signer=made.SIGNER,
            document=SignedDocument(content),
            actor=made.actor(sam),
            at=instant("2026-01-02"),
        )

    assert not Order.objects.exists()
