"""The sample's documents and money, played on an installation: coupons, a wallet, what is invoiced by hand, voided and
disputed. The books hold after all of it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.management import call_command

from config import environment
from config.demo import buyers, loading, mended, money_sights, offers, workspaces
from config.demo.api import Api
from config.kernel import jobs
from customers.services import billing_entities
from tests.scenarios.conftest import AT

pytestmark = pytest.mark.django_db

PEOPLE = buyers.all_of([f"acct_{number:012x}" for number in range(40)])
RANKS = (
    offers.PARTNER_RANK,
    offers.LAUNCH_RANK,
    offers.BUILDER_RANK,
    offers.WALLET_RANK,
    offers.TEXT_RANK,
    mended.ONE_OFF_RANK,
    mended.BUYS_RANK,
    mended.VOIDED_RANK,
    mended.DISPUTED_RANK,
)


def play(api: Api) -> None:
    """Play as the tour does, with workspaces instead of the hosting."""
    loading.customers(api, [PEOPLE[rank].customer for rank in RANKS], step=lambda: None)
    offers.make(api, PEOPLE)
    loading.add_subscriptions(api, [_workspace(rank) for rank in RANKS])
    jobs.run("billing", as_of=AT)
    mended.make(api, PEOPLE, month=date(AT.year, AT.month, 1))


def _workspace(rank: int) -> dict[str, Any]:
    buyer = PEOPLE[rank]
    return {
        "external_customer_id": buyer.external_id,
        "external_id": workspaces.subscription_id(buyer.external_id),
        "plan_code": workspaces.plan_code(workspaces.BASIC, buyer.seller.currency),
    }


def invoices(api: Api, rank: int, **filters: str) -> list[dict[str, Any]]:
    """Return the invoices of a customer, oldest first."""
    return list(api.rows("invoices", external_customer_id=PEOPLE[rank].external_id, **filters))[::-1]


def test_documents_and_money_end_as_they_are_meant_to(api: Api) -> None:
    billing_entities.ensure_default(at=AT)
    loading.catalogue(api)
    for _ in range(2):  # again, nothing more
        play(api)

    (partner,) = invoices(api, offers.PARTNER_RANK)
    assert partner["coupons_amount_cents"] == round(partner["fees_amount_cents"] / 10)
    (launch,) = invoices(api, offers.LAUNCH_RANK)
    assert (launch["coupons_amount_cents"], launch["total_amount_cents"]) == (launch["fees_amount_cents"], 0)
    (builder,) = invoices(api, offers.BUILDER_RANK)
    assert builder["coupons_amount_cents"] == 0  # no build minutes on it
    (prepaid,) = invoices(api, offers.WALLET_RANK)
    assert prepaid["prepaid_credit_amount_cents"] == min(
        2_500, prepaid["fees_amount_cents"] + prepaid["taxes_amount_cents"]
    )
    (told,) = invoices(api, offers.TEXT_RANK)
    shown = api.find("invoices", told["lago_id"])["invoice"]["applied_invoice_custom_sections"]
    assert [section["code"] for section in shown] == [offers.TEXT["code"]]

    # 4 × 90.00 and 2 × 25.00, with 19 %
    (by_hand,) = invoices(api, mended.ONE_OFF_RANK, invoice_type="one_off")
    assert (by_hand["fees_amount_cents"], by_hand["total_amount_cents"]) == (41_000, 48_790)
    (wallet,) = api.rows("wallets", external_customer_id=PEOPLE[mended.BUYS_RANK].external_id)
    assert wallet["balance_cents"] == 22_000  # 200.00 bought and paid, 20.00 given
    before, anew = invoices(api, mended.VOIDED_RANK)
    assert (before["status"], anew["status"]) == ("voided", "finalized")
    assert anew["voided_invoice_id"] == before["lago_id"]
    assert anew["total_amount_cents"] == before["total_amount_cents"]
    (disputed,) = invoices(api, mended.DISPUTED_RANK)
    assert len(list(api.rows(f"invoices/{disputed['lago_id']}/disputes"))) == 1

    call_command("check_books", sample=0, verbosity=0)  # ends the process where a check does not hold

    pages = money_sights.pages(PEOPLE)
    assert len({path for _, path, _ in pages}) == len(pages) == 10
    assert all((environment.BASE_DIR / f"docs/{guide}.md").is_file() for *_, guide in pages)
