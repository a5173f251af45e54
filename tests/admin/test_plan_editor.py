"""The plan editor and the comparison of plans: prices as they are typed, what changes, and publishing it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing.models import Subscription
from catalog.models import Plan, PlanVersion
from catalog.services import versions
from tests.admin.conftest import NOW
from tests.factories import catalog as goods
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

TIERS = {"p0-up_to": ["100", ""], "p0-price": ["0.05", "0.00035"], "p0-flat": ["2", "0"]}


@pytest.fixture
def plan(company: Company) -> Plan:
    return Plan.objects.get(code="growth_eur")


def url(plan: Plan, name: str = "prices/") -> str:
    return f"/admin/catalog/plan/{plan.pk}/{name}"


def shown(client: Client, plan: Plan) -> dict[str, Any]:
    """The form as a browser would send it back."""
    context = client.get(url(plan)).context
    found: dict[str, Any] = {"seen": context["version"].pk, "fee": context["typed"].fee, "step": "review"}
    for one in context["sampled"]:
        block = one.block
        found[f"{block.prefix}-model"] = block.model
        found |= {f"{block.prefix}-{name}": text for name, text in block.values.items()}
        for name in ("up_to", "price", "flat"):
            found[f"{block.prefix}-{name}"] = [getattr(row, name) for row in block.tiers]
    return found


def sample(client: Client, plan: Plan, **data: Any) -> Any:
    return client.post(url(plan, "prices/sample/"), {"block": "p0", "p0-model": "graduated", **TIERS, **data}).json()


def test_nothing_typed_changes_nothing(finance: Client, plan: Plan) -> None:
    answer = finance.post(url(plan), shown(finance, plan))
    assert answer.context["problem"] == "Nothing changes."
    assert plan.versions.count() == 1


def test_what_changes_is_shown_before_it_is_published(finance: Client, plan: Plan) -> None:
    data = shown(finance, plan) | {"fee": "59"}
    data["p0-price"] = ["0.06", *data["p0-price"][1:]]
    review = finance.post(url(plan), data)
    rows = [[str(cell) for cell in row.cells] for row in review.context["blocks"][0].rows]
    assert [row[0] for row in rows] == ["Fee", "Requests"]
    assert "€49.00" in rows[0][1]
    assert rows[0][2] == "€59.00"
    assert "€0.06" in rows[1][2]
    assert plan.versions.count() == 1  # nothing is published yet

    again = {name: [] for name, _ in review.context["hidden"]}
    for name, text in review.context["hidden"]:
        again[name].append(text)
    done = finance.post(url(plan), {**again, "step": "publish", "effective_date": ""})

    assert done.status_code == 302
    version = plan.versions.get(is_current=True)
    assert (version.number, version.amount.amount, version.moves_existing) == (2, 59, False)
    before = plan.versions.get(number=1)
    assert version.charges.get(code="requests").properties["graduated_ranges"][0]["per_unit_amount"] == "0.06"
    kept = [(one.code, one.key, one.properties) for one in before.charges.exclude(code="requests")]
    assert kept == [(one.code, one.key, one.properties) for one in version.charges.exclude(code="requests")]
    assert not Subscription.objects.filter(plan_version=version).exists()


def test_a_version_for_a_later_day(finance: Client, plan: Plan) -> None:
    data = shown(finance, plan) | {"fee": "59", "step": "publish", "effective_date": "2026-06-01"}
    assert finance.post(url(plan), data).status_code == 302
    version = plan.versions.get(number=2)
    assert (version.is_scheduled, version.is_current, f"{version.effective_at:%Y-%m-%d %H:%M}") == (
        True,
        False,
        "2026-06-01 00:00",
    )
    page = finance.get(url(plan, "change/")).content.decode()
    assert "Version 2 is sold from 1 Jun 2026" in page

    finance.post(url(plan, "withdraw_version/"), {"reason": "Too early."})
    version.refresh_from_db()
    assert version.withdrawn_at == NOW
    assert versions.turn_due(as_of=version.effective_at) == 0


def test_a_day_that_is_over_is_refused(finance: Client, plan: Plan) -> None:
    data = shown(finance, plan) | {"fee": "59", "step": "publish", "effective_date": "2026-05-19"}
    answer = finance.post(url(plan), data)
    assert list(answer.context["form"].errors) == ["effective_date"]
    assert plan.versions.count() == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"fee": "much"}, "fee"),
        ({"fee": "-1"}, "fee"),
        ({"fee": "1.234"}, "fee"),
        ({"p0-price": ["", "1"]}, "tiers"),
        ({"p0-up_to": ["100", "50"]}, "tiers"),
        ({"p0-up_to": ["", ""]}, "tiers"),
        ({"p0-model": "standard", "p0-amount": "x"}, "amount"),
        ({"p0-model": "percentage", "p0-rate": ""}, "rate"),
    ],
)
def test_what_is_wrong_is_told_at_the_field(finance: Client, plan: Plan, typed: dict[str, Any], field: str) -> None:
    answer = finance.post(url(plan), shown(finance, plan) | TIERS | typed)
    found = answer.context["typed"]
    block = found.blocks[0]
    wrong = {"fee": bool(found.fee_error), "tiers": any(row.error for row in block.tiers), **block.errors}
    assert wrong.get(field)
    assert plan.versions.count() == 1


def test_who_looked_at_an_older_version_starts_again(finance: Client, plan: Plan) -> None:
    data = shown(finance, plan) | {"fee": "59"}
    goods_version = PlanVersion.objects.get(plan=plan, is_current=True)
    finance.post(url(plan), {**data, "step": "publish"})
    answer = finance.post(url(plan), {**data, "fee": "69", "step": "publish"})
    assert "Somebody else changed the plan" in answer.context["problem"]
    assert plan.versions.count() == 2
    assert goods_version.number == 1


def test_prices_follow_the_typing(finance: Client, plan: Plan) -> None:
    found = sample(finance, plan)
    assert "€7.00" in found["html"]  # 2.00 + 100 x 0.05
    assert "<path" in found["html"]
    assert found["tiers"] == ["", ""]
    assert "€12.00" in sample(finance, plan, **{"p0-price": ["0.10", "0.00035"]})["html"]


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ({"p0-model": "standard", "p0-amount": "0.5"}, "€500.00"),  # 1,000 units
        ({"p0-model": "package", "p0-amount": "7", "p0-package_size": "100", "p0-free_units": "0"}, "€70.00"),
        ({"p0-model": "percentage", "p0-rate": "1.5", "p0-fixed_amount": "0.3"}, "€15.30"),
        ({"p0-model": "volume"}, "€0.35"),  # 1,000 x 0.00035
        ({"p0-model": "graduated_percentage", "p0-price": ["1", "2"]}, "€21.00"),  # 2 + 1 + 900 x 2 %
    ],
)
def test_every_model_has_a_table(finance: Client, plan: Plan, typed: dict[str, Any], amount: str) -> None:
    assert f">{amount}<" in sample(finance, plan, **typed)["html"]


def test_a_wrong_price_has_no_table(finance: Client, plan: Plan) -> None:
    found = sample(finance, plan, **{"p0-price": ["a", "1"]})
    assert found["tiers"] == ["A number of zero or more is needed.", ""]
    assert "<path" not in found["html"]
    missing = finance.post(url(plan, "prices/sample/"), {"block": "p99"})
    assert missing.status_code == 404


def test_only_those_who_may_change_plans_edit_them(auditor: Client, plan: Plan) -> None:
    assert auditor.get(url(plan)).status_code == 403
    assert auditor.post(url(plan, "prices/sample/"), {"block": "p0"}).status_code == 403
    assert auditor.get("/admin/catalog/plan/compare/").status_code == 200


def test_plans_side_by_side(finance: Client, plan: Plan) -> None:
    finance.post(url(plan), shown(finance, plan) | {"fee": "59", "step": "publish"})
    answer = finance.get("/admin/catalog/plan/compare/?first=growth_eur&second=growth_eur%401")
    table, *rest = answer.context["blocks"]
    differing = [str(row.cells[0]) for row in table.rows if row.cells[-1]]
    assert differing == ["Fee"]
    chart = next(block for block in rest if hasattr(block, "series"))
    assert [len(series.values) for series in chart.series] == [len(chart.labels)] * 2
    assert "simulation" in answer.content.decode()


def test_minimums_and_thresholds_are_compared(finance: Client, plan: Plan) -> None:
    goods.make_plan(
        "least",
        cents=100,
        minimum_commitment={"amount_cents": 10000},
        usage_thresholds=[{"amount_cents": 20000}, {"amount_cents": 50000, "recurring": True}],
    )
    answer = finance.get("/admin/catalog/plan/compare/?first=growth_eur&second=least")
    told = {str(row.cells[0]): row.cells[2] for row in answer.context["blocks"][0].rows}
    assert (told["Minimum"], told["Usage thresholds"]) == ("€100.00 per month", "€200.00, each further €500.00")


def test_one_plan_is_no_comparison(finance: Client, plan: Plan) -> None:
    answer = finance.get("/admin/catalog/plan/compare/?first=growth_eur&second=growth_eur")
    assert list(answer.context["form"].errors) == ["second"]
    odd = finance.get("/admin/catalog/plan/compare/?first=nothing&second=growth_eur&units=-3")
    assert {"first", "units"} <= set(odd.context["form"].errors)


def test_plans_in_two_currencies_are_not_drawn(finance: Client, plan: Plan) -> None:
    goods.make_plan("other", cents=100, amount_currency="JPY")
    answer = finance.get("/admin/catalog/plan/compare/?first=growth_eur&second=other")
    assert "different currencies" in answer.content.decode()
    assert not [block for block in answer.context["blocks"] if hasattr(block, "series")]
