"""Which terms of a charge go together: in advance, alone, gathered, by the day, with a minimum."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.domain import charge_terms
from catalog.domain.charge_terms import Terms, TermsDisagree
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.models import ChargeModel

COUNT = {"aggregation": Aggregation.COUNT, "is_recurring": False, "model": "standard"}
SEATS = {"aggregation": Aggregation.SUM, "is_recurring": True, "model": "standard"}
AGREED: dict[str, dict[str, Any]] = {
    "in arrears": {},
    "in advance, on an invoice": {"pay_in_advance": True},
    "in advance, alone": {"pay_in_advance": True, "invoiceable": False},
    "in advance, alone, gathered": {"pay_in_advance": True, "invoiceable": False, "regroup_paid_fees": "invoice"},
    "a minimum in arrears": {"min_amount_cents": 100},
    "no minimum in advance": {"pay_in_advance": True, "min_amount_cents": 0},
    "tiers in advance": {"pay_in_advance": True, "model": "graduated"},
    "packages in advance": {"pay_in_advance": True, "model": "package"},
    "percent in advance": {"pay_in_advance": True, "model": "percentage"},
    "percent in tiers in advance": {"pay_in_advance": True, "model": "graduated_percentage"},
    "as the events say, in advance": {"pay_in_advance": True, "model": "dynamic", "aggregation": Aggregation.SUM},
    "values in advance": {"pay_in_advance": True, "aggregation": Aggregation.UNIQUE_COUNT},
    "by the day": {**SEATS, "prorated": True},
    "by the day in tiers": {**SEATS, "prorated": True, "model": "graduated"},
    "by the day by volume": {**SEATS, "prorated": True, "model": "volume"},
    "by the day in advance": {**SEATS, "prorated": True, "pay_in_advance": True},
}
UNSOLD = "invalid_aggregation_type_or_charge_model"
NO_DAYS = "invalid_billable_metric_or_charge_model"
ALONE_ONLY = "only_compatible_with_pay_in_advance_and_non_invoiceable"


@pytest.mark.parametrize("changes", AGREED.values(), ids=AGREED)
def test_terms_that_go_together(changes: dict[str, Any]) -> None:
    terms = Terms(**{**COUNT, **changes})
    assert charge_terms.check(terms) is None


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"pay_in_advance": True, "model": "volume"}, {"pay_in_advance": UNSOLD}),
        ({"pay_in_advance": True, "aggregation": Aggregation.MAX}, {"pay_in_advance": UNSOLD}),
        ({"pay_in_advance": True, "aggregation": Aggregation.LATEST}, {"pay_in_advance": UNSOLD}),
        ({"pay_in_advance": True, "aggregation": Aggregation.WEIGHTED_SUM}, {"pay_in_advance": UNSOLD}),
        ({"prorated": True}, {"prorated": NO_DAYS}),
        ({**SEATS, "prorated": True, "model": "package"}, {"prorated": NO_DAYS}),
        ({**SEATS, "prorated": True, "pay_in_advance": True, "model": "graduated"}, {"prorated": NO_DAYS}),
        (
            {**SEATS, "prorated": True, "pay_in_advance": True, "model": "volume"},
            {"pay_in_advance": UNSOLD, "prorated": NO_DAYS},
        ),
        ({**SEATS, "prorated": True, "aggregation": Aggregation.WEIGHTED_SUM}, {"prorated": NO_DAYS}),
        ({"invoiceable": False}, {"invoiceable": "must_be_true_unless_pay_in_advance"}),
        ({"regroup_paid_fees": "invoice"}, {"regroup_paid_fees": ALONE_ONLY}),
        ({"regroup_paid_fees": "invoice", "pay_in_advance": True}, {"regroup_paid_fees": ALONE_ONLY}),
        (
            {"regroup_paid_fees": "invoice", "invoiceable": False},
            {"invoiceable": "must_be_true_unless_pay_in_advance", "regroup_paid_fees": ALONE_ONLY},
        ),
        (
            {"regroup_paid_fees": "daily", "pay_in_advance": True, "invoiceable": False},
            {"regroup_paid_fees": "value_is_invalid"},
        ),
        (
            {"pay_in_advance": True, "min_amount_cents": 1},
            {"min_amount_cents": "not_compatible_with_pay_in_advance"},
        ),
    ],
)
def test_terms_that_do_not(changes: dict[str, Any], details: dict[str, str]) -> None:
    with pytest.raises(TermsDisagree) as refusal:
        charge_terms.check(Terms(**{**COUNT, **changes}))
    assert refusal.value.details == {field: [code] for field, code in details.items()}


def test_what_can_be_billed_event_by_event() -> None:
    found = {
        (str(aggregation), str(model))
        for aggregation in Aggregation
        for model in ChargeModel
        if charge_terms.can_pay_in_advance(model=model, aggregation=aggregation)
    }
    kinds = ("count_agg", "sum_agg", "unique_count_agg")
    models = ("standard", "graduated", "package", "percentage", "graduated_percentage", "dynamic")
    assert found == {(kind, model) for kind in kinds for model in models}
