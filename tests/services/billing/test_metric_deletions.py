"""Deleting a metric that is priced: its charges leave the plans, also those with own terms of a subscription."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Subscription
from billing.services import contract_endings, subscription_moves
from catalog.domain.publications import Publication
from catalog.models import BillableMetric
from catalog.services import metric_deletions, metrics, plans, versions
from tests.factories import billing, catalog, contracts, customers
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

NOW = instant("2026-01-20T12:00:00")


def codes(external_id: str) -> list[str]:
    version = Subscription.objects.get(external_id=external_id).plan_version
    return sorted(version.charges.values_list("code", flat=True))


def test_the_charges_go_with_their_metric() -> None:
    customers.make_default_entity()
    customer = customers.make_customer(currency="EUR")
    gone, kept = catalog.make_metric("gone"), catalog.make_metric("kept")
    plan = catalog.make_plan(charges=[catalog.standard(gone), catalog.standard(kept)])
    billing.make_subscription(customer, plan, at=instant("2026-01-01"))
    own: Any = {"charges": [{"code": "gone", "properties": {"amount": "7"}}, {"code": "kept", "min_amount_cents": 5}]}
    billing.make_subscription(customer, plan, external_id="own", own_terms=own, at=instant("2026-01-01"))
    assert codes("sub") == codes("own") == ["gone", "kept"]

    metric_deletions.delete(code="gone", actor=ACTOR, at=NOW)

    assert codes("sub") == codes("own") == ["kept"]
    assert BillableMetric.objects.get(code="gone").deleted_at == NOW
    assert BillableMetric.objects.get(code="kept").deleted_at is None
    own_version = Subscription.objects.get(external_id="own").plan_version
    assert own_version.base is not None
    assert own_version.charges.get().min_amount_cents == 5  # what was agreed otherwise stays


@pytest.mark.parametrize("is_to_come", [False, True])
def test_what_a_contract_keeps_is_not_taken_away(is_to_come: bool) -> None:
    """A contract keeps its prices: without the metric its usage would not be computed any more, and not be billed."""
    customers.make_default_entity()
    customer = customers.make_customer(currency="EUR", timezone="UTC")
    metric = catalog.make_metric("gone", aggregation_type="sum_agg", field_name="gb", expression="event.properties.b")
    catalog.make_plan(cents=0)
    catalog.make_plan("metered", cents=0, charges=[catalog.standard(metric, "1")])
    phases = [contracts.phase("starter"), contracts.phase("metered", "2026-03-01")]
    contract = contracts.draft(customer, *(phases if is_to_come else [contracts.phase("metered")]))
    contracts.activate(contract)
    other = catalog.make_plan("other", charges=[catalog.standard(metric)])

    with pytest.raises(metrics.MetricInUse):
        metric_deletions.delete(code="gone", actor=ACTOR, at=NOW)

    assert BillableMetric.objects.get().deleted_at is None
    assert other.plan.versions.get().charges.count() == 1  # all or nothing
    subscription_moves.end_all_of_customer(customer_id=customer.pk, actor=ACTOR, at=NOW)
    contract_endings.end_all_of_customer(customer_id=customer.pk, actor=ACTOR, at=NOW)
    metric_deletions.delete(code="gone", actor=ACTOR, at=NOW)
    assert BillableMetric.objects.get().deleted_at == NOW


def test_a_price_from_a_later_day_on_is_not_taken_away() -> None:
    metric = catalog.make_metric("gone")
    plan = catalog.make_plan(at=instant("2026-01-01"))
    later = Publication(moves_existing=False, effective_at=instant("2026-02-01"))
    charge: Any = {"charges": [catalog.standard(metric)]}
    plans.update(code=plan.plan.code, values=charge, actor=ACTOR, at=NOW, publication=later)

    with pytest.raises(metrics.MetricInUse):
        metric_deletions.delete(code="gone", actor=ACTOR, at=NOW)

    versions.withdraw(code=plan.plan.code, number=2, actor=ACTOR, at=NOW)
    metric_deletions.delete(code="gone", actor=ACTOR, at=NOW)
    assert BillableMetric.objects.get().deleted_at == NOW
