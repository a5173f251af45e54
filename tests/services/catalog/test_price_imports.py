"""Importing plans and prices: one version for all rows of a plan, and none where nothing differs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from moneyed import Money

from catalog.models import PlanVersion
from catalog.queries import plans as known
from catalog.services import approval_actions, plan_imports, price_imports, price_lists
from config.kernel.actors import Actor
from config.platform.models import ApprovalRule, ImportFile
from config.platform.services import approvals, imports
from tests.factories import catalog as goods

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)


@pytest.fixture
def actor() -> Actor:
    return Actor(kind="user", label="Ada", user_id=User.objects.create_user("ada").pk)


def done(kind: str, text: str, actor: Actor, *, write: bool = True, **options: str) -> ImportFile:
    file = imports.upload(kind=kind, file_name="prices.csv", content=text.encode(), options=options, actor=actor, at=AT)
    imports.run(as_of=AT)
    if write:
        imports.confirm(import_id=file.pk, all_or_nothing=False, actor=actor, at=AT)
        imports.run(as_of=AT)
    file.refresh_from_db()
    return file


def outcomes(file: ImportFile) -> list[str]:
    return list(file.rows.order_by("number").values_list("outcome", flat=True))


def messages(file: ImportFile) -> list[tuple[str, str]]:
    return list(file.rows.order_by("number").values_list("column", "message"))


def test_plans_are_made_changed_and_left_alone(actor: Actor) -> None:
    text = "code;name;interval;currency;fee;in advance\nteam;Team;monthly;EUR;49,50;yes\nzen;Zen;yearly;JPY;1000;no\n"
    done(plan_imports.KIND.code, text, actor)
    team, zen = known.by_code(code="team"), known.by_code(code="zen")
    assert (team.amount, team.interval, team.pay_in_advance) == (Money(Decimal("49.50"), "EUR"), "monthly", True)
    assert zen.amount == Money(1000, "JPY")

    assert outcomes(done(plan_imports.KIND.code, text, actor, write=False)) == ["unchanged", "unchanged"]
    dearer = done(plan_imports.KIND.code, "code;fee\nteam;59,00\n", actor)
    assert dearer.rows.get().changes == [["Fee", "49.5", "59"]]
    assert known.by_code(code="team").number == 2
    assert PlanVersion.objects.filter(plan=team.plan).count() == 2


def test_what_a_plan_cannot_be_is_said_by_row(actor: Actor) -> None:
    file = done(
        plan_imports.KIND.code,
        "code,name,interval,currency,fee\n"
        "a,A,monthly,JPY,10.5\n"  # no decimals in yen
        "b,B,fortnightly,EUR,10\n"
        "c,C,monthly,XXX,10\n"
        "d,D,monthly,EUR,1.234\n"  # one thousand or one and a bit
        "e,E,monthly,EUR,\n",
        actor,
        write=False,
    )
    assert outcomes(file) == ["refused"] * 5
    assert [column for column, _ in messages(file)] == ["Fee", "Interval", "Currency", "Fee", "Fee"]
    assert "two ways" in messages(file)[3][1]
    assert not PlanVersion.objects.filter(plan__code="a").exists()


def test_prices_of_a_plan_make_one_version(actor: Actor) -> None:
    requests = goods.make_metric("requests")
    goods.make_metric("seats")
    goods.make_plan("team", cents=4900, charges=[goods.standard(requests, "0.05")])
    text = (
        "plan,metric,model,from,to,per unit,flat,amount\n"
        "team,requests,graduated,0,1000,0.01,2,\n"
        "team,requests,graduated,1001,,0.005,,\n"
        "team,seats,standard,,,,,5\n"
    )
    file = done(price_imports.KIND.code, text, actor)
    assert outcomes(file) == ["changed"] * 3
    version = known.by_code(code="team")
    assert version.number == 2
    tiers, seats = price_lists.read(version).charges
    assert tiers.properties == {
        "graduated_ranges": [
            {"from_value": 0, "to_value": 1000, "per_unit_amount": "0.01", "flat_amount": "2"},
            {"from_value": 1001, "to_value": None, "per_unit_amount": "0.005", "flat_amount": "0"},
        ]
    }
    assert (seats.code, seats.properties) == ("seats", {"amount": "5"})

    again = done(price_imports.KIND.code, text.replace("0.01,2", "0.010,2.00"), actor, write=False)
    assert outcomes(again) == ["unchanged"] * 3
    assert PlanVersion.objects.filter(plan=version.plan).count() == 2


def test_a_wrong_row_keeps_its_whole_plan_from_being_published(actor: Actor) -> None:
    requests = goods.make_metric("requests")
    goods.make_plan("team", cents=4900, charges=[goods.standard(requests, "0.05")])
    goods.make_plan("solo", cents=900, charges=[goods.standard(requests, "0.05")])
    file = done(
        price_imports.KIND.code,
        "plan,metric,model,amount\nteam,requests,standard,0.06\nteam,gone,standard,1\nsolo,requests,standard,0.07\n",
        actor,
    )
    assert outcomes(file) == ["refused", "refused", "changed"]
    assert messages(file)[0][1] == "Row 3, which belongs to it, is refused."
    assert messages(file)[1] == ("Metric", "There is no billable metric gone.")
    assert known.by_code(code="team").number == 1
    assert known.by_code(code="solo").number == 2


def test_a_filter_is_changed_and_the_others_stay(actor: Actor) -> None:
    metric = goods.make_metric("requests", filters=[{"key": "region", "values": ["eu", "us"]}])
    goods.make_plan("team", cents=0, charges=[goods.standard(metric, "0.05")])
    text = (
        "plan,metric,model,filter,amount\nteam,requests,standard,region=eu,{eu}\nteam,requests,standard,region=us,2\n"
    )
    done(price_imports.KIND.code, text.format(eu="1"), actor)
    file = done(price_imports.KIND.code, "plan,metric,model,filter,amount\nteam,requests,standard,region=eu,3\n", actor)
    (charge,) = price_lists.read(known.by_code(code="team")).charges
    assert charge.properties == {"amount": "0.05"}
    assert [(part.values, part.properties) for part in charge.filters] == [
        ({"region": ["eu"]}, {"amount": "3"}),
        ({"region": ["us"]}, {"amount": "2"}),
    ]
    assert file.rows.get().changes == [["requests price of region=eu", "amount 1", "amount 3"]]


def test_prices_may_begin_on_a_later_day(actor: Actor) -> None:
    requests = goods.make_metric("requests")
    goods.make_plan("team", cents=4900, charges=[goods.standard(requests, "0.05")])
    text = "plan,metric,model,amount\nteam,requests,standard,0.06\n"
    done(price_imports.KIND.code, text, actor, follows="kept", sold_from="2026-07-01")
    assert known.by_code(code="team").number == 1
    assert PlanVersion.objects.get(plan__code="team", number=2).is_scheduled


def test_a_second_person_is_asked_once_for_the_file(actor: Actor) -> None:
    ApprovalRule.objects.create(
        created_at=AT,
        updated_at=AT,
        action=approval_actions.PUBLISH_PRICES,
        group=Group.objects.create(name="Pricing"),
    )
    file = done(
        plan_imports.KIND.code, "code,name,interval,currency,fee\nteam,Team,monthly,EUR,49\n", actor, write=False
    )
    assert outcomes(file) == ["new"]
    with pytest.raises(approvals.ApprovalRequired):
        imports.confirm(import_id=file.pk, all_or_nothing=False, actor=actor, at=AT)
    file.refresh_from_db()
    assert file.status == "checked"
    assert not PlanVersion.objects.exists()
