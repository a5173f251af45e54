"""What a voided invoice gives back, and what may be disputed: sums that come out to the cent."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from moneyed import Money

from config.kernel import errors
from invoicing.domain import disputes, voids
from invoicing.domain.voids import Settled


def eur(cents: int) -> Money:
    return Money(Decimal(cents) / 100, "EUR")


AMOUNT = some.integers(0, 10_000)


@settings(max_examples=200)
@given(gross=some.integers(0, 40_000), parts=some.tuples(*[AMOUNT] * 6), keeps=some.booleans(), due=some.integers(0, 5))
def test_nothing_is_owed_of_a_voided_invoice(gross: int, parts: tuple[int, ...], *, keeps: bool, due: int) -> None:
    offset, credited, paid, used, prepaid, wallet = parts
    # No more is taken off an invoice than it comes to, and no more credited than was billed.
    gross = max(gross, offset + paid + used + prepaid + wallet, offset + credited)
    settled = Settled(eur(gross), eur(offset), eur(credited), eur(paid), eur(used), eur(prepaid), eur(wallet))

    found = voids.given(settled, keeps_wallet=keeps)

    owed = settled.gross - settled.offset - settled.paid - settled.credits - settled.prepaid - settled.wallet
    back = found.held + found.credits + found.prepaid + found.wallet
    assert owed + back - found.reversed - found.written_off == eur(0)
    assert found.held <= settled.paid
    assert found.credits <= settled.credits
    assert found.prepaid <= settled.prepaid
    assert found.wallet <= (eur(0) if keeps else settled.wallet)
    back_or_kept = (found.held, found.credits, found.prepaid, found.wallet, found.kept)
    assert min(*back_or_kept, found.written_off, found.reversed) >= eur(0)
    assert not (found.written_off and any(back_or_kept))


@pytest.mark.parametrize(
    ("credit", "refund", "code"),
    [
        (5000, 5001, "total_amount_exceeds_invoice_amount"),
        (0, 3001, "exceeds_remaining_amount"),
        (-1, 0, "invalid_value"),
    ],
)
def test_what_a_credit_note_in_its_place_cannot_give(credit: int, refund: int, code: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        voids.demand_parts(credit=eur(credit), refund=eur(refund), creditable=eur(10000), refundable=eur(3000))
    assert refused.value.code == code


def test_all_of_it_may_be_given() -> None:
    voids.demand_parts(credit=eur(7000), refund=eur(3000), creditable=eur(10000), refundable=eur(3000))
    with pytest.raises(errors.Invalid):
        voids.demand_parts(credit=Money("0.001", "EUR"), refund=eur(0), creditable=eur(1), refundable=eur(1))


@settings(max_examples=100)
@given(due=AMOUNT, standing=some.lists(some.integers(1, 5000), max_size=5))
def test_the_oldest_dispute_is_settled_first(due: int, standing: list[int]) -> None:
    open_ones = [eur(amount) for amount in standing]

    found = disputes.settled(due=eur(due), standing=open_ones)

    left = [before - part for before, part in zip(open_ones, found, strict=True)]
    assert sum(left, eur(0)) == min(sum(open_ones, eur(0)), eur(due))
    first = next((number for number, amount in enumerate(left) if amount), len(left))
    assert found[first + 1 :] == [eur(0)] * len(found[first + 1 :])
