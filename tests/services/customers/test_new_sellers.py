"""What a new seller has from the beginning."""

from __future__ import annotations

import pytest

from customers.models import BillingEntity
from customers.services import billing_entities
from invoicing.domain import accounts
from invoicing.models import LedgerAccount, LedgerMapping
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


def chart(seller: BillingEntity) -> set[tuple[str, str]]:
    return set(LedgerAccount.objects.filter(billing_entity=seller).values_list("code", "role"))


def test_it_has_the_usual_chart_of_accounts_and_keeps_it() -> None:
    default = billing_entities.ensure_default(at=make.AT)
    other = billing_entities.create(values={"code": "nordic", "name": "Nordic"}, actor=make.ACTOR, at=make.AT)
    billing_entities.update(code="nordic", values={"name": "Nord"}, actor=make.ACTOR, at=make.AT)

    usual = {(opening.code, opening.role) for opening in accounts.CHART}
    assert chart(default) == chart(other) == usual
    assert LedgerMapping.objects.filter(billing_entity=other).count() == len(usual)
