"""The official Python client against a running server: whatever it can do with the catalogue, customers, subscriptions
and usage, read by its own models, which refuse what is missing or of another type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from lago_python_client import models
from lago_python_client.client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import plan as plan_models
from lago_python_client.models.applied_coupon import AppliedCoupon
from lago_python_client.models.fixed_charge import FixedCharge
from lago_python_client.models.lifetime_usage import LifetimeUsageResponse
from lago_python_client.models.organization import Organization, OrganizationBillingConfiguration
from lago_python_client.models.subscription import Subscription
from lago_python_client.models.tax import Tax
from pytest_django.live_server_helper import LiveServer

from customers.services import billing_entities
from tests.api.contract import story
from tests.factories import platform, usage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(live_server: LiveServer) -> Iterator[Client]:
    usage.clear()
    billing_entities.ensure_default(at=timezone.now())
    yield Client(api_key=platform.make_key(at=timezone.now()).secret, api_url=live_server.url)
    usage.clear()


def listed(found: Any, name: str) -> list[Any]:
    assert found["meta"]["total_count"] == len(found[name])
    return list(found[name])


def refused(call: Any, *args: Any) -> tuple[int, Any]:
    with pytest.raises(LagoApiError) as error:
        call(*args)
    return error.value.status_code, error.value.response.get("code")


def test_what_it_can_do(client: Client) -> None:
    _sellers(client)
    metric = _catalogue(client)
    plan = _plan(client, metric.lago_id)
    _customers(client)
    _subscriptions(client)
    _usage(client)
    _goodbye(client, plan)


def _sellers(client: Client) -> None:
    assert client.taxes.create(Tax(**story.TAX)).rate == 19.0
    assert client.taxes.update(Tax(name="VAT 19"), "vat").name == "VAT 19"
    assert (client.taxes.find("vat").code, listed(client.taxes.find_all(), "taxes")[0].code) == ("vat", "vat")
    terms = OrganizationBillingConfiguration(invoice_grace_period=2, document_locale="en")
    organization = Organization(default_currency="EUR", country="DE", billing_configuration=terms)
    assert client.organizations.update(organization).country == "DE"
    entity = models.BillingEntity(code="fr", name="FR", country="FR")
    assert client.billing_entities.create(entity).country == "FR"
    renamed = client.billing_entities.update(models.BillingEntityUpdate(name="France", tax_codes=["vat"]), "fr")
    assert [tax.code for tax in renamed.taxes.__root__] == ["vat"]
    assert client.billing_entities.find("fr").name == "France"
    assert len(client.billing_entities.find_all()["billing_entities"]) == 2


def _catalogue(client: Client) -> Any:
    add_on = client.add_ons.create(models.AddOn(**story.ADD_ON))
    assert client.add_ons.update(models.AddOn(amount_cents=900), "seat").amount_cents == 900
    assert client.add_ons.find("seat").lago_id == add_on.lago_id
    assert len(listed(client.add_ons.find_all({"per_page": 10}), "add_ons")) == 1
    metric = client.billable_metrics.create(models.BillableMetric(**story.METRIC))
    assert client.billable_metrics.update(models.BillableMetric(description="e"), "requests").description == "e"
    assert client.billable_metrics.find("requests").filters.__root__[0].values == ["eu", "us"]
    assert len(listed(client.billable_metrics.find_all(), "billable_metrics")) == 1
    return metric


def _plan(client: Client, metric_id: str) -> Any:
    content = {
        **story.plan(metric_id, ""),
        "charges": [{**story.charge(metric_id, ""), "applied_pricing_unit": None}],
    }
    plan = client.plans.create(plan_models.Plan(**content))
    assert (plan.metadata, plan.minimum_commitment.amount_cents) == ({"team": "growth"}, 10000)
    assert client.plans.update(plan_models.Plan(name="Pro 2", cascade_updates=True), "pro").name == "Pro 2"
    assert client.plans.find("pro").fixed_charges.__root__[0].add_on_code == "seat"
    assert len(listed(client.plans.find_all(), "plans")) == 1
    assert client.plans.replace_metadata("pro", {"a": "1", "b": None}) == {"a": "1", "b": None}
    assert client.plans.merge_metadata("pro", {"c": "3"})["c"] == "3"
    assert client.plans.delete_metadata_key("pro", "c") == {"a": "1", "b": None}
    assert client.plans.delete_all_metadata("pro") is None

    extra = models.Charge(
        billable_metric_id=metric_id, code="extra", charge_model="standard", properties={"amount": "1"}
    )
    assert client.plan_charges.create("pro", extra).code == "extra"
    priced = models.Charge(properties={"amount": "2"}, cascade_updates=True)
    assert client.plan_charges.update("pro", "extra", priced).properties["amount"] == "2"
    assert client.plan_charges.find("pro", "extra").billable_metric_code == "requests"
    part = models.ChargeFilter(values={"region": ["us"]}, properties={"amount": "4"}, invoice_display_name="US")
    made = client.plans.create_charge_filter("pro", "extra", part)
    renamed = models.ChargeFilter(invoice_display_name="America")
    assert client.plans.update_charge_filter("pro", "extra", made.lago_id, renamed).invoice_display_name == "America"
    assert client.plans.find_charge_filter("pro", "extra", made.lago_id).values == {"region": ["us"]}
    assert len(listed(client.plans.find_all_charge_filters("pro", "extra"), "filters")) == 1
    assert client.plans.destroy_charge_filter("pro", "extra", made.lago_id).lago_id == made.lago_id
    assert client.plan_charges.destroy("pro", "extra").code == "extra"
    fixed = FixedCharge(add_on_code="seat", code="more", charge_model="standard", units=1, properties={"amount": "1"})
    assert client.plan_fixed_charges.create("pro", fixed).units == 1
    assert client.plan_fixed_charges.update("pro", "more", FixedCharge(units=2.5)).units == 2.5
    assert client.plan_fixed_charges.destroy("pro", "more").code == "more"
    # Lists of children are asked for without a key, which nobody is answered.
    assert refused(client.plan_charges.find_all, "pro")[0] == 401
    return plan


def _customers(client: Client) -> None:
    content = {name: value for name, value in story.CUSTOMER.items() if name not in ("no_such_field", "account_type")}
    customer = client.customers.create(models.Customer(**{**content, "invoice_custom_section_codes": None}))
    assert (customer.applicable_timezone, customer.metadata.__root__[0].key) == ("Europe/Berlin", "tier")
    assert client.customers.create(models.Customer(external_id="acme", name="A")).lago_id == customer.lago_id
    assert client.customers.find("acme").name == "A"
    assert len(listed(client.customers.find_all({"currencies[]": ["EUR"], "search_term": "acme"}), "customers")) == 1
    assert refused(client.customers.checkout_url, "acme") == (422, "validation_errors")

    coupon = client.coupons.create(models.Coupon(**story.COUPON))
    assert (coupon.percentage_rate, coupon.plan_codes) == (10.0, ["pro"])
    assert client.coupons.update(models.Coupon(description="e"), "ten").description == "e"
    assert client.coupons.find("ten").limited_plans is True
    assert len(listed(client.coupons.find_all(), "coupons")) == 1
    applied = client.applied_coupons.create(AppliedCoupon(external_customer_id="acme", coupon_code="ten"))
    assert listed(client.applied_coupons.find_all({"external_customer_id": "acme"}), "applied_coupons")[0].status == (
        "active"
    )
    assert client.applied_coupons.destroy("acme", applied.lago_id).status == "terminated"


def _subscriptions(client: Client) -> None:
    bought = Subscription(external_customer_id="acme", plan_code="pro", external_id="sub", name="Mine")
    subscription = client.subscriptions.create(bought)
    assert (subscription.status, subscription.plan_code) == ("active", "pro")
    assert client.subscriptions.update(Subscription(name="Other"), "sub").name == "Other"
    assert client.subscriptions.find("sub", {"status": "active"}).lago_id == subscription.lago_id
    assert len(listed(client.subscriptions.find_all({"status[]": ["active"]}), "subscriptions")) == 1
    lifetime: LifetimeUsageResponse = client.subscriptions.update_lifetime_usage("sub", 5000)
    assert lifetime.external_historical_usage_amount_cents == 5000
    assert client.subscriptions.lifetime_usage("sub").usage_thresholds[0].completion_ratio == 0.1  # 50 of 500
    thresholds = models.AlertThresholdList(__root__=[models.AlertThreshold(value="10", code="warn")])
    alert = models.Alert(alert_type="current_usage_amount", code="dear", thresholds=thresholds)
    (made,) = client.subscriptions.create_alerts("sub", models.AlertsList(alerts=[alert]))["alerts"]
    assert (made.external_subscription_id, made.thresholds.__root__[0].value) == ("sub", "10.0")
    client.subscriptions.delete_alerts("sub")
    priced = models.Charge(properties={"amount": "7"})
    assert client.subscription_charges.update("sub", "requests", priced).properties["amount"] == "7"
    assert client.subscription_charges.find("sub", "requests").code == "requests"
    part = models.ChargeFilter(values={"region": ["us"]}, properties={"amount": "4"})
    made_filter = client.subscriptions.create_charge_filter("sub", "requests", part)
    changed = client.subscriptions.update_charge_filter(
        "sub", "requests", made_filter.lago_id, models.ChargeFilter(properties={"amount": "5"})
    )
    assert changed.properties == {"amount": "5"}
    shown = client.subscriptions.find_charge_filter("sub", "requests", made_filter.lago_id, "active")
    assert shown.values == {"region": ["us"]}
    assert len(listed(client.subscriptions.find_all_charge_filters("sub", "requests"), "filters")) == 2
    client.subscriptions.destroy_charge_filter("sub", "requests", made_filter.lago_id)
    now = FixedCharge(units=3, apply_units_immediately=True)
    assert client.subscription_fixed_charges.update("sub", "seat", now).units == 3
    assert client.subscription_fixed_charges.find("sub", "seat").units == 3


def _usage(client: Client) -> None:
    properties = {"units": "3", "region": "eu", "cloud": "aws"}
    event = {"external_subscription_id": "sub", "code": "requests", "properties": properties}
    client.events.create(models.Event(transaction_id="1", **event))
    client.events.batch_create(models.BatchEvent(events=[models.Event(transaction_id="2", **event)]))
    assert client.events.find("1").external_subscription_id == "sub"
    assert refused(client.events.create, models.Event(transaction_id="1", **event)) == (422, "validation_errors")
    current = client.customers.current_usage("acme", "sub", apply_taxes="false")
    (line,) = current.charges_usage
    assert (line.units, line.amount_cents, current.taxes_amount_cents) == ("6.0", 1200, 0)  # 6 × 2.00, of the filter
    narrowed = client.customers.current_usage("acme", "sub", charge_code="requests", group={"cloud": "none"})
    assert narrowed.amount_cents == 0
    with pytest.warns(DeprecationWarning, match="filter_by_group"):
        old = client.customers.current_usage("acme", "sub", filter_by_group={"cloud": "none"})
    assert old.amount_cents == 0
    assert client.customers.projected_usage("acme", "sub").amount_cents == 1200
    assert client.customers.past_usage("acme", "sub")["meta"]["total_count"] == 0


def _goodbye(client: Client, plan: Any) -> None:
    assert client.subscriptions.destroy("sub", {"on_termination_invoice": "skip"}).status == "terminated"
    assert client.plans.destroy("pro").lago_id == plan.lago_id
    assert refused(client.plans.find, "pro") == (404, "plan_not_found")
    for resource, code in (
        (client.coupons, "ten"),
        (client.billable_metrics, "requests"),
        (client.add_ons, "seat"),
        (client.taxes, "vat"),
    ):
        assert resource.destroy(code).code == code
        assert refused(resource.find, code)[0] == 404
    assert client.customers.destroy("acme").external_id == "acme"
    assert refused(client.customers.find, "acme") == (404, "customer_not_found")
