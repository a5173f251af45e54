"""Which billing entity bills a subscription, and which texts its invoices carry: its own, or its customer's."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Subscription
from billing.queries import contracts, wallet_usage
from billing.queries import subscriptions as known
from billing.queries.subscriptions import SubscriptionFilter
from billing.services import progressive_billing, subscription_updates
from catalog.models import PlanVersion
from config.kernel import errors
from customers.models import BillingEntity, Customer, InvoiceCustomSection
from invoicing.models import Invoice, LedgerEntry
from invoicing.services import invoices, section_texts
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    """Of a seller with 19 %, in UTC; the other one has 20 %, a week of grace and 30 days to pay."""
    vat, gst = parties.make_tax(), parties.make_tax("gst20", "0.20")
    entity = parties.make_entity(taxes=[vat], is_default=True, net_payment_term=14)
    parties.make_entity("other", taxes=[gst], net_payment_term=30, invoice_grace_period=7, timezone="Pacific/Auckland")
    return parties.make_customer(entity)


@pytest.fixture
def plan() -> PlanVersion:
    return goods.make_plan("plan", cents=3100)


def begin(customer: Customer, plan: PlanVersion, external_id: str = "sub", **values: Any) -> Subscription:
    return made.make_subscription(customer, plan, external_id, at=instant("2026-01-01"), **values)


def change(subscription: Subscription, at: str = "2026-01-10", **changes: Any) -> Subscription:
    return subscription_updates.update(subscription_id=subscription.pk, changes=changes, actor=ACTOR, at=instant(at))


def found(customer: Customer) -> list[tuple[str, str | None, str, list[str]]]:
    """Return seller, number, gross amount and subscriptions of each invoice."""
    rows = Invoice.objects.filter(customer=customer).select_related("billing_entity").order_by("pk")
    return [
        (
            row.billing_entity.code,
            row.number,
            str(row.total_amount.amount.normalize()),
            sorted({line.group_key for line in row.lines.all()}),
        )
        for row in rows
    ]


def test_invoices_never_mix_sellers_and_have_the_terms_of_theirs(customer: Customer, plan: PlanVersion) -> None:
    for external_id, code in (("a", ""), ("b", "other"), ("c", "acme"), ("d", "other")):
        begin(customer, plan, external_id, billing_entity_code=code)

    run("2026-02-01")

    # 2 × 31.00 + 19 % = 73.78; 2 × 31.00 + 20 % = 74.40, a draft for a week.
    assert found(customer) == [("acme", "ACME-001-001", "73.78", ["a", "c"]), ("other", None, "74.4", ["b", "d"])]
    invoices.finalize_due(as_of=instant("2026-02-08"))
    own, others = Invoice.objects.order_by("pk")
    assert (others.number, others.status) == ("OTHER-001-001", Invoice.Status.FINALIZED)
    assert (own.net_payment_term, others.net_payment_term) == (14, 30)
    # The days are the customer's, whoever bills them.
    assert (own.timezone, others.timezone) == ("UTC", "UTC")
    assert others.billed_periods.first().from_at == instant("2026-01-01")
    assert set(LedgerEntry.objects.values_list("billing_entity__code", flat=True)) == {"acme", "other"}


def test_it_follows_its_customers_seller_unless_it_names_one(customer: Customer, plan: PlanVersion) -> None:
    follows, named = begin(customer, plan, "a"), begin(customer, plan, "b", billing_entity_code="acme")
    customer.billing_entity = BillingEntity.objects.get(code="other")
    customer.save(update_fields=["billing_entity"])

    sellers = {
        one.external_id: one.billing_entity_id
        for one in contracts.of_subscriptions(subscription_ids=[follows.pk, named.pk])
    }

    acme, other = (BillingEntity.objects.get(code=code) for code in ("acme", "other"))
    assert sellers == {"a": other.pk, "b": acme.pk}
    for code, expected in (("acme", ["b"]), ("other", ["a"])):
        rows = known.search(SubscriptionFilter(billing_entity_codes=[code]))
        assert [row.external_id for row in rows] == expected


def test_another_seller_goes_for_what_comes(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan)
    run("2026-02-01")

    change(subscription, at="2026-02-10", billing_entity_code="other")
    run("2026-03-10")
    change(subscription, at="2026-03-11", billing_entity_code="")
    run("2026-04-01")

    assert [row[0] for row in found(customer)] == ["acme", "other", "acme"]
    note = subscription.__class__.objects.get(pk=subscription.pk)
    assert note.billing_entity_id is None


def test_a_change_of_plan_keeps_it_or_names_another(customer: Customer, plan: PlanVersion) -> None:
    goods.make_plan("more", cents=6200)
    begin(customer, plan, billing_entity_code="other")
    kept = made.make_subscription(customer, goods.make_plan("most", cents=9300), at=instant("2026-01-05"))
    again = made.make_subscription(
        customer, goods.make_plan("all", cents=12400), at=instant("2026-01-06"), billing_entity_code="acme"
    )

    assert (kept.seller.code, again.seller.code) == ("other", "acme")


def test_a_repeat_moves_nothing_and_a_stranger_is_refused(customer: Customer, plan: PlanVersion) -> None:
    subscription = begin(customer, plan, billing_entity_code="other")

    assert begin(customer, plan, billing_entity_code="other").pk == subscription.pk
    assert begin(customer, plan).seller.code == "other"
    with pytest.raises(errors.Invalid) as refusal:
        begin(customer, plan, billing_entity_code="acme")
    assert refusal.value.details == {"billing_entity_code": ["modification_not_allowed"]}
    for act in (
        lambda: begin(customer, plan, "new", billing_entity_code="nobody"),
        lambda: change(subscription, billing_entity_code="nobody"),
    ):
        with pytest.raises(errors.NotFound) as missing:
            act()
        assert missing.value.code == "billing_entity_not_found"
    assert Subscription.objects.get().seller.code == "other"


def test_it_stays_while_a_period_was_billed_in_part(customer: Customer) -> None:
    """What was billed progressively is taken off the invoice of the period: of the same seller."""
    charge = goods.standard(goods.make_metric("gigabytes", "sum_agg"), "1")
    plan = goods.make_plan("p", cents=3100, charges=[charge], usage_thresholds=[{"amount_cents": 10_000}])
    subscription = begin(customer, plan)
    made.send("sub", "gigabytes", "2026-01-05T10:00", gigabytes="150")
    progressive_billing.run(as_of=instant("2026-01-06"))
    assert Invoice.objects.get().kind == Invoice.Kind.PROGRESSIVE_BILLING

    with pytest.raises(errors.Invalid) as refusal:
        change(subscription, billing_entity_code="other")
    assert refusal.value.details == {"billing_entity_code": ["modification_not_allowed"]}

    run("2026-02-01")
    change(subscription, at="2026-02-02", billing_entity_code="other")
    run("2026-03-01")
    assert [row[0] for row in found(customer)] == ["acme", "acme", "other"]


def test_open_usage_is_held_for_wallets_of_its_seller(customer: Customer) -> None:
    charge = goods.standard(goods.make_metric("gigabytes", "sum_agg"), "1")
    begin(customer, goods.make_plan("p", cents=0, charges=[charge]), billing_entity_code="other")
    made.send("sub", "gigabytes", "2026-01-05T10:00", gigabytes="10")

    nets = wallet_usage.nets(customer_id=customer.pk, at=instant("2026-01-06"))

    other = BillingEntity.objects.get(code="other")
    # 10 × 1.00 + 20 %, the other seller's.
    assert {place: sum(row.amount for row in rows.values()) for place, rows in nets.items()} == {(other.pk, "EUR"): 12}


def test_its_own_texts_are_on_its_invoices(customer: Customer, plan: PlanVersion) -> None:
    for code in ("house", "own", "more"):
        InvoiceCustomSection.objects.create(code=code, name=code, details=code)
    customer.billing_entity.invoice_custom_sections.add(InvoiceCustomSection.objects.get(code="house"))
    begin(customer, plan, "a", purchase_order_number="1")
    begin(customer, plan, "b", purchase_order_number="2", custom_section_codes=["own", "more"])
    begin(customer, plan, "c", purchase_order_number="2", custom_section_codes=["more"])
    begin(customer, plan, "d", purchase_order_number="3", custom_section_codes=[])
    begin(customer, plan, "e", purchase_order_number="4", custom_section_codes=["own"])
    begin(customer, plan, "f", purchase_order_number="4")

    run("2026-02-01")

    shown = [
        (row.purchase_order_number, [text["code"] for text in section_texts.shown(row)])
        for row in Invoice.objects.order_by("purchase_order_number")
    ]
    # Several on one invoice: the texts of all of them, each once.
    assert shown == [("1", ["house"]), ("2", ["own", "more"]), ("3", []), ("4", ["own", "house"])]


def test_texts_are_chosen_anew_and_given_back(customer: Customer, plan: PlanVersion) -> None:
    InvoiceCustomSection.objects.create(code="own", name="own", details="own")
    subscription = begin(customer, plan)

    chosen = change(subscription, custom_section_codes=["own"]).custom_section_ids
    skipped = change(subscription, custom_section_codes=[]).custom_section_ids
    with pytest.raises(errors.NotFound):
        change(subscription, custom_section_codes=["gone"])
    given_back = change(subscription, custom_section_codes=None).custom_section_ids

    assert (chosen, skipped, given_back) == ([InvoiceCustomSection.objects.get().pk], [], None)
