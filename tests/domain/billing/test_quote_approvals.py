"""Which consents a version needs, and the sentences that say why; the tables of states."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain import quote_approvals, quote_completeness, quote_states, quote_terms
from billing.domain.quote_approvals import Facts, Rule, Subject
from billing.domain.quote_states import FormVerb, InvalidQuoteState, VersionVerb


def rule(subject: str, threshold: str, currency: str = "") -> Rule:
    """Return a rule."""
    return Rule(1, Subject(subject), Decimal(threshold), currency)


@pytest.mark.parametrize(
    ("said", "facts", "cause"),
    [
        (rule("discount_rate", "0.2"), {"discount_rate": Decimal("0.25")}, "discount of 25% is above 20%"),
        (
            rule("discount_rate", "0.125"),
            {"discount_rate": Decimal("0.33333333")},
            "discount of 33.333333% is above 12.5%",
        ),
        (rule("discount_rate", "0.2"), {"discount_rate": Decimal("0.20")}, ""),
        (rule("discount_rate", "0"), {"discount_rate": Decimal(0)}, ""),
        (  # prices that fall by 20 % with each renewal, after 10 % now: 0.9 × 0.8 = 0.72
            rule("discount_rate", "0.2"),
            {"discount_rate": Decimal("0.1"), "renewal_cut_rate": Decimal("0.2")},
            "discount of 28% with the 20% of each renewal is above 20%",
        ),
        (rule("discount_rate", "0.2"), {"renewal_cut_rate": Decimal("0.2")}, ""),
        (rule("term_months", "24"), {"term_months": 36}, "term of 36 months is above 24 months"),
        (rule("term_months", "36"), {"term_months": 36}, ""),
        (rule("payment_term_days", "30"), {"payment_term_days": 60}, "payment term of 60 days is above 30 days"),
        (
            rule("total_amount", "100000", "EUR"),
            {"total_amount": Decimal("120000.00")},
            "total of 120,000.00 EUR is above 100,000.00 EUR",
        ),
        (rule("total_amount", "100000", "USD"), {"total_amount": Decimal("120000.00")}, ""),
        (
            rule("free_credits", "0", "EUR"),
            {"free_credits": Decimal("7.5")},
            "credits worth 7.50 EUR given for nothing are above 0.00 EUR",
        ),
    ],
)
def test_rules_against_facts(said: Rule, facts: dict[str, Any], cause: str) -> None:
    found = quote_approvals.needed(rules=[said], facts=Facts(currency="EUR", **facts))

    assert [one.cause for one in found] == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("draft", {"change", "submit", "void"}),
        ("in_approval", {"approve", "void"}),
        ("approved", {"send", "accept", "accept late", "decline", "expire", "void"}),
        ("sent", {"send", "accept", "accept late", "decline", "expire", "void"}),
        ("accepted", set()),
        ("declined", set()),
        ("expired", {"accept late"}),
        ("voided", set()),
    ],
)
def test_what_a_version_allows(state: str, allowed: set[str]) -> None:
    found = set()
    for verb in VersionVerb:
        try:
            quote_states.version_after(state=state, verb=verb)
        except InvalidQuoteState:
            continue
        found.add(verb.value)

    assert found == allowed


@pytest.mark.parametrize("state", ["signed", "declined", "expired", "voided"])
def test_an_answered_order_form_stays(state: str) -> None:
    late = {FormVerb.SIGN_LATE} if state == "expired" else set()
    for verb in set(FormVerb) - late:
        with pytest.raises(InvalidQuoteState) as refused:
            quote_states.form_after(state=state, verb=verb)
        assert refused.value.code == f"order_form_is_{state}"


PHASE = {"plan_code": "p"}


@pytest.mark.parametrize(
    ("kind", "data", "wrong"),
    [
        ("new", {}, {"term_months", "items"}),
        ("new", {"term_months": 12, "items": [{}]}, {"items.0.phases"}),
        ("new", {"term_months": 12, "items": [{"phases": [PHASE, PHASE]}]}, {"items.0.phases.1.after_months"}),
        (
            "new",
            {"term_months": 12, "items": [{"phases": [{**PHASE, "after_months": 3}]}]},
            {"items.0.phases.0.after_months"},
        ),
        (
            "new",
            {"term_months": 12, "items": [{"starts_after_months": 6, "phases": [PHASE, {**PHASE, "after_months": 6}]}]},
            {"items.0.phases.1.after_months"},
        ),
        (
            "new",
            {"term_months": 12, "items": [{"external_id": "a", "phases": [PHASE]}] * 2},
            {"items.0.external_id", "items.1.external_id"},
        ),
        ("new", {"term_months": 12, "renewal": "automatic", "items": [{"phases": [PHASE]}]}, {"notice_days"}),
        (
            "new",
            {
                "term_months": 12,
                "items": [{"phases": [PHASE]}] * 2,
                "commitments": [{"kind": "period", "amount_cents": 1}],
            },
            {"commitments.0.external_id"},
        ),
        ("new", {"term_months": 12, "items": [{"phases": [PHASE]}], "changes": [{"kind": "extend_term"}]}, {"changes"}),
        ("one_off", {}, {"one_offs"}),
        (
            "one_off",
            {"items": [{"phases": [PHASE]}], "one_offs": [{"add_on_code": "a", "units": 0}]},
            {"items", "one_offs.0.units"},
        ),
        ("amendment", {}, {"changes"}),
        ("amendment", {"changes": [{"kind": "extend_term"}]}, {"changes.0.ends_on"}),
        ("amendment", {"changes": [{"kind": "remove_product"}]}, {"changes.0.external_id"}),
        ("amendment", {"changes": [{"kind": "change_terms", "external_id": "a"}]}, {"changes.0.phases"}),
        ("amendment", {"changes": [{"kind": "change_commitment"}]}, {"changes.0.commitment"}),
    ],
)
def test_what_is_missing_is_named(kind: str, data: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(quote_terms.InvalidTerms) as refused:
        quote_completeness.demand(kind=kind, terms=quote_terms.read(data))

    assert set(refused.value.details) == wrong


def test_whatever_day_it_is_accepted_on_it_can_be_made() -> None:
    changes = [{"kind": "extend_term", "ends_on": "2027-01-31", "effective_on": day} for day in ("2026-01-31", "")]
    terms = quote_terms.read({"changes": changes})
    quote_completeness.demand_days(terms=terms, valid_until=date(2026, 1, 31), ends_on=None)
    with pytest.raises(quote_terms.InvalidTerms) as refused:
        quote_completeness.demand_days(terms=terms, valid_until=date(2026, 2, 1), ends_on=None)
    assert set(refused.value.details) == {"changes.0.effective_on"}
    # A contract may begin before it is accepted, and is renewed while it runs.
    begun = quote_terms.read({"starts_on": "2025-12-01"})
    quote_completeness.demand_days(terms=begun, valid_until=date(2026, 1, 31), ends_on=date(2026, 1, 31))
    with pytest.raises(quote_terms.InvalidTerms) as refused:
        quote_completeness.demand_days(terms=begun, valid_until=date(2026, 2, 1), ends_on=date(2026, 1, 31))
    assert set(refused.value.details) == {"valid_until"}
