"""What a subscription agreed on instead of its plan. Owns finding it: Lago shows such a subscription with a plan of its
own, and what that says otherwise than the plan are the terms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.importing import comparing, plans
from config.importing.kinds import Row, codes, given

_PLAIN = ("name", "invoice_display_name", "description", "amount_cents", "trial_period")
_CHARGE = ("invoice_display_name", "min_amount_cents")
_THRESHOLD = ("amount_cents", "threshold_display_name", "recurring")


def between(plan: Mapping[str, Any], own: Mapping[str, Any]) -> Row:
    """Return what a subscription's plan says otherwise than the plan that it is made of, as ``plan_overrides``.

    ``own`` is the plan as the subscription shows it. Nothing where both say the same.
    """
    terms: Row = {name: own[name] for name in _PLAIN if own.get(name) is not None and _differs(plan, own, name)}
    if own.get("taxes") is not None and set(codes(own["taxes"])) != set(codes(plan.get("taxes"))):
        terms["tax_codes"] = codes(own["taxes"])
    if "minimum_commitment" in own or "minimum_commitment" in plan:
        mine, theirs = (_minimum(one.get("minimum_commitment")) for one in (own, plan))
        if mine != theirs:
            terms["minimum_commitment"] = mine
    charges = [row for row in map(_own_charge, *_paired(plan, own, "charges")) if len(row) > 1]
    fixed = [row for row in map(_own_fixed_charge, *_paired(plan, own, "fixed_charges")) if len(row) > 1]
    if charges:
        terms["charges"] = charges
    if fixed:
        terms["fixed_charges"] = fixed
    return terms


def thresholds(own: Any) -> list[Row]:
    """Return usage thresholds as requests hold them."""
    return [given(row, *_THRESHOLD) for row in own or ()]


def _differs(plan: Mapping[str, Any], own: Mapping[str, Any], name: str) -> bool:
    return bool(comparing.differences({name: own[name]}, {name: plan.get(name)}))


def _minimum(row: Any) -> Row:
    return plans.commitment(row) if row else {"amount_cents": 0}


def _paired(plan: Mapping[str, Any], own: Mapping[str, Any], name: str) -> tuple[Sequence[Row], Sequence[Row]]:
    """Return the rows that both have, by their codes: those of the plan and those of the subscription."""
    theirs = {row["code"]: row for row in plan.get(name) or ()}
    mine = [row for row in own.get(name) or () if row["code"] in theirs]
    return [theirs[row["code"]] for row in mine], mine


def _own_charge(theirs: Row, mine: Row) -> Row:
    row: Row = {"code": mine["code"]}
    row |= {name: mine[name] for name in _CHARGE if mine.get(name) is not None and _differs(theirs, mine, name)}
    before, after = plans.priced(theirs), plans.priced(mine)
    return row | {name: after[name] for name in after if after[name] != before.get(name)}


def _own_fixed_charge(theirs: Row, mine: Row) -> Row:
    row: Row = {"code": mine["code"]}
    names = ("invoice_display_name", "units", "properties")
    row |= {name: mine[name] for name in names if mine.get(name) is not None and _differs(theirs, mine, name)}
    if set(codes(mine.get("taxes"))) != set(codes(theirs.get("taxes"))):
        row["tax_codes"] = codes(mine.get("taxes"))
    return row
