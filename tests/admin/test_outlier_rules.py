"""Outlier rules in the admin: each is a sentence, what says nothing is refused, the usual ones come back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import OutlierRule
from billing.services import outlier_rules

pytestmark = pytest.mark.django_db


def url(name: str, row: Any) -> str:
    return reverse(f"admin:billing_outlierrule_{name}", args=[row.pk])


def text(client: Client, address: str) -> str:
    return str(client.get(address).content.decode())


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"kind": "times_more", "times": "2.5"}, "More than 2.5 times last period"),
        ({"kind": "times_less", "percent": "25"}, "Less than 25% of last period"),
        ({"kind": "off_contract", "percent": "10"}, "More than 10% off the agreed recurring value"),
        ({"kind": "above_amount", "amount": "10000", "currency": "JPY"}, "Above ¥10,000 before tax"),
        ({"kind": "negative"}, "Negative"),
    ],
)
def test_a_rule_is_a_sentence(finance: Client, values: dict[str, str], says: str) -> None:
    added = finance.post(reverse("admin:billing_outlierrule_add"), {**values, "is_active": "on"})
    assert added.status_code == 302, added.context["form"].errors
    row = OutlierRule.objects.order_by("-pk")[0]
    assert row.name == says
    assert says in text(finance, url("change", row))
    edit = finance.get(url("edit", row)).context["form"].initial
    again = {name: value for name, value in edit.items() if value not in (None, "")} | {"is_active": ""}
    assert finance.post(url("edit", row), again).status_code == 302
    row.refresh_from_db()
    assert (row.is_active, row.name) == (False, says)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "times_more"}, "times"),
        ({"kind": "times_less"}, "percent"),
        ({"kind": "above_amount", "currency": "EUR"}, "amount"),
        ({"kind": "above_amount", "amount": "5"}, "currency"),
        ({"kind": "above_amount", "amount": "5.001", "currency": "EUR"}, "amount"),
        ({"kind": "moon"}, "kind"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(finance: Client, values: dict[str, str], field: str) -> None:
    before = OutlierRule.objects.count()
    assert finance.post(reverse("admin:billing_outlierrule_add"), values).context["form"].errors[field]
    assert OutlierRule.objects.count() == before


def test_the_usual_rules_come_back(finance: Client) -> None:
    OutlierRule.objects.all().delete()
    page = text(finance, "/admin/billing/outlierrule/")
    assert "No rule flags anything" in page
    assert "Add the usual rules" in page
    defaults = reverse("admin:billing_outlierrule_defaults")
    finance.post(defaults)
    finance.post(defaults)
    assert OutlierRule.objects.count() == len(outlier_rules.DEFAULTS)
    row = OutlierRule.objects.order_by("pk")[0]
    finance.post(url("remove", row))
    assert OutlierRule.objects.count() == len(outlier_rules.DEFAULTS) - 1
