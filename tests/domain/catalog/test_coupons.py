"""What a coupon may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from catalog.domain import coupons

AT = datetime(2026, 1, 1, tzinfo=UTC)
TEN: dict[str, Any] = {
    "kind": "fixed_amount",
    "amount": Money(10, "EUR"),
    "rate": None,
    "frequency": "once",
    "frequency_duration": None,
}
HALF = {**TEN, "kind": "percentage", "amount": None, "rate": Decimal("0.5")}


@pytest.mark.parametrize(
    ("terms", "details"),
    [
        (TEN, {}),
        (HALF, {}),
        ({**HALF, "rate": Decimal(1)}, {}),
        ({**TEN, "frequency": "forever", "frequency_duration": 3}, {}),
        ({**TEN, "frequency": "recurring", "frequency_duration": 1}, {}),
        ({**TEN, "amount": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({**TEN, "amount": Money(0, "EUR")}, {"amount_cents": ["value_is_out_of_range"]}),
        ({**TEN, "rate": Decimal("0.1")}, {"percentage_rate": ["coupon_type_does_not_match"]}),
        ({**HALF, "rate": None}, {"percentage_rate": ["value_is_mandatory"]}),
        ({**HALF, "rate": Decimal("1.001")}, {"percentage_rate": ["value_is_out_of_range"]}),
        ({**HALF, "rate": Decimal(0)}, {"percentage_rate": ["value_is_out_of_range"]}),
        ({**HALF, "amount": Money(1, "EUR")}, {"amount_cents": ["coupon_type_does_not_match"]}),
        ({**HALF, "frequency": "recurring"}, {"frequency_duration": ["value_is_mandatory"]}),
        (
            {**HALF, "frequency": "recurring", "frequency_duration": 0},
            {"frequency_duration": ["value_is_out_of_range"]},
        ),
    ],
)
def test_terms(terms: dict[str, Any], details: dict[str, list[str]]) -> None:
    assert coupons.check_terms(**terms) == details


def test_an_end_lies_ahead() -> None:
    assert coupons.check_expiry(expires_at=None, at=AT) == {}
    assert coupons.check_expiry(expires_at=AT + timedelta(seconds=1), at=AT) == {}
    assert coupons.check_expiry(expires_at=AT, at=AT) == {"expiration_at": ["invalid_date"]}
