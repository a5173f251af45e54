"""The invented companies: numbers with right check digits, drawings that survive cleaning, no two alike."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from stdnum import bic, iban
from stdnum.de import vat as german_vat
from stdnum.gb import vat as british_vat
from stdnum.us import rtn

from catalog.domain.pricing import properties
from config.demo import buyers, price_list, sellers
from customers.domain import profiles, tax_ids
from invoicing.domain import document_logos

ACCOUNTS = [f"acct_{number:012x}" for number in range(40)]


def test_numbers_of_the_sellers_have_right_check_digits():
    assert german_vat.is_valid(sellers.EUROPE.values["tax_identification_number"])
    assert british_vat.is_valid(sellers.BRITAIN.values["tax_identification_number"])
    for seller in (sellers.EUROPE, sellers.BRITAIN):
        assert iban.is_valid(seller.letterhead["iban"])
        assert bic.is_valid(seller.letterhead["bic"])
    assert rtn.is_valid(sellers.AMERICA.letterhead["bic"])


@pytest.mark.parametrize("seller", sellers.SELLERS, ids=lambda seller: seller.code)
def test_logo_is_a_drawing_that_documents_show(seller):
    assert "Tidehaven" in document_logos.clean(seller.logo())


def test_every_buyer_is_another_company_with_a_right_vat_number():
    found = buyers.all_of(ACCOUNTS)

    assert len({buyer.customer["name"] for buyer in found}) == 41
    emails = [buyer.customer["email"] for buyer in found if "email" in buyer.customer]
    assert len(set(emails)) == 40
    assert all(email.endswith(".example") for email in emails)  # nobody can be reached there
    for buyer in found:
        number = buyer.customer.get("tax_identification_number", "")
        assert not tax_ids.warning(number=number, country=buyer.customer["country"])
        assert bool(number) == (
            buyer.customer["country"] in {"DE", "AT", "FR", "GB"} and buyer.external_id != "community"
        )
        assert not profiles.check(buyer.customer)


def test_buyers_spread_over_currencies_plans_and_languages():
    found = buyers.all_of(ACCOUNTS)

    assert Counter(buyer.customer["currency"] for buyer in found) == {"EUR": 15, "USD": 13, "GBP": 13}
    languages = {buyer.customer["billing_configuration"]["document_locale"] for buyer in found}
    assert languages == {"de", "en", "fr"}
    assert len({buyer.plan_code for buyer in found}) == 10
    assert found[-1].plan_code == price_list.FREE_PLAN
    own_terms = {buyer.seller.code for buyer in found if "net_payment_term" in buyer.customer}
    assert len(own_terms) >= 2


def test_subscription_starts_at_the_sellers_midnight():
    # 1 May in New York begins at 04:00 UTC: started at midnight UTC, a day of April would be billed too.
    (first, second, *_) = buyers.all_of(ACCOUNTS)

    assert first.subscription(date(2026, 5, 1))["subscription_at"] == "2026-04-30T22:00:00Z"
    assert second.subscription(date(2026, 5, 1))["subscription_at"] == "2026-05-01T04:00:00Z"
    assert second.subscription(date(2026, 5, 1))["backdated_billing"] == "bill"


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2026, 6, 1, 3, 59, tzinfo=UTC), date(2026, 4, 1)),  # still 31 May in New York
        (datetime(2026, 6, 1, 4, 0, tzinfo=UTC), date(2026, 5, 1)),
        (datetime(2026, 1, 15, 0, 0, tzinfo=UTC), date(2025, 12, 1)),
    ],
)
def test_last_full_month_is_over_for_every_seller(at, month):
    assert sellers.last_full_month(at) == month


def test_prices_are_what_the_catalogue_accepts():
    ids = {metric["code"]: metric["code"] for metric in price_list.METRICS}
    plans = price_list.plans(ids)

    assert len(plans) == 10
    charges = [charge for plan in plans for charge in plan["charges"]]
    for charge in charges:
        assert properties.parse(model=charge["charge_model"], raw=charge["properties"])
    assert {charge["charge_model"] for charge in charges} == {"standard", "graduated", "volume", "package"}
    assert {metric["event_code"] for metric in price_list.METRICS} == {"requests"}
