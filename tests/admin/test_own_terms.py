"""Own terms of a subscription in the admin: agreed on with the next invoice shown first, and ended again."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Subscription
from billing.services import own_terms
from catalog.models import PlanVersion
from config.platform.models import AuditEntry
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = instant("2026-01-16T10:00")
TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
    {"from_value": 10, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
]


@pytest.fixture
def subscription() -> Subscription:
    calls, bytes_ = goods.make_metric("calls"), goods.make_metric("bytes")
    tiered = {
        "billable_metric_id": bytes_.uuid,
        "charge_model": "graduated",
        "properties": {"graduated_ranges": TIERS},
        "code": "bytes",
    }
    plan = goods.make_plan("pro", cents=3100, charges=[goods.standard(calls, "1", code="calls"), tiered])
    found = made.make_subscription(parties.make_customer(parties.make_entity()), plan, at=instant("2026-01-01"))
    made.send("sub", "calls", "2026-01-10", "2026-01-11")
    return found


def address(subscription: Subscription, verb: str) -> str:
    return f"/admin/billing/subscription/{subscription.pk}/{verb}/"


def versions() -> int:
    return PlanVersion.objects.filter(plan__code="pro").count()


def text(response: Any) -> str:
    return " ".join(str(block) for block in response.context["blocks"])


def filled(page: Any, **values: str) -> dict[str, str]:
    """Return the form as it was shown, as a browser sends it, with other values; prices by the code of their charge."""
    form = page.context["form"]
    content = {name: form[name].value() or "" for name in form.fields if name not in ("once", "taxes")}
    content = {name: str(value).replace("\n", "\r\n") for name, value in content.items()}
    prices = {row.code: field for field, row in getattr(form, "prices", {}).items()}
    return content | {prices.get(name, name): value for name, value in values.items()}


def test_terms_are_weighed_and_then_agreed_on(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        page = finance.get(address(subscription, "agree_terms"))
        assert "It has the plan" in str(page.content)
        content = filled(page, amount="62", calls="0.25", reason="They are big")
        shown = finance.post(address(subscription, "agree_terms"), content)

        assert shown.status_code == 200
        # The fee of 31.00 becomes 62.00, two calls of 1.00 cost 0.25 each.
        for amount in ("€31.00", "€62.00", "€2.00", "€0.50", "€33.00", "€62.50"):
            assert amount in text(shown)
        own, billing = shown.context["blocks"]
        assert [[str(cell) for cell in row.cells] for row in own.rows] == [
            ["Fee", "€31.00", "€62.00"],
            ["calls", "", ""],
            ["Price", "1", "0.25"],
        ]
        assert billing.title == "Next billing on 1 Feb 2026"
        assert versions() == 1
        assert not Invoice.objects.filter(customer=subscription.customer).exists()

        done = finance.post(address(subscription, "agree_terms"), content | {"weighed": shown.context["weighed"]})
        assert done.status_code == 302
        told = finance.get(address(subscription, "change"))

    subscription.refresh_from_db()
    version = subscription.plan_version
    assert version.overrides.keys() == {"amount_cents", "charges"}
    assert [row["code"] for row in version.overrides["charges"]] == ["calls"]
    assert version.charges.get(code="bytes").properties == {"graduated_ranges": TIERS}
    page_text = str(told.context["page"])
    assert "Own terms" in page_text
    assert "€62.00" in page_text
    entry = AuditEntry.objects.get(object_type="billing.subscription", verb="agree_terms")
    assert (entry.reason, entry.new["own_terms"]["amount_cents"]) == ("They are big", 6200)


def test_tiers_are_changed_in_place_and_bad_ones_are_told_beside_them(
    finance: Client, subscription: Subscription
) -> None:
    with time_machine.travel(AT, tick=False):
        page = finance.get(address(subscription, "agree_terms"))
        field = next(name for name, row in page.context["form"].prices.items() if row.code == "bytes")
        for wrong in ("nothing", "10; -1\r\n; 1"):
            refused = finance.post(address(subscription, "agree_terms"), filled(page, bytes=wrong, reason="Less"))
            assert refused.context["form"].errors.keys() == {field}
        content = filled(page, bytes="100; 1; 0\r\n; 0.1; 0", reason="Less")
        shown = finance.post(address(subscription, "agree_terms"), content)
        finance.post(address(subscription, "agree_terms"), content | {"weighed": shown.context["weighed"]})

    subscription.refresh_from_db()
    tiers = subscription.plan_version.charges.get(code="bytes").properties["graduated_ranges"]
    assert [(tier["to_value"], tier["per_unit_amount"]) for tier in tiers] == [("100", "1"), (None, "0.1")]


def test_nothing_changed_is_nothing_agreed(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        page = finance.get(address(subscription, "agree_terms"))
        refused = finance.post(address(subscription, "agree_terms"), filled(page, reason="Hm"))

    assert "Nothing was changed." in str(refused.context["form"].non_field_errors())
    assert versions() == 1


def test_a_page_that_is_out_of_date_agrees_on_nothing(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        page = finance.get(address(subscription, "agree_terms"))
        content = filled(page, amount="62", reason="They are big")
        shown = finance.post(address(subscription, "agree_terms"), content)
        own_terms.agree(subscription_id=subscription.pk, terms={"amount_cents": 100}, actor=ACTOR, at=AT)
        refused = finance.post(address(subscription, "agree_terms"), content | {"weighed": shown.context["weighed"]})

    assert "changed by somebody else" in str(refused.context["form"].non_field_errors())
    subscription.refresh_from_db()
    assert subscription.plan_version.amount.amount == 1


def test_terms_end_one_by_one_and_the_verb_goes_with_the_last(finance: Client, subscription: Subscription) -> None:
    terms: Any = {"amount_cents": 6200, "charges": [{"code": "calls", "properties": {"amount": "3"}}]}
    with time_machine.travel(AT, tick=False):
        assert finance.get(address(subscription, "end_terms")).status_code == 302
        own_terms.agree(subscription_id=subscription.pk, terms=terms, actor=ACTOR, at=AT)
        page = finance.get(address(subscription, "end_terms"))
        names = dict(page.context["form"].fields["terms"].choices)
        assert sorted(names.values()) == ["Fee", "calls: price"]
        seen = page.context["form"]["seen"].value()
        for chosen in (["amount_cents"], [name for name in names if name != "amount_cents"]):
            content = {"terms": chosen, "seen": seen, "reason": "Over"}
            shown = finance.post(address(subscription, "end_terms"), content)
            done = finance.post(address(subscription, "end_terms"), content | {"weighed": shown.context["weighed"]})
            assert done.status_code == 302
            page = finance.get(address(subscription, "end_terms"))
            seen = page.context["form"]["seen"].value() if page.status_code == 200 else ""

    subscription.refresh_from_db()
    assert subscription.plan_version.base_id is None
    assert page.status_code == 302


def test_private_prices_are_on_no_list_of_the_plan(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        own_terms.agree(subscription_id=subscription.pk, terms={"amount_cents": 6200}, actor=ACTOR, at=AT)
        subscription.refresh_from_db()
        private = subscription.plan_version
        page = finance.get(f"/admin/catalog/plan/{private.plan_id}/change/").context["page"]
        listed = finance.get("/admin/catalog/charge/").context["cl"].queryset.filter(plan_version__plan=private.plan_id)

        assert "Version 1" in str(page)
        assert "Version 2" not in str(page)
        assert set(listed.values_list("plan_version_id", flat=True)) == {private.base_id}
        charge = private.charges.first()
        assert finance.get(f"/admin/catalog/charge/{charge.pk}/change/").status_code == 200


def test_who_may_not_change_plans_may_not_agree(auditor: Client, subscription: Subscription) -> None:
    for verb in ("agree_terms", "end_terms"):
        assert auditor.get(address(subscription, verb)).status_code == 403


def test_one_that_waits_for_its_start_shows_its_terms(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(AT, tick=False):
        later = made.make_subscription(
            subscription.customer, subscription.plan_version, "later", at=AT, subscription_at=instant("2026-03-01")
        )
        page = finance.get(address(later, "agree_terms"))
        shown = finance.post(address(later, "agree_terms"), filled(page, amount="62", reason="They are big"))

    assert "It does not run now" in text(shown)
    assert "€62.00" in text(shown)
    assert versions() == 1
