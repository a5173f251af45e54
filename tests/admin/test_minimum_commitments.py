"""Minimum commitments in the plan's form and on its page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from catalog.models import MinimumCommitment, PlanVersion, Tax
from tests.factories import catalog

PLAN = {"name": "Team", "code": "team", "interval": "monthly", "amount": "29.00", "currency": "EUR"}
COMMITMENT = {"commitment_amount": "500", "commitment_name": "Annual deal"}


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["form"].errors)


def current() -> PlanVersion:
    return PlanVersion.objects.get(plan__code="team", is_current=True)


def test_a_plan_gets_one_keeps_it_and_loses_it(finance: Client) -> None:
    tax = Tax.objects.filter(deleted_at__isnull=True).first() or catalog.make_tax()
    made = finance.post("/admin/catalog/plan/create/", {**PLAN, **COMMITMENT, "commitment_taxes": [tax.pk]})
    row = MinimumCommitment.objects.get()
    assert (row.amount_cents, row.invoice_display_name, list(row.taxes.all())) == (50000, "Annual deal", [tax])
    assert "€500.00 per month, as Annual deal" in finance.get(made.url).content.decode()

    page = f"/admin/catalog/plan/{current().plan_id}/edit/"
    shown = finance.get(page).context["form"].initial
    assert (shown["commitment_amount"], shown["commitment_taxes"]) == (Decimal(500), [tax])
    same = {"name": "Team", "amount": "29.00", **COMMITMENT, "commitment_taxes": [tax.pk]}
    finance.post(page, same)
    assert PlanVersion.objects.filter(plan__code="team").count() == 1

    finance.post(page, {**same, "commitment_amount": ""})
    assert current().number == 2
    assert current().commitment is None


@pytest.mark.parametrize("amount", ["-1", "9.999", "many"])
def test_a_wrong_one_is_refused_beside_its_field(finance: Client, amount: str) -> None:
    answer = finance.post("/admin/catalog/plan/create/", {**PLAN, "commitment_amount": amount})
    assert list(errors(answer)) == ["commitment_amount"]
    assert not MinimumCommitment.objects.exists()


def test_a_plan_without_one_says_so(finance: Client) -> None:
    made = finance.post("/admin/catalog/plan/create/", {**PLAN, "commitment_amount": "0"})
    assert not MinimumCommitment.objects.exists()
    assert finance.get(made.url).status_code == 200
