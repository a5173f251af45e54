"""Bringing a company over from a server that speaks Lago's API: what is here afterwards, and what is billed of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction
from moneyed import Money

from billing.domain import chosen_times
from billing.models import LifetimeUsage, Subscription, UsageAlert
from billing.services import terminations
from billing.services.takeovers import Since
from catalog.models import Charge, Plan
from config.importing import moving
from config.importing.house import House
from config.importing.kinds import Journey
from config.importing.report import Report
from config.importing.source import Lago
from config.platform.models import WebhookEvent
from config.platform.services import installation, webhook_endpoints
from customers.models import AppliedCoupon, BillingEntity, Customer
from customers.services import billing_entities
from invoicing.models import Invoice, Wallet
from tests.concurrency import crashes
from tests.config.importing import company
from tests.config.importing.lago import KEY, Peer, serving
from tests.factories.platform import ACTOR, ApiClient

AT = datetime(2026, 5, 12, 10, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def small() -> dict[str, Any]:
    """Return a part of the company: one subscription with what it needs."""
    content = company.content() | {"wallets": [], "applied_coupons": [], "coupons": [], "add_ons": []}
    content["plans"], content["customers"] = [company.METERED], [company.BETA]
    return content | {"subscriptions": [company.SUB_METERED]}


def bring(peer: Peer, *, at: datetime = AT, since: Since = Since.NEXT, **how: Any) -> Report:
    """Bring everything over that the server has."""
    installation.ensure(at=at)
    billing_entities.ensure_default(at=at)
    with Lago(peer.url, KEY, sleep=lambda _: None) as lago:
        return moving.run(journey=Journey(lago=lago, house=House(at=at), at=at, since=since), **how)


def test_everything_comes_over() -> None:
    webhook_endpoints.create(values={"webhook_url": "https://example.com/hook"}, actor=ACTOR, at=AT)
    with serving(Peer(company.content(), per_page=2)) as peer:
        report = bring(peer)
    assert report.refused == 0, report.text()
    assert not report.stopped
    figures = {name: (tally.read, tally.made, tally.there) for name, tally in report.kinds.items()}
    assert figures == {
        "taxes": (1, 1, 0),
        "billing_entities": (1, 1, 0),
        "add_ons": (1, 1, 0),
        "billable_metrics": (2, 2, 0),
        "features": (1, 1, 0),
        "plans": (3, 3, 0),
        "coupons": (1, 1, 0),
        "customers": (3, 3, 0),
        "applied_coupons": (1, 1, 0),
        "subscriptions": (4, 4, 0),
        "wallets": (1, 1, 0),
    }
    # What they have and we do not is told; nothing else differs.
    differing = {(name, label, one.field) for name, tally in report.kinds.items() for label, one in tally.differs}
    provider = {f"billing_configuration.{name}" for name in ("payment_provider", "payment_provider_code", "sync")}
    assert differing == {
        ("billing_entities", "hooli", "document_number_prefix"),
        ("billable_metrics", "calls", "shiny_new_field"),
        ("billable_metrics", "sms", "shiny_new_field"),
        *(("customers", "striped", name) for name in {*provider, "billing_configuration.provider_customer_id"}),
    }
    _ids_are_kept()
    _terms_are_kept()
    assert Invoice.objects.count() == 0  # nothing is billed by bringing it over
    assert WebhookEvent.objects.count() == 0  # and nobody is told


def _ids_are_kept() -> None:
    entity = BillingEntity.objects.get()
    assert (entity.code, str(entity.uuid), entity.is_default) == ("hooli", company.uid(2), True)
    assert str(Plan.objects.get(code="arrears").uuid) == company.uid(10)
    row = Charge.objects.get(plan_version__plan__code="arrears", code="calls", plan_version__base=None)
    assert str(row.key) == company.uid(11)
    assert str(row.filters.get().key) == company.uid(12)
    assert str(Customer.objects.get(external_id="acme").uuid) == company.uid(50)
    assert str(AppliedCoupon.objects.get().uuid) == company.uid(60)
    assert str(Subscription.objects.get(external_id="s-advance").uuid) == company.uid(71)
    wallet = Wallet.objects.get()
    assert str(wallet.uuid) == company.uid(90)
    assert str(wallet.recurring_transaction_rules.get().uuid) == company.uid(91)
    assert str(UsageAlert.objects.get(code="much").uuid) == company.uid(80)


def _terms_are_kept() -> None:
    assert AppliedCoupon.objects.get().left == Money(7, "EUR")
    wallet = Wallet.objects.get()
    assert wallet.credits_balance == Decimal("84.5")
    gift = wallet.transactions.get()
    assert (gift.name, gift.transaction_status) == ("Balance brought over from Lago", "granted")
    own = Subscription.objects.get(external_id="s-advance").plan_version
    assert own.amount == Money(25, "EUR")
    assert own.charges.get(code="calls").properties["amount"] == "0.08"
    # 5.00 before Lago and 82.00 billed by it; what runs is counted here
    told = LifetimeUsage.objects.get(external_subscription_id="s-metered")
    assert told.historical_amount_cents == 500 + 8200
    assert Subscription.objects.get(external_id="s-pending").status == "pending"


def test_a_second_run_changes_nothing_and_makes_nothing_that_ended_here_since() -> None:
    with serving(Peer(company.content())) as peer:
        bring(peer)
        row = Subscription.objects.get(external_id="s-metered")
        terminations.schedule(
            subscription_id=row.pk,
            when=chosen_times.NOW,
            on_termination_invoice=None,
            on_termination_credit_note=None,
            seen=None,
            actor=ACTOR,
            at=AT + timedelta(days=1),
        )
        before = [(row.pk, row.updated_at, row.next_billing_date) for row in Subscription.objects.order_by("pk")]
        again = bring(peer, at=AT + timedelta(days=3))
    assert all(tally.made == 0 and not tally.refused for tally in again.kinds.values()), again.text()
    assert sum(tally.there for tally in again.kinds.values()) == 19
    assert [(row.pk, row.updated_at, row.next_billing_date) for row in Subscription.objects.order_by("pk")] == before
    assert AppliedCoupon.objects.count() == Wallet.objects.count() == 1


def test_a_dry_run_keeps_nothing() -> None:
    installation.ensure(at=AT)
    billing_entities.ensure_default(at=AT)
    with serving(Peer(small())) as peer:
        report = bring(peer, is_dry=True)
    assert report.of("subscriptions").made == 1
    assert report.refused == 0
    assert "dry run" in report.text()
    assert Plan.objects.count() == Customer.objects.count() == Subscription.objects.count() == 0
    assert BillingEntity.objects.get().code != "hooli"


def test_only_what_is_asked_for() -> None:
    with serving(Peer(company.content())) as peer:
        report = bring(peer, only={"taxes", "add_ons"})
    assert set(report.kinds) == {"taxes", "add_ons"}
    assert "customers" not in peer.asked


def test_money_that_stays_there_is_named() -> None:
    note = {"customer": {"external_id": "acme"}, "currency": "EUR"}
    content = small() | {
        "credit_notes": [{**note, "balance_amount_cents": 400}, {**note, "balance_amount_cents": 50}],
        "invoices": [
            {"currency": "EUR", "total_due_amount_cents": 1500},
            {"currency": "JPY", "total_due_amount_cents": 0},
        ],
    }
    with serving(Peer(content)) as peer:
        report = bring(peer)
    assert report.of("customers").remarks[-2:] == [
        "acme: credit notes of 4.50 EUR are not used up and stay there",  # 4.00 and 0.50
        "open invoices: 1 of 15.00 EUR in all stay there to be collected",
    ]


def test_one_that_is_refused_stops_nothing_else() -> None:
    content = small()
    odd = {**company.charge(99), "accepts_target_wallet": True}
    content["plans"] = [*content["plans"], company.plan(98, "odd", charges=[odd])]
    content["subscriptions"] = [
        company.SUB_METERED,
        # a change of plan that waits: asked for here it would change the running one at once
        {**company.SUB_METERED, "lago_id": company.uid(96), "status": "pending", "plan_code": "arrears"},
        company.subscription(97, "s-odd", "acme", {"code": "odd", "amount_cents": 1}),
    ]
    content["billable_metrics"] = [*content["billable_metrics"], {"code": "broken"}]
    with serving(Peer(content)) as peer:
        report = bring(peer)
    refused = {(name, one.object): one.details for name, tally in report.kinds.items() for one in tally.refused}
    assert refused["plans", "odd"] == {"charges.0.accepts_target_wallet": ["unsupported_value"]}
    assert set(refused) == {
        ("plans", "odd"),
        ("subscriptions", "s-odd"),
        ("billable_metrics", "broken"),
        ("subscriptions", "s-metered"),
    }
    assert report.of("subscriptions").made == 1
    assert not Plan.objects.filter(code="odd").exists()


def test_what_our_own_api_shows_comes_over_as_it_is() -> None:
    """The other way round: this API is the source, read page by page, into an empty installation."""
    with serving(Peer(company.content())) as peer, transaction.atomic():
        bring(peer)
        with time_machine.travel(AT, tick=False):
            content = _shown()
        transaction.set_rollback(True)
    assert not Subscription.objects.exists()
    with serving(Peer(content, per_page=1)) as peer:
        report = bring(peer)
    assert report.refused == 0, report.text()
    assert report.of("subscriptions").made == 4
    differing = {one.field for tally in report.kinds.values() for _, one in tally.differs}
    assert differing <= {"document_number_prefix"}, report.text()
    assert str(Subscription.objects.get(external_id="s-advance").uuid) == company.uid(71)


def _shown() -> dict[str, Any]:
    """Return everything that this API shows, by path."""
    api = ApiClient()
    names = [*moving.NAMES]
    found: dict[str, Any] = {name: api.read(name).json()[name] for name in names}
    found["organizations"] = api.read("organizations").json()["organization"]
    found["subscriptions"] += api.read("subscriptions", **{"status[]": "pending"}).json()["subscriptions"]
    for name, root in (("plans", "plan"), ("billing_entities", "billing_entity")):
        for row in found[name]:
            found[f"alone:{name}/{row['code']}"] = api.read(f"{name}/{row['code']}").json()[root]
    for row in found["subscriptions"]:
        path = f"subscriptions/{row['external_id']}"
        found[f"{path}/entitlements"] = api.read(f"{path}/entitlements", status=row["status"]).json()["entitlements"]
        if row["status"] == "active":
            found[f"{path}/alerts"] = api.read(f"{path}/alerts").json()["alerts"]
            found[f"{path}/lifetime_usage"] = api.read(f"{path}/lifetime_usage").json()["lifetime_usage"]
    return found


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on() -> None:
    """Right after the 13th commit the process is killed; the next run makes what is missing and nothing twice."""
    with serving(Peer(company.content())) as peer:
        assert not crashes.survives(lambda: bring(peer), after=13, mode="worker")
        half = Plan.objects.count() + Customer.objects.count() + Subscription.objects.count()
        assert 0 < half < 10
        report = bring(peer, at=AT + timedelta(minutes=5))
    assert report.refused == 0, report.text()
    figures = [(tally.made, tally.there) for tally in report.kinds.values()]
    assert sum(made for made, _ in figures) > 0 < sum(there for _, there in figures)
    assert sum(made + there for made, there in figures) == 19
    assert (Plan.objects.count(), Customer.objects.count(), Subscription.objects.count()) == (3, 3, 4)
