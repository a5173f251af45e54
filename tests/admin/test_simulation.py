"""The simulation's page: the form, what comes of it, the file, and who may see it."""

from __future__ import annotations

import csv

import pytest
from django.test import Client

from billing.services import simulations
from catalog.models import Plan
from config.platform.admin.blocks import Beside, Block, Figures, Note, Table
from tests.admin import addresses
from tests.admin.conftest import signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

ADDRESS = "/admin/billing/subscription/simulation/"


def asked(company: Company, **values: object) -> dict[str, object]:
    plan = Plan.objects.get(code="growth_eur")
    return {"plan": plan.pk, "months": 2, "compare": "growth_eur", **values}


def flat(blocks: tuple[Block, ...]) -> list[Block]:
    return [one for block in blocks for one in (flat(block.blocks) if isinstance(block, Beside) else [block])]


def test_the_page_without_a_question(finance: Client, company: Company) -> None:
    answer = finance.get(ADDRESS)
    assert answer.status_code == 200
    assert "Choose a plan or a subscription" in answer.content.decode()
    assert answer.context["blocks"] == ()


def test_a_plan_compared_with_itself_changes_nothing(auditor: Client, company: Company) -> None:
    before = addresses.fingerprint()
    answer = auditor.get(ADDRESS, asked(company))

    blocks = flat(answer.context["blocks"])
    [figures] = [block for block in blocks if isinstance(block, Figures)]
    own, other = (one.value for one in figures.items[1:3])
    assert own == other != "€0.00"
    [contracts] = [block for block in blocks if isinstance(block, Table) and block.title == "Contracts"]
    assert len(contracts.rows) == 4
    assert addresses.fingerprint() == before


def test_plans_of_one_name_are_told_apart(finance: Client, company: Company) -> None:
    Plan.objects.update(name="Growth")
    fields = finance.get(ADDRESS).context["form"].fields
    plans = [label for _, label in fields["plan"].choices]
    assert {"Growth (growth_eur, EUR)", "Growth (growth_usd, USD)"} <= set(plans)
    assert len(plans) == len(set(plans)) == Plan.objects.filter(deleted_at__isnull=True).count() + 1
    choices = dict(fields["compare"].choices)
    assert choices["growth_eur"] == "Growth (growth_eur, EUR, version 1)"
    assert choices["growth_usd"] == "Growth (growth_usd, USD, version 1)"
    assert len(set(choices.values())) == len(choices)


def test_a_subscription(finance: Client, company: Company) -> None:
    answer = finance.get(ADDRESS, {"subscription": company.subscriptions[0].pk, "months": 2})
    titles = [block.title for block in flat(answer.context["blocks"]) if isinstance(block, Table)]
    assert titles == ["Months", "Items", "On Growth EUR (growth_eur, EUR, version 1)"]


def test_the_file(finance: Client, company: Company) -> None:
    answer = finance.get(ADDRESS, asked(company, format="csv"))
    assert answer["Content-Disposition"] == 'attachment; filename="simulation.csv"'
    rows = list(csv.DictReader(answer.content.decode().splitlines()))
    assert {row["side"] for row in rows} == {"own", "other"}
    assert {row["customer"] for row in rows} == {"cust_001", "cust_002", "cust_003", "cust_004"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"plan": ""}, "Say whom to simulate"),
        ({"months": "0"}, "greater than or equal to 1"),
        ({"usage": "requests"}, "cannot be read"),
        ({"usage": "gone=1"}, "There is no billable metric gone."),
        ({"subscription": "999999"}, "There is no such subscription."),
        ({"compare": "nothing"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_asked_for(finance: Client, company: Company, values: dict[str, str], said: str) -> None:
    answer = finance.get(ADDRESS, asked(company, **values))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert finance.get(ADDRESS, asked(company, format="csv", **values))["Content-Type"].startswith("text/html")


def test_too_much_points_to_the_command(finance: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "MAX_WINDOWS", 1)
    answer = finance.get(ADDRESS, asked(company))
    assert "manage.py simulate" in answer.content.decode()


def test_nothing_ran(finance: Client, company: Company) -> None:
    plan = Plan.objects.get(code="growth_usd")
    company.subscriptions[-1].__class__.objects.filter(plan_version__plan=plan).update(
        started_at=None, status="pending"
    )
    answer = finance.get(ADDRESS, {"plan": plan.pk, "months": 1})
    assert [block.text for block in answer.context["blocks"] if isinstance(block, Note)] == [
        "No contract ran in this time."
    ]


def test_rights(company: Company) -> None:
    assert signed_in("Nobody").get(ADDRESS).status_code == 403
    assert signed_in("Engineer").get(ADDRESS).status_code == 200
    assert signed_in("Superuser").post(ADDRESS).status_code == 405
