"""What wallets refuse: credits that cannot be bought, given or voided, and terms that cannot be."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from config.kernel import errors
from customers.models import Customer
from invoicing.models import Invoice, Wallet, WalletTransaction
from invoicing.services import wallet_notes, wallets
from tests.factories import invoicing as make
from tests.factories import wallets as purses

pytestmark = pytest.mark.django_db


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")]), currency="EUR")


def refused(call: Callable[[], object]) -> dict[str, list[str]]:
    with pytest.raises(errors.DomainError) as caught:
        call()
    return caught.value.details or {"": [caught.value.code]}


LIMITS = {"paid_top_up_min_amount_cents": 1000, "paid_top_up_max_amount_cents": 5000}


@pytest.mark.parametrize(
    ("asked", "details"),
    [
        ({}, {"base": ["invalid_amount"]}),
        ({"paid_credits": "-1"}, {"paid_credits": ["invalid_paid_credits"]}),
        ({"granted_credits": "-1"}, {"granted_credits": ["invalid_granted_credits"]}),
        ({"voided_credits": "-1"}, {"voided_credits": ["invalid_voided_credits"]}),
        ({"granted_credits": "0.001"}, {"granted_credits": ["amount_rounds_to_zero"]}),
        ({"voided_credits": "20.01"}, {"voided_credits": ["insufficient_credits"]}),
        ({"paid_credits": "9.99"}, {"paid_credits": ["amount_below_minimum"]}),
        ({"paid_credits": "50.01"}, {"paid_credits": ["amount_above_maximum"]}),
        ({"paid_credits": "10", "metadata": [{"key": "a", "value": "b"}] * 2}, {"metadata": ["value_already_exist"]}),
    ],
)
def test_what_cannot_be_asked_for(customer: Customer, asked: dict[str, Any], details: dict[str, list[str]]) -> None:
    wallet = purses.make_wallet(customer, **LIMITS)
    purses.give(wallet, "20")
    before = WalletTransaction.objects.count()
    wanted = {name: Decimal(value) if isinstance(value, str) else value for name, value in asked.items()}

    assert refused(lambda: purses.top_up(wallet, **wanted)) == details
    assert (WalletTransaction.objects.count(), Invoice.objects.count()) == (before, 0)


def test_limits_can_be_ignored_and_one_grant_be_voided(customer: Customer) -> None:
    wallet = purses.make_wallet(customer, **LIMITS)
    given, other = purses.give(wallet, "20"), purses.give(wallet, "20")
    [bought] = purses.top_up(wallet, paid_credits=Decimal(1), ignore_paid_top_up_limits=True)

    purses.top_up(wallet, voided_credits=Decimal(15), voided_transaction_uuid=other.uuid)

    given.refresh_from_db()
    other.refresh_from_db()
    assert (bought.amount, given.remaining_amount, other.remaining_amount) == (eur("1"), eur("20"), eur("5"))
    too_much = {"voided_credits": Decimal(6), "voided_transaction_uuid": other.uuid}
    assert refused(lambda: purses.top_up(wallet, **too_much)) == {
        "voided_transaction_id": ["exceeds_remaining_transaction_amount"]
    }


@pytest.mark.parametrize(
    ("values", "details"),
    [
        ({"rate_amount": Decimal(0)}, {"rate_amount": ["invalid_rate"]}),
        ({"currency": "XXX"}, {"currency": ["invalid_currency"]}),
        ({"currency": "USD"}, {"currency": ["currencies_does_not_match"]}),
        ({"priority": 51}, {"priority": ["value_is_invalid"]}),
        ({"expiration_at": make.AT}, {"expiration_at": ["invalid_date"]}),
        ({"paid_top_up_min_amount_cents": 0}, {"paid_top_up_min_amount_cents": ["value_is_out_of_range"]}),
        (
            {"paid_top_up_min_amount_cents": 2, "paid_top_up_max_amount_cents": 1},
            {"paid_top_up_max_amount_cents": ["value_is_out_of_range"]},
        ),
        ({"fee_types": ["whim"]}, {"applies_to": ["invalid_fee_types"]}),
        ({"billable_metric_codes": ["whim"]}, {"applies_to": ["invalid_limitations"]}),
        ({"metadata": {"k": "v" * 256}}, {"metadata": ["value_is_too_long"]}),
        ({"code": "taken"}, {"code": ["value_already_exist"]}),
        ({"external_customer_id": "nobody"}, {"": ["customer_not_found"]}),
    ],
)
def test_wallets_that_cannot_be(customer: Customer, values: Any, details: dict[str, list[str]]) -> None:
    purses.make_wallet(customer, code="taken")

    given = {**purses.values(customer), **values}
    assert refused(lambda: wallets.create(values=given, actor=make.ACTOR, at=make.AT)) == details
    assert Wallet.objects.count() == 1


def test_a_customer_has_so_many_wallets(customer: Customer, settings: Any) -> None:
    settings.MAX_ACTIVE_WALLETS = 2
    names = [purses.make_wallet(customer, code="", name="My Wallet").code for _ in range(2)]

    assert names == ["my_wallet", "my_wallet_2"]
    assert refused(lambda: purses.make_wallet(customer)) == {"customer": ["wallet_limit_reached"]}
    wallets.terminate(wallet_id=Wallet.objects.order_by("pk")[0].pk, actor=make.ACTOR, at=make.AT)
    assert purses.make_wallet(customer, code="", name="My Wallet").code == "my_wallet"


def test_terms_and_notes_change(customer: Customer) -> None:
    wallet = purses.make_wallet(customer)

    changed = wallets.update(
        wallet_id=wallet.pk, values={"name": "New", "priority": 3, **LIMITS}, actor=make.ACTOR, at=make.AT
    )
    wallet_notes.merge(wallet_id=wallet.pk, notes={"a": "1", "b": "2"}, actor=make.ACTOR, at=make.AT)
    wallet_notes.remove(wallet_id=wallet.pk, key="a", actor=make.ACTOR, at=make.AT)

    wallet.refresh_from_db()
    assert (changed.name, wallet.priority, wallet.paid_top_up_min_amount) == ("New", 3, eur("10"))
    assert wallet.metadata == {"b": "2"}
    assert refused(lambda: wallet_notes.remove(wallet_id=wallet.pk, key="a", actor=make.ACTOR, at=make.AT)) == {
        "": ["metadata_not_found"]
    }
