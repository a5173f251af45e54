"""What changes between a sign-off and its run: each change is refused by its name, also where the amount is the same.
And that the causes of what real invoices come to sum to the difference, with everything that lowers a total.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BillingRunItem, OutlierRule, Rehearsal, RehearsedInvoice, Subscription
from billing.queries import rehearsals as known
from billing.services import advance_invoices, parked_accounts, progressive_billing, run_starts
from catalog.models import PlanVersion
from config.kernel import money
from config.platform.services import installation
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from invoicing.services import credit_notes
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import coupons as discounts
from tests.factories import invoicing as parties
from tests.factories import migration_stories as people
from tests.factories import wallets
from tests.factories.billing import instant
from tests.factories.platform import ACTOR
from tests.factories.rehearsals import FEBRUARY, JANUARY, bill, rehearse, run, sign

pytestmark = pytest.mark.django_db

Change = Callable[[Customer], object]


@pytest.fixture
def plan() -> PlanVersion:
    """31.33 a month, 1.337 for each gigabyte, billed at once above 200.00."""
    metric = goods.make_metric("gigabytes", "sum_agg")
    charges = [goods.standard(metric, "1.337")]
    return goods.make_plan("p", cents=3133, charges=charges, usage_thresholds=[{"amount_cents": 20_000}])


def use(name: str, day: str, units: str) -> None:
    made.send(name, "gigabytes", f"{day}T10:00", gigabytes=units)


def credit(customer: Customer, amount: str) -> None:
    invoice = Invoice.objects.get(pk=parties.issue(customer, amount, at=instant("2026-02-20")).pk)
    line = invoice.lines.get()
    credit_notes.create(
        invoice_id=invoice.pk, amounts={line.pk: line.amount}, reason="other", actor=ACTOR, at=instant("2026-02-21")
    )


def of_buyer(**values: Any) -> Change:
    return lambda customer: Customer.objects.filter(pk=customer.pk).update(**values)


def of_seller(**values: Any) -> Change:
    return lambda customer: BillingEntity.objects.filter(pk=customer.billing_entity_id).update(**values)


def park_and_release(customer: Customer) -> None:
    row = parked_accounts.park(customer_id=customer.pk, reason="Disputed.", actor=ACTOR, at=instant(FEBRUARY))
    parked_accounts.release(parked_id=row.pk, actor=ACTOR, at=instant(FEBRUARY))


def cancel_out(customer: Customer) -> None:
    use(customer.external_id, "2026-02-13", "7")
    use(customer.external_id, "2026-02-14", "-7")


CHANGES: dict[str, tuple[Change, str]] = {
    "nothing": (lambda _: None, ""),
    "parked": (park_and_release, ""),
    "cancels": (cancel_out, "usage of gigabytes (was 10 in 1 events, is 10 in 3 events)"),
    "wallet": (lambda one: wallets.give(wallets.make_wallet(one), "5"), "prepaid credits"),
    "credit": (lambda one: credit(one, "4.00"), "credit notes (was 0.00 EUR, is 4.00 EUR)"),
    "term": (of_buyer(net_payment_term=30), "payment term (was 0 days, is 30 days)"),
    "email": (of_buyer(email="other@example.com"), "name and address of the buyer"),
    "shipping": (of_buyer(shipping_address={"city": "Paris"}), "name and address of the buyer"),
    "locale": (of_buyer(document_locale="fr"), "texts of the document"),
    "grace": (of_buyer(invoice_grace_period=3), "grace period (was finalized, is draft)"),
    "iban": (of_seller(iban="DE02120300000000202051"), "bank details of the seller"),
    "footer": (of_seller(invoice_footer="Pay elsewhere."), "texts of the document"),
    "apart": (
        lambda one: Subscription.objects.filter(customer=one).update(consolidate_invoice=False),
        "what is billed on one invoice",
    ),
    "seller": (
        lambda one: Customer.objects.filter(pk=one.pk).update(billing_entity=parties.make_entity("new")),
        "seller (was",
    ),
}


def test_every_change_since_the_sign_off_is_refused_by_its_name(plan: PlanVersion) -> None:
    customers = {}
    for name in CHANGES:
        customers[name] = parties.make_customer(parties.make_entity(f"of-{name}"), name)
        made.make_subscription(customers[name], plan, name, at=instant("2026-02-01"))
        use(name, "2026-02-12", "10")
    signed = sign(rehearse(FEBRUARY, people.person("anna")), people.person("ben"))
    for name, (change, _) in CHANGES.items():
        change(customers[name])

    done = bill(signed)

    told = {item.customer.external_id: item.error for item in BillingRunItem.objects.filter(run=done)}
    assert {name: told[name] for name, (_, says) in CHANGES.items() if says not in told[name]} == {}
    assert {name for name, error in told.items() if not error} == {"nothing", "parked"}
    assert done.invoices_count == 2


def rehearsed_exactly(row: Rehearsal) -> set[str]:
    """Hold every row's causes against its amounts, and their sums against the rows; return the causes."""
    found = set[str]()
    rows = list(RehearsedInvoice.objects.filter(rehearsal=row))
    for one in rows:
        before = Decimal(0) if one.previous_amount is None else one.previous_amount.amount
        assert one.difference_amount.amount == one.total_amount.amount - before
        assert sum(one.causes.values()) == money.to_minor(one.difference_amount)
        assert one.previous is None or one.previous_amount == one.previous.total_amount
        found |= one.causes.keys()
    for sums in known.sums(rehearsal_id=row.pk):
        assert sum(amount.amount for amount in sums.causes.values()) == sums.difference.amount
        assert sums.total == sums.previous + sums.difference
    return found


