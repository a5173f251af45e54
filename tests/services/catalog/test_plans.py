"""What publishing a plan version tells, keeps and leaves in the audit trail."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from catalog.domain.facts import PlanVersionPublished
from catalog.models import PlanVersion
from catalog.services import metrics, plans
from config.kernel import errors, events
from config.platform.models import AuditEntry
from tests.factories import catalog
from tests.factories.platform import ACTOR, AT


@pytest.mark.django_db
def test_a_listener_that_refuses_undoes_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fact: PlanVersionPublished) -> None:
        raise errors.NotAllowed("not_now")

    catalog.make_plan()
    monkeypatch.setitem(events.type_subscribers, PlanVersionPublished, [refuse])
    with pytest.raises(errors.NotAllowed):
        plans.update(code="starter", values={"amount_cents": 1, "name": "New"}, actor=ACTOR, at=AT)
    version = PlanVersion.objects.get()
    assert (version.amount.amount, version.is_current, version.plan.name) == (29, True, "Starter")


@pytest.mark.django_db
def test_the_trail_of_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(events.type_subscribers, PlanVersionPublished, [])
    catalog.make_plan()
    plans.update(code="starter", values={"amount_cents": 3900, "name": "New"}, actor=ACTOR, at=AT)
    plans.update(code="starter", values={"amount_cents": 3900, "name": "New"}, actor=ACTOR, at=AT)
    plans.delete(code="starter", actor=ACTOR, at=AT)
    rows = AuditEntry.objects.order_by("id")
    assert [entry.verb for entry in rows] == ["create", "update", "publish_version", "delete"]
    assert (rows[2].old["amount"], rows[2].new["amount"]) == ("29.00", "39.00")


@pytest.mark.django_db(transaction=True)
def test_two_prices_at_once_are_two_versions_one_after_the_other() -> None:
    catalog.make_plan()
    barrier = threading.Barrier(2)
    raised: list[Exception] = []

    def change(cents: int) -> None:
        try:
            barrier.wait(timeout=20)
            plans.update(code="starter", values={"amount_cents": cents}, actor=ACTOR, at=AT)
        except Exception as error:  # noqa: BLE001 - told to the test
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=change, args=(cents,)) for cents in (100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert raised == []
    assert list(PlanVersion.objects.order_by("number").values_list("number", "is_current")) == [
        (1, False),
        (2, False),
        (3, True),
    ]


@pytest.mark.django_db
def test_a_metric_stays_what_it_was_after_its_plan_is_retired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(events.type_subscribers, PlanVersionPublished, [])
    metric = catalog.make_metric("calls", "sum_agg")
    catalog.make_plan(charges=[catalog.standard(metric)])
    plans.delete(code="starter", actor=ACTOR, at=AT)
    values = metrics.MetricValues(name="Calls", aggregation_type="max_agg", field_name="other")
    changed = metrics.update(code="calls", values=values, actor=ACTOR, at=AT)  # last invoices may still be drafts
    assert (changed.name, changed.aggregation_type, changed.field_name) == ("Calls", "sum_agg", "calls")
