"""Metrics that are retired while they get a price: one of the two happens, never both."""

from functools import partial

import pytest

from catalog.models import BillableMetric, Charge
from catalog.services import metrics, plans
from tests.concurrency import threads
from tests.factories import catalog
from tests.factories.platform import ACTOR, AT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("turn", range(5))
def test_a_metric_that_is_retired_gets_no_price(turn: int) -> None:
    metric = catalog.make_metric()
    catalog.make_plan()
    price = partial(plans.add_charge, code="starter", values=catalog.standard(metric), actor=ACTOR, at=AT)
    retire = partial(metrics.delete, code="requests", actor=ACTOR, at=AT)

    threads.together([price, retire] if turn % 2 else [retire, price])

    is_priced = Charge.objects.filter(metric=metric, plan_version__is_current=True).exists()
    assert is_priced is (BillableMetric.objects.get(pk=metric.pk).deleted_at is None)
