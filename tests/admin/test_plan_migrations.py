"""Migrations to another plan version in the admin: one makes and submits, another approves, a worker moves."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from billing.models import PlanMigration, Subscription
from billing.services import plan_migration_runs
from catalog.domain import publications
from catalog.models import PlanVersion
from catalog.services import plans
from tests.admin.conftest import NOW
from tests.factories.company import Company
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def ben(company: Company) -> Client:
    user = User.objects.create_user("ben", is_staff=True)
    user.groups.add(Group.objects.get(name="Finance admin"))
    client = Client()
    client.force_login(user)
    return client


def newer() -> PlanVersion:
    """Publish a dearer version of the plan that most have, which nobody is moved to."""
    version = Subscription.objects.filter(status="active").order_by("pk")[0].plan_version
    cents = int(version.amount.amount) * 100 + 1000
    return plans.update(
        code=version.plan.code, values={"amount_cents": cents}, actor=ACTOR, at=NOW, publication=publications.KEPT
    )


def make(client: Client, version: PlanVersion, **values: Any) -> PlanMigration:
    data = {"to_version": version.pk, "timing": "now", "reason": "The price of 2026.", **values}
    answer = client.post(reverse("admin:billing_planmigration_make"), data)
    assert answer.status_code == 302, answer.context["form"].errors
    return PlanMigration.objects.get()


def url(name: str, migration: PlanMigration) -> str:
    return reverse(f"admin:billing_planmigration_{name}", args=[migration.pk])


def test_two_people_move_subscriptions(finance: Client, ben: Client) -> None:
    version = newer()
    before = Subscription.objects.filter(plan_version__plan=version.plan, status="active").count()
    migration = make(finance, version)
    page = finance.get(url("change", migration)).content.decode()
    assert "Largest changes" in page
    assert f"{before} pay more" in page
    assert not Subscription.objects.filter(plan_version=version).exists()

    finance.post(url("submit", migration))
    refused = finance.post(url("approve", migration), {"seen": ""})
    assert "another person" in refused.content.decode()
    migration.refresh_from_db()
    assert migration.state == "submitted"

    unseen = ben.post(url("approve", migration), {"seen": ""})
    assert "computed anew" in unseen.content.decode()
    seen = ben.get(url("approve", migration)).context["form"].initial["seen"]
    ben.post(url("approve", migration), {"seen": seen, "reason": "As agreed."})
    migration.refresh_from_db()
    assert (migration.state, migration.approved_by.username) == ("approved", "ben")
    plan_migration_runs.run_due(as_of=NOW)

    assert Subscription.objects.filter(plan_version=version, status="active").count() == before
    page = ben.get(url("change", migration)).content.decode()
    assert "Result" in page
    assert "100%" in page


def test_looking_and_computing_moves_nobody(finance: Client) -> None:
    version = newer()
    migration = make(finance, version)
    for name in ("change", "preview", "submit", "csv", "history"):
        assert finance.get(url(name, migration)).status_code == 200
    finance.post(url("preview", migration))
    finance.post(url("withdraw", migration), {"reason": "Not this year."})
    migration.refresh_from_db()
    assert migration.state == "withdrawn"
    assert not Subscription.objects.filter(plan_version=version).exists()


def test_a_file_has_all_subscriptions(finance: Client) -> None:
    migration = make(finance, newer())
    rows = list(csv.DictReader(io.StringIO(finance.get(url("csv", migration)).content.decode())))
    assert len(rows) == migration.items.count() > 0
    assert rows[0]["difference"] == "10.0000"


def test_an_outdated_preview_is_told(finance: Client) -> None:
    version = newer()
    migration = make(finance, version)
    Subscription.objects.filter(pk=migration.items.all()[0].subscription_id).update(status="canceled", canceled_at=NOW)
    assert "out of date" in finance.get(url("change", migration)).content.decode()
    assert "Compute it anew" in finance.post(url("submit", migration)).content.decode()


def test_the_plan_page_says_who_keeps_an_old_version(finance: Client) -> None:
    version = newer()
    address = reverse("admin:catalog_plan_change", args=[version.plan_id])
    assert "keep a version that is not on sale any more" in finance.get(address).content.decode()
    make(finance, version)
    assert "The price of 2026" not in finance.get(address).content.decode()  # the plan page names it, no more
    assert "waits for approval" not in finance.get(address).content.decode()


def test_who_may_not_approve_has_no_way_to(auditor: Client, finance: Client) -> None:
    migration = make(finance, newer())
    finance.post(url("submit", migration))
    assert auditor.get(url("change", migration)).status_code == 200
    for name in ("approve", "submit", "withdraw", "preview"):
        assert auditor.post(url(name, migration)).status_code == 403


def test_a_list_costs_the_same_however_long(finance: Client, django_assert_max_num_queries: Any) -> None:
    version = newer()
    make(finance, version)
    address = reverse("admin:billing_planmigration_changelist")
    with django_assert_max_num_queries(14):
        assert finance.get(address).status_code == 200


def test_versions_of_two_plans_are_no_migration(finance: Client) -> None:
    version = newer()
    other = PlanVersion.objects.exclude(plan=version.plan)[0]
    data = {"to_version": version.pk, "from_version": other.pk, "timing": "now", "reason": "?"}
    answer = finance.post(reverse("admin:billing_planmigration_make"), data)
    assert "another plan" in answer.content.decode()
    assert not PlanMigration.objects.exists()
