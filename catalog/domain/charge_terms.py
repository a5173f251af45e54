"""Which terms of a charge go together. Owns when usage may be billed event by event, and what only goes with that;
what the price itself must look like is the pricing's.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog.domain import recurring
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.models import ChargeModel
from config.kernel import errors

REGROUPED = "invoice"
"""How fees that were paid alone are gathered later; the empty text means that they are not."""

# What each event adds to. A highest or last value can be passed again, and a level needs the time that it stays.
_ADDS_UP = (Aggregation.COUNT, Aggregation.SUM, Aggregation.UNIQUE_COUNT)


@dataclass(frozen=True)
class Terms:
    """When and how a charge is billed. ``min_amount_cents`` are minor units of the plan's currency."""

    model: str
    aggregation: Aggregation
    is_recurring: bool
    pay_in_advance: bool = False
    invoiceable: bool = True
    regroup_paid_fees: str = ""
    prorated: bool = False
    min_amount_cents: int = 0


class TermsDisagree(errors.Invalid):
    """The terms of a charge do not go together."""


def can_pay_in_advance(*, model: str, aggregation: Aggregation) -> bool:
    """Say whether each event can be billed when it comes: what it adds is known, and no later event changes it.

    A volume price depends on the last unit of a period.
    """
    return aggregation in _ADDS_UP and model != ChargeModel.VOLUME


def check(terms: Terms) -> None:
    """Check that terms go together. Raises TermsDisagree with a code for each field that does not fit the others."""
    details: dict[str, list[str]] = {}
    if terms.pay_in_advance and not can_pay_in_advance(model=terms.model, aggregation=terms.aggregation):
        details["pay_in_advance"] = ["invalid_aggregation_type_or_charge_model"]
    if terms.prorated and not recurring.can_prorate(
        model=terms.model,
        aggregation=terms.aggregation,
        is_recurring=terms.is_recurring,
        pay_in_advance=terms.pay_in_advance,
    ):
        details["prorated"] = ["invalid_billable_metric_or_charge_model"]
    if not terms.invoiceable and not terms.pay_in_advance:
        details["invoiceable"] = ["must_be_true_unless_pay_in_advance"]
    if terms.regroup_paid_fees not in ("", REGROUPED):
        details["regroup_paid_fees"] = ["value_is_invalid"]
    elif terms.regroup_paid_fees and (terms.invoiceable or not terms.pay_in_advance):
        details["regroup_paid_fees"] = ["only_compatible_with_pay_in_advance_and_non_invoiceable"]
    if terms.min_amount_cents and terms.pay_in_advance:
        details["min_amount_cents"] = ["not_compatible_with_pay_in_advance"]
    if details:
        raise TermsDisagree("validation_errors", f"Terms do not go together: {', '.join(details)}.", details)