def test_causes_sum_to_the_cent_with_credits_wallets_coupons_and_progressive_invoices(plan: PlanVersion) -> None:
    entity = parties.make_entity(taxes=[parties.make_tax()])
    yen = goods.make_plan("yen", cents=2500, currency="JPY")
    customers = {name: parties.make_customer(entity, name) for name in "abc"}
    customers["d"] = parties.make_customer(entity, "d", currency="JPY")
    for name, day in (("a", "01"), ("b", "10"), ("c", "01"), ("d", "07")):
        version = yen if name == "d" else plan
        made.make_subscription(customers[name], version, name, at=instant(f"2026-01-{day}"))
    discounts.give(customers["a"], rate="0.1", frequency="forever")
    discounts.give(customers["b"], "c2", amount_cents=777)
    wallets.give(wallets.make_wallet(customers["a"]), "33.33")
    for name, first, rest in (("a", "170.7", "3.3"), ("b", "151", "0.1"), ("c", "3.3", "170.7")):
        use(name, "2026-01-12", first)
        assert progressive_billing.run(as_of=instant("2026-01-12T11:00")).failed == {}
        use(name, "2026-01-20", rest)
    run(JANUARY)
    credit(customers["c"], "13.37")
    use("a", "2026-02-12", "400")
    use("c", "2026-02-12", "17.1")
    assert progressive_billing.run(as_of=instant("2026-02-12T11:00")).failed == {}
    use("a", "2026-02-22", "-20.3")
    made.make_subscription(customers["b"], plan, "b2", at=instant("2026-02-11"))

    row = rehearse(FEBRUARY, people.person("anna"))

    assert (row.invoices_count, row.failures_count) == (4, 0)
    assert rehearsed_exactly(row) == {"quantity", "proration", "new", "discount", "tax", "credits"}
    done = bill(sign(row, people.person("ben")))
    assert (done.invoices_count, done.failures_count) == (4, 0)
    agreed = {one.customer_id: one.total_amount for one in RehearsedInvoice.objects.all()}
    billed = Invoice.objects.filter(run_item__run=done)
    assert {one.customer_id: one.total_amount for one in billed} == agreed


def test_usage_that_fills_a_commitment_is_not_off_the_contract() -> None:
    metric = goods.make_metric("requests")
    charges = [goods.standard(metric, "100")]
    plan = goods.make_plan("least", cents=10000, charges=charges, minimum_commitment={"amount_cents": 50000})
    customer = parties.make_customer(parties.make_entity())
    for name, calls in (("none", 0), ("some", 2), ("all", 9)):
        made.make_subscription(customer, plan, name, at=instant("2026-02-01"), consolidate_invoice=False)
        made.send(name, "requests", *["2026-02-10"] * calls)
    made.make_subscription(customer, plan, "half", at=instant("2026-02-15"), consolidate_invoice=False)
    OutlierRule.objects.create(name="Off", kind="off_contract", factor=Decimal("0.1"), updated_at=instant(JANUARY))

    row = rehearse(FEBRUARY, people.person("anna"))

    found = {one.lines[0]["subscription"]: known.flags(one) for one in known.invoices(rehearsal_id=row.pk)}
    # 14 of 28 days of 500.00
    told = ["250.00 EUR recurring, 500.00 EUR are agreed."]
    assert found == {"none": [], "some": [], "all": [], "half": told}


def test_what_a_parked_account_gathers_waits_for_its_release(plan: PlanVersion) -> None:
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    row = parked_accounts.park(customer_id=customer.pk, reason="Disputed.", actor=ACTOR, at=instant("2026-01-02"))
    use("sub", "2026-01-12", "200")

    assert progressive_billing.run(as_of=instant("2026-01-12T11:00")).invoices == 0
    assert advance_invoices.gather(as_of=instant("2026-02-01T00:10")).invoices == 0
    assert not Invoice.objects.exists()
    parked_accounts.release(parked_id=row.pk, actor=ACTOR, at=instant("2026-01-13"))
    assert progressive_billing.run(as_of=instant("2026-01-13T11:00")).invoices == 1


def test_a_rehearsal_of_a_day_to_come_keeps_none_of_today_from_being_made(plan: PlanVersion) -> None:
    customer = parties.make_customer(parties.make_entity())
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    installation.set_billing_needs_sign_off(needed=True, actor=ACTOR, at=instant("2026-01-01"))
    rehearse("2026-06-01T00:10", people.person("anna"), at="2026-01-15")

    run_starts.scheduled(as_of=instant(JANUARY))

    assert list(Rehearsal.objects.order_by("as_of").values_list("state", flat=True)) == ["waiting", "ready"]
