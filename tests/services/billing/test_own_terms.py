"""Own terms of subscriptions: what is billed by them, what follows the plan, who gets a conflict."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain import verification
from billing.domain.plan_changes import PlanChangeConflict
from billing.models import RatedCharge, Subscription
from billing.services import own_charges, own_terms, plan_changes, subscription_plans, subscriptions
from billing.services.subscriptions import NewSubscription
from catalog.domain import publications
from catalog.models import BillableMetric, PlanVersion
from catalog.queries import plans as known_plans
from catalog.services import plans
from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import fixed
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import amounts, begin, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def metric() -> BillableMetric:
    return goods.make_metric("calls")


@pytest.fixture
def plan(metric: BillableMetric) -> PlanVersion:
    return goods.make_plan("pro", cents=3100, charges=[goods.standard(metric, "1", code="calls")])


def agree(subscription: Subscription, at: str, **terms: Any) -> Subscription:
    return own_terms.agree(subscription_id=subscription.pk, terms=terms, actor=ACTOR, at=instant(at))


def own_price(amount: str) -> list[dict[str, Any]]:
    return [{"code": "calls", "properties": {"amount": amount}}]


def update_plan(*, cascades: bool = False, at: str = "2026-01-20", **values: Any) -> PlanVersion:
    publication = publications.CASCADED if cascades else publications.FOLLOWED
    return plans.update(code="pro", values=values, actor=ACTOR, at=instant(at), publication=publication)


def charge_values(version: PlanVersion, amount: str) -> dict[str, Any]:
    charge = version.charges.get(code="calls")
    return {"id": charge.key, "properties": {"amount": amount}}


def test_a_subscription_with_own_terms_is_billed_by_them_and_nobody_else(customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "2026-01-01", own_terms={"amount_cents": 1550, "charges": own_price("0.5")})
    made.make_subscription(customer, plan, "other", at=instant("2026-01-01"))
    for external_id in ("sub", "other"):
        made.send(external_id, "calls", "2026-01-10", "2026-01-11")

    run("2026-02-01")

    # 15.50 and 2 × 0.50 for the one, 31.00 and 2 × 1.00 for the other
    assert sorted(amounts(customer)) == ["calls 1", "calls 2", "pro 15.5", "pro 31"]
    private = Subscription.objects.get(external_id="sub").plan_version
    assert (private.base_id, private.is_current, private.number) == (plan.pk, False, 2)
    assert known_plans.by_code(code="pro").pk == plan.pk
    assert Subscription.objects.get(external_id="other").plan_version_id == plan.pk


def test_a_line_at_an_own_price_is_explained_and_verified(customer: Customer, plan: PlanVersion) -> None:
    begin(customer, plan, "2026-01-01", own_terms={"charges": own_price("0.5")})
    made.send("sub", "calls", "2026-01-10", "2026-01-11")
    run("2026-02-01")

    rated = RatedCharge.objects.select_related("line").get(charge__isnull=False)
    found = verification.verify(trace=rated.trace, sha256=rated.trace_sha256, amount=rated.line.amount.amount)

    assert rated.charge.plan_version.base_id == plan.pk
    assert rated.charge.key == plan.charges.get().key
    assert (found.is_right, found.amount) == (True, 1)


def test_own_terms_count_for_the_running_period_and_not_for_what_is_billed(
    customer: Customer, metric: BillableMetric
) -> None:
    plan = goods.make_plan("pro", cents=3100, pay_in_advance=True, charges=[goods.standard(metric, "1", code="calls")])
    subscription = begin(customer, plan, "2026-01-01")
    made.send("sub", "calls", "2026-01-10")

    agree(subscription, "2026-01-15", amount_cents=6200, charges=own_price("3"))
    assert amounts(customer) == ["pro 31"]
    run("2026-02-01")

    # The fee of January stays; its usage is billed at the end, at the own price.
    assert sorted(amounts(customer)) == ["calls 3", "pro 31", "pro 62"]


def test_terms_come_on_top_of_each_other_and_end_one_by_one(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2026-01-01")
    first = agree(subscription, "2026-01-02", amount_cents=5000, name="Pro for Acme").plan_version
    second = agree(subscription, "2026-01-03", charges=own_price("0.25")).plan_version
    again = agree(subscription, "2026-01-04", amount_cents=5000).plan_version

    assert (first.number, second.number, again.pk) == (2, 3, second.pk)
    assert second.overrides["amount_cents"] == 5000
    assert second.overrides["charges"][0]["properties"] == {"amount": "0.25"}
    assert second.name_on_invoices == "Pro for Acme"

    # The plan's own price is no own term.
    third = agree(subscription, "2026-01-05", amount_cents=3100, name="Pro").plan_version
    assert third.overrides.keys() == {"charges"}
    key = str(plan.charges.get().key)
    left = own_terms.end(
        subscription_id=subscription.pk, terms=[f"charges.{key}"], actor=ACTOR, at=instant("2026-01-06")
    )
    assert left.plan_version_id == plan.pk
    with pytest.raises(errors.NotAllowed, match="no own terms"):
        own_terms.end(subscription_id=subscription.pk, terms=None, actor=ACTOR, at=instant("2026-01-06"))
    verbs = AuditEntry.objects.filter(object_type="billing.subscription").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["create", *["agree_terms"] * 3, "end_terms"]


def test_a_new_version_reaches_own_terms_only_where_it_cascades(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2026-01-01", own_terms={"charges": own_price("0.5")})
    before = subscription.plan_version

    update_plan(amount_cents=4000, charges=[charge_values(plan, "2")])
    subscription.refresh_from_db()
    assert subscription.plan_version_id == before.pk

    current = update_plan(cascades=True, amount_cents=5000, charges=[charge_values(plan, "3")], at="2026-01-21")
    subscription.refresh_from_db()
    found = subscription.plan_version
    assert (found.base_id, found.amount.amount) == (current.pk, 50)
    assert found.charges.get().properties == {"amount": "0.5"}

    own_terms.end(subscription_id=subscription.pk, terms=None, actor=ACTOR, at=instant("2026-01-22"))
    subscription.refresh_from_db()
    assert subscription.plan_version_id == current.pk


def test_the_end_of_own_terms_leads_to_what_the_others_have(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2026-01-01", own_terms={"amount_cents": 100})
    made.make_subscription(customer, plan, "other", at=instant("2026-01-01"))
    second = update_plan(amount_cents=4000)
    plans.update(
        code="pro", values={"amount_cents": 9000}, actor=ACTOR, at=instant("2026-01-21"), publication=publications.KEPT
    )

    own_terms.end(subscription_id=subscription.pk, terms=None, actor=ACTOR, at=instant("2026-01-22"))

    found = dict(Subscription.objects.values_list("external_id", "plan_version_id"))
    assert found == {"sub": second.pk, "other": second.pk}


def test_a_charge_that_leaves_the_plan_takes_its_own_terms_along(
    customer: Customer, plan: PlanVersion, metric: BillableMetric
) -> None:
    terms = {"amount_cents": 100, "charges": own_price("0.5")}
    subscription = begin(customer, plan, "2026-01-01", own_terms=terms)

    update_plan(cascades=True, charges=[goods.standard(goods.make_metric("bytes"), "7", code="bytes")])

    subscription.refresh_from_db()
    assert [charge.code for charge in subscription.plan_version.charges.all()] == ["bytes"]
    assert subscription.plan_version.overrides == {"amount_cents": 100}


def test_an_own_price_keeps_the_model_it_was_agreed_in(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2026-01-01", own_terms={"charges": own_price("0.5")})
    packaged = {"amount": "9", "package_size": 10, "free_units": 0}
    charge = {"id": plan.charges.get().key, "charge_model": "package", "properties": packaged}

    update_plan(cascades=True, charges=[charge])

    subscription.refresh_from_db()
    own = subscription.plan_version.charges.get()
    assert (own.charge_model, own.properties) == ("standard", {"amount": "0.5"})
    assert known_plans.by_code(code="pro").charges.get().charge_model == "package"


def test_a_change_of_plan_comes_with_own_terms(customer: Customer, plan: PlanVersion) -> None:
    seats = goods.make_add_on("seat")
    big = goods.make_plan("big", cents=6200, fixed_charges=[goods.fixed(seats, 10, "1", code="seats")])
    begin(customer, plan, "2026-01-01")
    terms = {"amount_cents": 9300, "fixed_charges": [{"code": "seats", "units": Decimal(4)}]}

    found = begin(customer, big, "2026-01-16", own_terms=terms)
    again = begin(customer, big, "2026-01-17", own_terms=terms)

    assert (found.pk, found.plan_version.amount.amount, found.status) == (again.pk, 93, "active")
    with pytest.raises(errors.Invalid) as refused:
        begin(customer, big, "2026-01-17", own_terms={"amount_cents": 1})
    assert refused.value.details == {"plan_overrides": ["modification_not_allowed"]}
    run("2026-02-01")
    # 31.00 × 15 / 31, then 93.00 × 16 / 31 and 4 seats of 1.00
    assert amounts(customer) == ["pro 15", "big 48", "seat 4"]


def test_an_own_price_decides_which_way_a_change_goes(customer: Customer, plan: PlanVersion) -> None:
    big = goods.make_plan("big", cents=6200)
    current = begin(customer, plan, "2026-01-01")

    # 62.00 is more than 31.00, but what was agreed on is less.
    answer = begin(customer, big, "2026-01-16", own_terms={"amount_cents": 1000})

    assert answer.pk == current.pk
    waiting = plan_changes.pending(current)
    assert waiting is not None
    assert waiting.plan_version.amount.amount == 10
    # Below what waits nobody is moved unasked.
    agree(current, "2026-01-17", amount_cents=500)
    waiting.refresh_from_db()
    assert waiting.status == "canceled"


def test_one_that_waits_for_its_start_agrees_on_a_trial_and_one_that_runs_does_not(
    customer: Customer, plan: PlanVersion
) -> None:
    later = begin(customer, plan, "2026-01-01", subscription_at=instant("2026-03-01"))
    agree(later, "2026-01-02", trial_period=Decimal(10), amount_cents=1000)

    started = subscriptions.activate(subscription_id=later.pk, actor=ACTOR, at=instant("2026-03-01"))

    assert started.trial_ends_at == instant("2026-03-11")
    assert started.plan_version.amount.amount == 10
    with pytest.raises(errors.Invalid) as refused:
        agree(started, "2026-03-02", trial_period=Decimal(20))
    assert refused.value.details == {"plan_overrides.trial_period": ["modification_not_allowed"]}


def test_units_are_agreed_from_the_next_period_on_or_now(customer: Customer) -> None:
    seats = fixed.standard(goods.make_add_on("seat"), "10", "1", code="seats", pay_in_advance=True)
    plan = goods.make_plan("pro", cents=0, fixed_charges=[seats])
    subscription = begin(customer, plan, "2026-01-01")
    row = {"code": "seats", "properties": {"amount": "2"}}

    agree(subscription, "2026-01-16", fixed_charges=[{**row, "units": Decimal(12), "apply_units_immediately": True}])
    run("2026-02-01")

    # 10 × 1.00 in advance, 2 more at the own price of 2.00, then 12 × 2.00
    assert [line for line in amounts(customer) if line.startswith("seat")] == ["seat 10", "seat 4", "seat 24"]


@pytest.mark.parametrize(
    ("terms", "details"),
    [
        ({"amount_currency": "USD"}, {"plan_overrides.amount_currency": ["currencies_does_not_match"]}),
        (
            {"charges": [{"code": "calls", "properties": {"amount": "-1"}}]},
            {"plan_overrides.charges.0.properties": ["invalid_amount"]},
        ),
        ({"charges": [{"min_amount_cents": 1}]}, {"plan_overrides.charges.0.id": ["value_is_mandatory"]}),
        (
            {"charges": [{"code": "calls", "min_amount_cents": 1}, {"code": "calls", "min_amount_cents": 2}]},
            {"plan_overrides.charges.1.id": ["value_is_duplicated"]},
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_path(
    customer: Customer, plan: PlanVersion, terms: dict[str, Any], details: dict[str, list[str]]
) -> None:
    with pytest.raises(errors.Invalid) as refused:
        begin(customer, plan, "2026-01-01", own_terms=terms)
    assert refused.value.details == details
    assert not Subscription.objects.exists()
    assert PlanVersion.objects.count() == 1


def test_what_is_named_in_vain_is_not_found_and_a_model_stays(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2026-01-01")
    with pytest.raises(errors.NotFound):
        agree(subscription, "2026-01-02", charges=[{"code": "nothing", "min_amount_cents": 1}])
    with pytest.raises(errors.NotFound):
        agree(subscription, "2026-01-02", tax_codes=["nothing"])
    with pytest.raises(errors.Forbidden) as refused:
        agree(subscription, "2026-01-02", charges=[{"code": "calls", "charge_model": "package"}])
    assert refused.value.code == "cannot_override_charge_model"
    assert PlanVersion.objects.count() == 1


def test_who_looked_at_something_else_gets_a_conflict(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2026-01-01")
    seen = plan_changes.state_of(subscription)
    agree(subscription, "2026-01-02", amount_cents=100)

    with pytest.raises(PlanChangeConflict):
        own_terms.agree(
            subscription_id=subscription.pk,
            terms={"amount_cents": 200},
            seen=seen,
            actor=ACTOR,
            at=instant("2026-01-03"),
        )

    subscription.refresh_from_db()
    assert subscription.plan_version.amount.amount == 1


def test_filters_are_agreed_one_by_one(customer: Customer) -> None:
    metric = goods.make_metric("calls", filters=[{"key": "region", "values": ["eu", "us"]}])
    plan = goods.make_plan("pro", cents=0, charges=[goods.standard(metric, "1", code="calls")])
    subscription = begin(customer, plan, "2026-01-01")
    common: Any = {"subscription_id": subscription.pk, "code": "calls", "actor": ACTOR, "at": instant("2026-01-02")}
    made.send("sub", "calls", "2026-01-10", region="eu")
    made.send("sub", "calls", "2026-01-11", region="us")

    values: Any = {"values": {"region": ["eu"]}, "properties": {"amount": "5"}}
    _, key = own_charges.add_filter(values=values, **common)
    own_charges.change_filter(filter_id=key, values={"properties": {"amount": "7"}}, **common)
    with pytest.raises(errors.Invalid):
        own_charges.add_filter(values=values, **common)
    run("2026-02-01")

    # one in eu at 7.00, one elsewhere at 1.00
    assert sorted(amounts(customer)) == ["calls 1", "calls 7"]
    found, _ = own_charges.remove_filter(filter_id=key, **common)
    assert found.plan_version_id == plan.pk


def test_a_draft_follows_when_it_is_computed_anew(metric: BillableMetric, plan: PlanVersion) -> None:
    customer = parties.make_customer(parties.make_entity(), invoice_grace_period=5)
    subscription = begin(customer, plan, "2026-01-01")
    run("2026-02-01")
    draft = Invoice.objects.get()
    assert (draft.status, draft.fees_amount.amount) == ("draft", 31)

    agree(subscription, "2026-02-02", amount_cents=6200)
    invoices.finalize(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-02-06"))

    draft.refresh_from_db()
    assert (draft.status, draft.fees_amount.amount) == ("finalized", 62)


def test_a_rehearsal_leaves_nothing(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, "2026-01-01")

    found = subscription_plans.preview(
        subscription=subscription, verb=lambda: agree(subscription, "2026-01-02", amount_cents=100)
    )

    assert found.invoices == ()
    assert Subscription.objects.get().plan_version_id == plan.pk
    assert PlanVersion.objects.count() == 1


def test_a_second_subscription_of_the_plan_numbers_on(customer: Customer, plan: PlanVersion) -> None:
    new = NewSubscription(
        external_customer_id=customer.external_id, plan_code="pro", external_id="a", own_terms={"amount_cents": 1}
    )
    first = subscriptions.create(new=new, actor=ACTOR, at=instant("2026-01-01"))
    published = update_plan(amount_cents=100)
    second = begin(customer, published, "2026-01-21", own_terms={"amount_cents": 2})

    numbers = [version.number for version in (first.plan_version, published, second.plan_version)]
    assert numbers == [2, 3, 4]
    assert second.plan_version.base_id == published.pk
