"""Features in the admin: made, changed and retired, given by plans, and agreed with subscriptions."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing.models import Subscription
from catalog.models import Feature, Plan
from catalog.queries import features as known
from tests.factories import features
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

PRIVILEGES = 'max: integer\n\nroot: boolean\nsso: select google, "okta, inc"\nnote: string'


@pytest.fixture
def feature(finance: Client) -> Feature:
    finance.post(
        "/admin/catalog/feature/create/",
        {"code": "seats", "name": "Seats", "description": "", "privileges": PRIVILEGES},
    )
    return known.by_code(code="seats")


@pytest.fixture
def subscription(company: Company) -> Subscription:
    return Subscription.objects.filter(status="active").order_by("pk")[0]


def do(client: Client, feature: Feature, verb: str, **content: Any) -> Any:
    return client.post(f"/admin/catalog/feature/{feature.pk}/{verb}/", content)


def fields(feature: Feature) -> dict[str, str]:
    return {row.code: f"privilege_{row.pk}" for row in feature.existing} | {"given": f"feature_{feature.pk}"}


def test_a_feature_is_made_and_shown(finance: Client, feature: Feature) -> None:
    shown = [(row.code, row.value_type, row.select_options) for row in feature.existing]
    assert shown == [
        ("max", "integer", []),
        ("root", "boolean", []),
        ("sso", "select", ["google", "okta, inc"]),
        ("note", "string", []),
    ]
    page = finance.get(f"/admin/catalog/feature/{feature.pk}/change/").content.decode()
    assert "google, &quot;okta, inc&quot;" in page
    assert "No plan gives it yet" in page
    assert "Seats" in finance.get("/admin/catalog/feature/").content.decode()


@pytest.mark.parametrize("line", ["max", "max: number", ": integer", "sso: select", "a: integer\na: integer"])
def test_wrong_lines_are_told(finance: Client, line: str) -> None:
    answer = finance.post("/admin/catalog/feature/create/", {"code": "seats", "privileges": line})
    assert answer.context["form"].errors["privileges"]
    assert not Feature.objects.filter(code="seats").exists()


def test_its_privileges_change(finance: Client, feature: Feature) -> None:
    do(finance, feature, "edit", name="Users", description="People")
    do(finance, feature, "add_privilege", code="tier", name="Tier", value_type="select", options="a, b")
    do(finance, feature, "change_privilege", privilege="sso", name="Sign-on", options="google, okta")
    do(finance, feature, "retire_privilege", privilege="note")
    changed = known.by_code(code="seats")
    assert (changed.name, changed.description) == ("Users", "People")
    assert [(row.code, row.name, row.select_options) for row in changed.existing] == [
        ("max", "", []),
        ("root", "", []),
        ("sso", "Sign-on", ["google", "okta"]),
        ("tier", "Tier", ["a", "b"]),
    ]
    taken = do(finance, feature, "add_privilege", code="tier", value_type="string")
    assert taken.context["form"].errors["code"] == ["This is taken already."]
    do(finance, feature, "delete")
    assert not Feature.objects.filter(code="seats", deleted_at=None).exists()


def test_a_plan_gives_it(finance: Client, feature: Feature) -> None:
    plan = Plan.objects.filter(deleted_at=None).order_by("pk")[0]
    names = fields(feature)
    address = f"/admin/catalog/plan/{plan.pk}/entitlements/"
    assert "Seats" in finance.get(address).content.decode()
    finance.post(address, {names["given"]: "on", names["max"]: "10", names["root"]: "false", names["sso"]: "google"})
    (given,) = known.of_plan(plan)
    values = {one.definition.code: one.value for one in given.privileges}
    assert values == {"max": 10, "root": False, "sso": "google"}
    initial = finance.get(address).context["form"].initial
    assert (initial[names["given"]], initial[names["root"]], initial[names["max"]]) == (True, "false", 10)
    assert "max: 10" in finance.get(f"/admin/catalog/plan/{plan.pk}/change/").content.decode()
    finance.post(address, {names["max"]: "10"})
    assert known.of_plan(plan) == ()


def test_something_else_is_agreed(finance: Client, feature: Feature, subscription: Subscription) -> None:
    features.give(subscription.plan_version.plan.code, seats={"max": 10, "root": True, "sso": "google"})
    names = fields(feature)
    address = f"/admin/billing/subscription/{subscription.pk}/entitlements/"
    without = {f"without_{feature.pk}": [str(feature.existing[2].pk)]}
    assert "The plan: 10." in finance.get(address).content.decode()
    finance.post(address, {names["max"]: "25", names["root"]: "false", **without})
    assert features.held(subscription.external_id) == {"seats": {"max": 25, "root": False}}
    page = finance.get(f"/admin/billing/subscription/{subscription.pk}/change/").content.decode()
    assert "max (the plan: 10)" in page
    assert "Of its plan it does not have: Seats: sso." in page
    initial = finance.get(address).context["form"].initial
    assert (initial[names["max"]], initial[names["root"]], initial[f"without_{feature.pk}"]) == (
        25,
        "false",
        without[f"without_{feature.pk}"],
    )
    finance.post(address, {names["given"]: "no"})
    assert features.held(subscription.external_id) == {}
    finance.post(address, {})
    assert features.held(subscription.external_id)["seats"]["max"] == 10


def test_a_wrong_value_is_told(finance: Client, feature: Feature, subscription: Subscription) -> None:
    names = fields(feature)
    answer = finance.post(
        f"/admin/billing/subscription/{subscription.pk}/entitlements/", {names["max"]: "many", names["sso"]: "azure"}
    )
    assert set(answer.context["form"].errors) == {names["max"], names["sso"]}
    assert features.held(subscription.external_id) == {}


def test_readers_change_nothing(auditor: Client, subscription: Subscription) -> None:
    made = features.make_feature()
    assert auditor.get(f"/admin/catalog/feature/{made.pk}/change/").status_code == 200
    for address in (
        "/admin/catalog/feature/create/",
        f"/admin/catalog/feature/{made.pk}/delete/",
        f"/admin/catalog/plan/{subscription.plan_version.plan_id}/entitlements/",
        f"/admin/billing/subscription/{subscription.pk}/entitlements/",
    ):
        assert auditor.post(address).status_code == 403
