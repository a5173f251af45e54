"""Terms of quotes as JSON: what goes in comes out, and what cannot be read is named by its path."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import quote_terms
from billing.domain.quote_terms import InvalidTerms, QuoteTerms

FULL: dict[str, Any] = {
    "starts_on": "2026-03-01",
    "term_months": 24,
    "renewal": "automatic",
    "notice_days": 30,
    "uplift_rate": "0.05",
    "items": [
        {
            "external_id": "a",
            "phases": [
                {
                    "plan_code": "p",
                    "units": {"seat": "10.50"},
                    "overrides": {"amount_cents": 5, "charges": [{"id": "x"}]},
                },
                {"plan_code": "p", "after_months": 6, "discount_rate": "0.25", "discount_scope": "all"},
            ],
        }
    ],
    "commitments": [{"amount_cents": 100}],
    "one_offs": [{"add_on_code": "setup", "unit_amount_cents": 5}],
    "coupons": [{"coupon_code": "c", "percentage_rate": "0.1"}],
    "credits": [{"paid_credits": "10", "rate_amount": "0.5"}],
    "changes": [{"kind": "change_terms", "external_id": "a", "phases": [{"units": {"seat": 3}}]}],
}


def test_terms_come_back_as_they_were_written() -> None:
    terms = quote_terms.read(FULL)

    assert quote_terms.read(quote_terms.written(terms)) == terms
    assert quote_terms.written(terms)["items"][0]["phases"][0]["units"] == {"seat": "10.5"}
    assert quote_terms.read({}) == QuoteTerms()
    assert quote_terms.read({"unknown": 1}) == QuoteTerms()


def test_the_digest_is_of_what_is_said_not_of_how() -> None:
    first = quote_terms.read(
        {"uplift_rate": "0.10", "items": [{"phases": [{"plan_code": "p", "units": {"b": 1, "a": 2}}]}]}
    )
    second = quote_terms.read(
        {"items": [{"phases": [{"units": {"a": "2.0", "b": "1"}, "plan_code": "p"}]}], "uplift_rate": "0.1"}
    )

    assert quote_terms.digest(first) == quote_terms.digest(second)
    assert quote_terms.digest(first) != quote_terms.digest(quote_terms.read({}))
    assert len(quote_terms.digest(first)) == 64


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        (None, "terms", "invalid_type"),
        ([], "terms", "invalid_type"),
        ({"items": {}}, "items", "invalid_type"),
        ({"items": [None]}, "items.0", "invalid_type"),
        ({"items": [{}] * 101}, "items", "invalid_count"),
        ({"items": [{"phases": [{}]}]}, "items.0.phases.0.plan_code", "value_is_mandatory"),
        ({"items": [{"phases": [{"plan_code": 7}]}]}, "items.0.phases.0.plan_code", "invalid_type"),
        ({"term_months": 0}, "term_months", "value_is_out_of_range"),
        ({"term_months": 10**30}, "term_months", "value_is_out_of_range"),
        ({"term_months": True}, "term_months", "invalid_type"),
        ({"term_months": "12"}, "term_months", "invalid_type"),
        ({"notice_days": None}, "notice_days", "value_is_mandatory"),
        ({"uplift_rate": "NaN"}, "uplift_rate", "invalid_value"),
        ({"uplift_rate": "1e9"}, "uplift_rate", "invalid_value"),
        ({"uplift_rate": None}, "uplift_rate", "value_is_mandatory"),
        ({"uplift_rate": "-1"}, "uplift_rate", "value_is_out_of_range"),
        ({"starts_on": "2026-02-30"}, "starts_on", "invalid_date"),
        ({"starts_on": "9999-01-01"}, "starts_on", "invalid_date"),
        ({"starts_on": 5}, "starts_on", "invalid_date"),
        ({"renewal": "maybe"}, "renewal", "invalid_value"),
        ({"terms_text": "a\x00b"}, "terms_text", "invalid_type"),
        ({"purchase_order_number": "x" * 256}, "purchase_order_number", "value_is_too_long"),
        (
            {"items": [{"phases": [{"plan_code": "p", "units": {"s": "-1"}}]}]},
            "items.0.phases.0.units.s",
            "value_is_out_of_range",
        ),
        (
            {"items": [{"phases": [{"plan_code": "p", "units": {"s": 1.5}}]}]},
            "items.0.phases.0.units.s",
            "invalid_value",
        ),
        (
            {"items": [{"phases": [{"plan_code": "p", "discount_rate": "1.01"}]}]},
            "items.0.phases.0.discount_rate",
            "value_is_out_of_range",
        ),
        ({"items": [{"phases": [{"plan_code": "p", "overrides": []}]}]}, "items.0.phases.0.overrides", "invalid_type"),
        (
            {"items": [{"phases": [{"plan_code": "p", "overrides": {"x": 10**20}}]}]},
            "items.0.phases.0.overrides",
            "invalid_value",
        ),
        ({"commitments": [{}]}, "commitments.0.amount_cents", "value_is_mandatory"),
        ({"commitments": [{"amount_cents": 0}]}, "commitments.0.amount_cents", "value_is_out_of_range"),
        (
            {"coupons": [{"coupon_code": "c", "percentage_rate": "0"}]},
            "coupons.0.percentage_rate",
            "value_is_out_of_range",
        ),
        ({"credits": [{"rate_amount": "0"}]}, "credits.0.rate_amount", "value_is_out_of_range"),
        ({"changes": [{"kind": "explode"}]}, "changes.0.kind", "invalid_value"),
        (
            {"changes": [{"kind": "change_commitment", "commitment_id": "x"}]},
            "changes.0.commitment_id",
            "invalid_value",
        ),
    ],
)
def test_what_cannot_be_read_is_named(data: Any, path: str, code: str) -> None:
    with pytest.raises(InvalidTerms) as refused:
        quote_terms.read(data)

    assert refused.value.details[path] == [code]


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["2026-01-01", "0.5"])
)
_KEYS = st.sampled_from(
    [*FULL, "plan_code", "phases", "units", "overrides", "kind", "amount_cents", "external_id", "commitment"]
)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=20
)


@settings(max_examples=200, deadline=None)
@given(_JSON)
def test_whatever_comes_is_read_or_refused(data: Any) -> None:
    try:
        terms = quote_terms.read(data)
    except InvalidTerms:
        return
    assert quote_terms.read(quote_terms.written(terms)) == terms
    assert quote_terms.digest(terms) == quote_terms.digest(quote_terms.read(quote_terms.written(terms)))


@given(st.decimals(min_value=0, max_value=1, places=8, allow_nan=False))
def test_discounts_keep_their_digits(rate: Decimal) -> None:
    terms = quote_terms.read({"items": [{"phases": [{"plan_code": "p", "discount_rate": rate}]}]})

    assert quote_terms.read(quote_terms.written(terms)).items[0].phases[0].discount_rate == rate
