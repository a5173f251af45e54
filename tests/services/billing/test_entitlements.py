"""What a subscription may use: the plan's values, what was agreed beside it, and how long that lasts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.models import Subscription, SubscriptionEntitlement, SubscriptionPrivilege
from billing.queries import entitlements as known
from billing.services import entitlements, subscriptions, terminations
from billing.services.entitlements import Terms
from billing.services.subscriptions import NewSubscription
from catalog.services import features as feature_services
from catalog.services import plan_entitlements
from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import Customer
from tests.factories import billing, catalog, customers, features
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db
START, LATER = instant("2026-05-04"), instant("2026-05-20T10:00")


@pytest.fixture
def customer() -> Customer:
    return customers.make_customer()


@pytest.fixture
def subscription(customer: Customer) -> Subscription:
    features.make_feature()
    version = catalog.make_plan()
    features.give(seats={"max": 10, "sso": "google"})
    return billing.make_subscription(customer, version, at=START)


def remove(feature: str, privilege: str | None = None) -> None:
    where: Any = {"external_id": "sub", "status": "active", "feature_code": feature, "actor": ACTOR, "at": LATER}
    if privilege is None:
        entitlements.remove_feature(**where)
    else:
        entitlements.remove_privilege(**where, privilege_code=privilege)


def change_plan(code: str) -> Subscription:
    new = NewSubscription(external_customer_id="acme", plan_code=code, external_id="sub")
    return subscriptions.create(new=new, actor=ACTOR, at=LATER)


def test_the_plan_counts_until_something_else_is_agreed(subscription: Subscription) -> None:
    assert features.held() == {"seats": {"max": 10, "sso": "google"}}
    features.agree(seats={"max": 15, "root": True})
    (seats,) = known.current(external_id="sub")
    assert [(one.definition.code, one.value, one.plan_value, one.override) for one in seats.privileges] == [
        ("max", 15, 10, 15),
        ("root", True, None, True),
        ("sso", "google", "google", None),
    ]
    assert dict(seats.overrides) == {"max": 15, "root": True}


def test_a_change_of_the_plan_reaches_what_was_not_agreed(subscription: Subscription) -> None:
    features.agree(seats={"max": 15})
    features.give(seats={"max": 20, "sso": "okta"})
    assert features.held() == {"seats": {"max": 15, "sso": "okta"}}


def test_the_plans_own_value_is_no_agreement(subscription: Subscription) -> None:
    features.agree(seats={"max": 15})
    features.agree(seats={"max": 10})
    features.give(seats={"max": 20})
    assert features.held()["seats"]["max"] == 20
    assert not SubscriptionEntitlement.objects.exists()


def test_null_gives_the_plans_value_back(subscription: Subscription) -> None:
    features.agree(seats={"max": 15, "root": False})
    features.agree(seats={"max": None, "root": None})
    assert features.held() == {"seats": {"max": 10, "sso": "google"}}
    assert not SubscriptionEntitlement.objects.exists()


def test_a_privilege_that_was_removed_is_gone_until_it_is_named(subscription: Subscription) -> None:
    remove("seats", "max")
    assert features.held() == {"seats": {"sso": "google"}}
    features.give(seats={"max": 20})
    assert features.held() == {"seats": {"sso": "google"}}
    features.agree(seats={"max": None})
    assert features.held() == {"seats": {"max": 20, "sso": "google"}}


def test_a_feature_that_was_removed_is_gone_until_it_is_named(subscription: Subscription) -> None:
    features.agree(seats={"max": 15})
    remove("seats")
    assert features.held() == {}
    assert not SubscriptionPrivilege.objects.exists()
    features.agree(seats={})
    assert features.held() == {"seats": {"max": 10, "sso": "google"}}


def test_a_feature_beside_the_plan(subscription: Subscription) -> None:
    features.make_feature("export", ())
    features.agree(export={})
    assert features.held() == {"seats": {"max": 10, "sso": "google"}, "export": {}}
    remove("export")
    assert features.held() == {"seats": {"max": 10, "sso": "google"}}
    assert not SubscriptionEntitlement.objects.exists()


@pytest.mark.parametrize(
    ("feature", "privilege", "code"),
    [
        ("export", None, "entitlement_not_found"),
        ("export", "max", "entitlement_not_found"),
        ("seats", "root", "privilege_not_found"),
    ],
)
def test_what_is_not_there_cannot_be_removed(
    subscription: Subscription, feature: str, privilege: str | None, code: str
) -> None:
    features.make_feature("export", ())
    with pytest.raises(errors.NotFound) as refusal:
        remove(feature, privilege)
    assert refusal.value.code == code
    assert features.held() == {"seats": {"max": 10, "sso": "google"}}


def test_a_change_of_plan_keeps_what_was_agreed(subscription: Subscription) -> None:
    catalog.make_plan("pro", cents=9900)
    features.give("pro", seats={"max": 100, "sso": "okta"})
    features.agree(seats={"max": 15})
    remove("seats", "sso")
    changed = change_plan("pro")
    assert changed.pk != subscription.pk
    assert features.held() == {"seats": {"max": 15}}
    features.agree(seats={"max": None, "sso": None})
    assert features.held() == {"seats": {"max": 100, "sso": "okta"}}


def test_a_removal_gives_nothing_on_a_plan_without_the_feature(subscription: Subscription) -> None:
    catalog.make_plan("bare", cents=9900)
    remove("seats", "sso")
    change_plan("bare")
    assert features.held() == {}


def test_an_agreed_value_stays_on_a_plan_without_the_feature(subscription: Subscription) -> None:
    catalog.make_plan("bare", cents=9900)
    features.agree(seats={"max": 15})
    change_plan("bare")
    assert features.held() == {"seats": {"max": 15}}


def test_the_next_subscription_of_the_same_id_begins_without_it(subscription: Subscription, customer: Customer) -> None:
    features.agree(seats={"max": 15})
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=LATER)
    billing.make_subscription(customer, subscription.plan_version, at=LATER + timedelta(hours=1))
    assert features.held()["seats"]["max"] == 10
    assert features.held(status="terminated")["seats"]["max"] == 15
    features.agree(seats={"max": 12})
    assert features.held(status="terminated")["seats"]["max"] == 15


def test_what_was_retired_is_nobodys(subscription: Subscription) -> None:
    features.make_feature("export", ())
    features.agree(seats={"max": 15}, export={})
    feature_services.delete_privilege(code="seats", privilege_code="max", actor=ACTOR, at=LATER)
    assert features.held() == {"seats": {"sso": "google"}, "export": {}}
    feature_services.delete(code="export", actor=ACTOR, at=LATER)
    assert features.held() == {"seats": {"sso": "google"}}
    features.make_feature("export", ())
    assert features.held() == {"seats": {"sso": "google"}}


def test_an_option_that_somebody_has_stays(subscription: Subscription) -> None:
    features.agree(seats={"sso": "okta"})
    only_google = [{"code": "sso", "config": {"select_options": ["google"]}}]
    with pytest.raises(errors.Invalid) as refusal:
        feature_services.update(code="seats", values={"privileges": only_google}, actor=ACTOR, at=LATER)
    assert refusal.value.details == {"privilege.config": ["value_in_use"]}
    features.agree(seats={"sso": None})
    feature_services.update(code="seats", values={"privileges": only_google}, actor=ACTOR, at=LATER)
    assert features.held()["seats"]["sso"] == "google"


def test_all_there_is_to_one_feature(subscription: Subscription) -> None:
    def agree(terms: Terms) -> None:
        entitlements.agree(subscription_id=subscription.pk, terms=[terms], actor=ACTOR, at=LATER)

    agree(Terms("seats", values={"max": "25"}, without=["sso"]))
    assert features.held() == {"seats": {"max": 25}}
    agree(Terms("seats", is_given=False))
    assert features.held() == {}
    agree(Terms("seats"))
    assert features.held() == {"seats": {"max": 10, "sso": "google"}}
    assert not SubscriptionEntitlement.objects.exists()


def test_reading_is_one_statement_whatever_the_number(subscription: Subscription) -> None:
    for number in range(12):
        features.make_feature(f"feature{number}")
        features.give(**{f"feature{number}": {"max": number, "root": True}})
    with CaptureQueriesContext(connection) as captured:
        found = known.current(external_id="sub")
    assert len(found) == 13
    assert len(captured) <= 1  # prepared statements pass the wrapper that captures by


def test_the_audit_trail_says_what_changed_and_nothing_twice(subscription: Subscription) -> None:
    rows = AuditEntry.objects.filter(verb="set_entitlements", object_type="billing.subscription")
    features.agree(seats={"max": 15})
    features.agree(seats={"max": 15})
    (entry,) = rows
    assert (entry.old["entitlements"]["seats"]["max"], entry.new["entitlements"]["seats"]["max"]) == (10, 15)


def test_replacing_what_a_plan_gives(subscription: Subscription) -> None:
    features.make_feature("export", ())
    features.agree(seats={"max": 15})
    plan_entitlements.replace(code="starter", asked={"export": {}}, actor=ACTOR, at=LATER)
    assert features.held() == {"seats": {"max": 15}, "export": {}}
    plan_entitlements.replace(code="starter", asked={"seats": {"sso": "okta"}}, actor=ACTOR, at=LATER)
    assert features.held() == {"seats": {"max": 15, "sso": "okta"}}


def test_a_value_is_there_or_removed(subscription: Subscription) -> None:
    features.agree(seats={"max": 15})
    row = SubscriptionPrivilege.objects.get()
    with pytest.raises(IntegrityError, match="billing_privilege_value"), transaction.atomic():
        SubscriptionPrivilege.objects.filter(pk=row.pk).update(is_removed=True)
