"""Alerts, spend caps and notices of ends in the admin: the verbs, the pages, and who may use them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import SpendCap, Subscription, TriggeredAlert, UsageAlert
from billing.services import alert_checks, ending_notices, spend_caps, usage_alerts
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db
NOW = instant("2026-05-20T12:00")


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def subscription() -> Subscription:
    """300.00 used in May; it ends in June."""
    charge = goods.standard(goods.make_metric("gigabytes", "sum_agg"), "1")
    customer = parties.make_customer(parties.make_entity(), timezone="UTC")
    plan = goods.make_plan("p", charges=[charge])
    found = made.make_subscription(customer, plan, at=instant("2026-05-01"), ending_at=instant("2026-06-10"))
    made.send("sub", "gigabytes", "2026-05-04T10:00", gigabytes="300")
    return found


@pytest.fixture
def alert(subscription: Subscription) -> UsageAlert:
    values: Any = {
        "alert_type": "current_usage_amount",
        "code": "soon",
        "thresholds": [{"value": Decimal(20_000)}, {"value": Decimal(5_000), "recurring": True}],
    }
    found = usage_alerts.create(subscription=subscription, values=values, actor=ACTOR, at=NOW)
    assert alert_checks.run(as_of=NOW).alerts == 1
    return found


def text(response: Any) -> str:
    assert response.status_code == 200, response
    return response.content.decode()


def address(subscription: Subscription, verb: str) -> str:
    return f"/admin/billing/subscription/{subscription.pk}/{verb}/"


def test_an_alert_is_added(finance: Client, subscription: Subscription) -> None:
    values = {"alert_type": "current_usage_amount", "code": "soon", "thresholds": "200\n500,50 high", "step": "1000"}
    assert "since the first day" in text(finance.get(address(subscription, "add_alert")))
    assert not UsageAlert.objects.exists()
    assert finance.post(address(subscription, "add_alert"), values).status_code == 302
    rows = UsageAlert.objects.get().thresholds.values_list("value", "recurring", "code")
    assert list(rows) == [(20_000, False, ""), (50_050, False, "high"), (100_000, True, "")]
    units = {
        "alert_type": "billable_metric_current_usage_units",
        "metric": "gigabytes",
        "code": "units",
        "thresholds": "2.5",
    }
    assert finance.post(address(subscription, "add_alert"), units).status_code == 302
    assert UsageAlert.objects.get(code="units").thresholds.get().value == Decimal("2.5")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"thresholds": "many"}, "many is no value above nothing"),
        ({"thresholds": "-1"}, "-1 is no value above nothing"),
        ({"thresholds": "1e999"}, "1e999 is no value above nothing"),
        ({"thresholds": "NaN"}, "NaN is no value above nothing"),
        ({"thresholds": "1.005"}, "finer than the currency"),
        ({"thresholds": "5\n5"}, "Duplicate threshold values"),
        ({"thresholds": ""}, "This is needed"),
        ({"thresholds": "5", "alert_type": "billable_metric_current_usage_units"}, "This is needed"),
    ],
)
def test_what_is_no_alert_is_told(finance: Client, subscription: Subscription, values: Any, told: str) -> None:
    usual = {"alert_type": "current_usage_amount", "code": "soon"}
    assert told in text(finance.post(address(subscription, "add_alert"), {**usual, **values}))
    assert not UsageAlert.objects.exists()


def test_an_alert_is_changed_and_deleted(finance: Client, subscription: Subscription, alert: UsageAlert) -> None:
    page = f"/admin/billing/usagealert/{alert.pk}"
    assert "200" in text(finance.get(f"{page}/change_alert/"))
    done = finance.post(f"{page}/change_alert/", {"code": "later", "name": "Later", "thresholds": "700"})
    assert done.status_code == 302
    alert.refresh_from_db()
    assert (alert.code, alert.name, alert.thresholds.get().value) == ("later", "Later", 70_000)
    assert finance.post(f"{page}/delete_alert/", {}).status_code == 302
    alert.refresh_from_db()
    assert alert.deleted_at == NOW
    assert "deleted" in text(finance.get(f"{page}/change/"))
    assert TriggeredAlert.objects.count() == 1


def test_the_pages_tell(finance: Client, subscription: Subscription, alert: UsageAlert) -> None:
    page = text(finance.get(address(subscription, "change")))
    assert "every €50.00 beyond" in page
    assert "€200.00, €250.00, €300.00" in page
    listed = text(finance.get("/admin/billing/triggeredalert/"))
    assert "€200.00, €250.00, €300.00" in listed
    fired = TriggeredAlert.objects.get()
    assert "current_usage_amount" not in text(finance.get(f"/admin/billing/triggeredalert/{fired.pk}/change/"))
    assert "soon" in text(finance.get("/admin/billing/usagealert/"))
    assert "€200.00" in text(finance.get(f"/admin/billing/usagealert/{alert.pk}/change/"))


def test_what_failed_is_told(finance: Client, subscription: Subscription, monkeypatch: pytest.MonkeyPatch) -> None:
    spend_caps.agree(subscription=subscription, amount_cents=100, actor=ACTOR, at=NOW)

    def failing(**_: Any) -> Any:
        raise ValueError("no price there")

    monkeypatch.setattr(alert_checks.alert_values, "read", failing)
    assert alert_checks.run(as_of=NOW).failed == {"sub": "no price there"}
    assert "no price there" in text(finance.get("/admin/billing/triggeredalert/"))


def test_a_cap_is_set_and_given_up(finance: Client, subscription: Subscription) -> None:
    assert finance.post(address(subscription, "spend_cap"), {"amount": "250"}).status_code == 302
    page = text(finance.get(address(subscription, "change")))
    assert "€300.00 of €250.00 used in this period" in page
    assert "The cap was reached on" in page
    assert "250.00" in text(finance.get(address(subscription, "spend_cap")))
    for amount, told in (("x", "x is no amount"), ("0", "0 is no amount"), ("1.005", "finer than the currency")):
        assert told in text(finance.post(address(subscription, "spend_cap"), {"amount": amount}))
    for _ in range(2):
        assert finance.post(address(subscription, "spend_cap"), {"amount": ""}).status_code == 302
    assert not SpendCap.objects.exists()


def test_an_end_is_noticed(finance: Client, subscription: Subscription) -> None:
    assert ending_notices.run(as_of=NOW).notices == 1  # 21 days before
    assert "Notice was given 45 days before" in text(finance.get(address(subscription, "change")))
    assert "Coming to their end" in text(finance.get("/admin/overview/running/"))
    Subscription.objects.update(ending_at=None)
    assert "Notice was given" not in text(finance.get(address(subscription, "change")))
    assert "Coming to their end" not in text(finance.get("/admin/overview/running/"))


@pytest.mark.parametrize("verb", ["add_alert", "spend_cap"])
def test_who_may_only_look_changes_nothing(auditor: Client, subscription: Subscription, verb: str) -> None:
    assert auditor.get(address(subscription, verb)).status_code == 403
    values = {"alert_type": "current_usage_amount", "code": "soon", "thresholds": "5", "amount": "5"}
    assert auditor.post(address(subscription, verb), values).status_code == 403
    assert not UsageAlert.objects.exists()
    assert not SpendCap.objects.exists()


@pytest.mark.parametrize("verb", ["change_alert", "delete_alert"])
def test_who_may_only_look_at_an_alert(auditor: Client, alert: UsageAlert, verb: str) -> None:
    page = f"/admin/billing/usagealert/{alert.pk}"
    assert auditor.get(f"{page}/change/").status_code == 200
    assert auditor.post(f"{page}/{verb}/", {"code": "x", "thresholds": "5"}).status_code == 403
    alert.refresh_from_db()
    assert (alert.code, alert.deleted_at) == ("soon", None)
