"""Whether the terms of a version say all that its kind of quote needs, and whether their parts fit together.

Owns these rules. A draft may be incomplete; what is submitted may not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from billing.domain import renewals
from billing.domain.quote_values import ChangeKind, InvalidTerms, QuoteChange, QuoteItem, QuotePhase, QuoteTerms
from billing.domain.renewals import Renewal


class Kind(StrEnum):
    """What a quote is about."""

    NEW = "new"
    AMENDMENT = "amendment"
    RENEWAL = "renewal"
    ONE_OFF = "one_off"


def demand(*, kind: str, terms: QuoteTerms) -> None:
    """Demand that nothing is missing. Raises InvalidTerms, whose details name every path that is wrong."""
    wrong: dict[str, list[str]] = {}
    sells = Kind(kind) in (Kind.NEW, Kind.RENEWAL)
    if sells:
        _term(terms, wrong)
        _items(terms, wrong)
    elif terms.items:
        wrong["items"] = ["not_allowed_for_this_kind"]
    if Kind(kind) is Kind.AMENDMENT:
        _changes(terms.changes, wrong)
    elif terms.changes:
        wrong["changes"] = ["not_allowed_for_this_kind"]
    if terms.commitments and not sells:
        wrong["commitments"] = ["not_allowed_for_this_kind"]
    once = (*terms.one_offs, *terms.coupons, *terms.credits)
    if Kind(kind) is Kind.ONE_OFF and not once:
        wrong["one_offs"] = ["value_is_mandatory"]
    _once(terms, wrong)
    if wrong:
        raise InvalidTerms("validation_errors", f"Please check: {', '.join(wrong)}.", wrong)


def demand_days(*, terms: QuoteTerms, valid_until: date, ends_on: date | None) -> None:
    """Demand that an acceptance on any day of the offer can be made: until ``valid_until``, the last one.

    A change takes effect on the day of acceptance or later, and a term that is over is not renewed: ``ends_on`` is the
    last day of a contract to renew. A new contract may begin before it is accepted. Raises InvalidTerms
    (`change_before_last_day`, `renewal_after_term`).
    """
    early = [
        (number, change.effective_on)
        for number, change in enumerate(terms.changes)
        if change.effective_on is not None and change.effective_on < valid_until
    ]
    if early:
        raise InvalidTerms(
            "change_before_last_day",
            f"It can be accepted until {valid_until}, and a change would take effect on {early[0][1]}, which would be "
            "over by then: let the offer end earlier, or the change begin with the acceptance.",
            {f"changes.{number}.effective_on": ["change_before_last_day"] for number, _ in early},
        )
    if ends_on is not None and valid_until > ends_on:
        raise InvalidTerms(
            "renewal_after_term",
            f"The term ends on {ends_on}: it is renewed by then, so the offer cannot last until {valid_until}.",
            {"valid_until": ["renewal_after_term"]},
        )


def _term(terms: QuoteTerms, wrong: dict[str, list[str]]) -> None:
    if terms.term_months is None:
        wrong["term_months"] = ["value_is_mandatory"]
    try:
        renewals.check(renewal=Renewal(terms.renewal), notice_days=terms.notice_days)
    except renewals.InvalidNotice as error:
        wrong.update(error.details)


def _items(terms: QuoteTerms, wrong: dict[str, list[str]]) -> None:
    if not terms.items:
        wrong["items"] = ["value_is_mandatory"]
    named = [item.external_id for item in terms.items if item.external_id]
    for number, item in enumerate(terms.items):
        path = f"items.{number}"
        if item.external_id and named.count(item.external_id) > 1:
            wrong[f"{path}.external_id"] = ["value_is_duplicated"]
        _phases(item.phases, path, item.starts_after_months, terms.term_months, wrong)
    for number, row in enumerate(terms.commitments):
        if row.kind == "period" and _product(terms.items, row.external_id) is None:
            wrong[f"commitments.{number}.external_id"] = ["value_is_mandatory"]
        if row.kind == "prepaid" and row.tax_codes:
            wrong[f"commitments.{number}.tax_codes"] = ["taxes_not_allowed"]


def product(*, items: Sequence[QuoteItem], external_id: str) -> int | None:
    """Return which product a commitment for each period is for: the one named, or the only one. None: it is unclear."""
    return _product(items, external_id)


def _product(items: Sequence[QuoteItem], external_id: str) -> int | None:
    if not external_id:
        return 0 if len(items) == 1 else None
    return next((number for number, item in enumerate(items) if item.external_id == external_id), None)


def _phases(
    phases: Sequence[QuotePhase], path: str, offset: int, term_months: int | None, wrong: dict[str, list[str]]
) -> None:
    if not phases:
        wrong[f"{path}.phases"] = ["value_is_mandatory"]
    before = -1
    for number, phase in enumerate(phases):
        where = f"{path}.phases.{number}"
        if number == 0 and phase.after_months:
            wrong[f"{where}.after_months"] = ["the_first_phase_starts_with_the_product"]
        elif phase.after_months <= before:
            wrong[f"{where}.after_months"] = ["phases_overlap"]
        elif term_months is not None and offset + phase.after_months >= term_months:
            wrong[f"{where}.after_months"] = ["outside_of_the_term"]
        before = phase.after_months


def _changes(changes: Sequence[QuoteChange], wrong: dict[str, list[str]]) -> None:
    if not changes:
        wrong["changes"] = ["value_is_mandatory"]
    for number, change in enumerate(changes):
        path = f"changes.{number}"
        kind = ChangeKind(change.kind) if change.kind else None
        if kind is None:
            wrong[f"{path}.kind"] = ["value_is_mandatory"]
        if kind in (ChangeKind.CHANGE_TERMS, ChangeKind.REMOVE_PRODUCT) and not change.external_id:
            wrong[f"{path}.external_id"] = ["value_is_mandatory"]
        if kind is ChangeKind.CHANGE_TERMS and len(change.phases) != 1:
            wrong[f"{path}.phases"] = ["invalid_count"]
        if kind is ChangeKind.ADD_PRODUCT:
            _phases(change.phases, path, 0, None, wrong)
        if kind is ChangeKind.EXTEND_TERM and change.ends_on is None:
            wrong[f"{path}.ends_on"] = ["value_is_mandatory"]
        if kind is ChangeKind.CHANGE_COMMITMENT and change.commitment is None:
            wrong[f"{path}.commitment"] = ["value_is_mandatory"]


def _once(terms: QuoteTerms, wrong: dict[str, list[str]]) -> None:
    for number, sold in enumerate(terms.one_offs):
        if sold.units <= 0:
            wrong[f"one_offs.{number}.units"] = ["value_is_out_of_range"]
    for number, wallet in enumerate(terms.credits):
        if not (wallet.paid_credits or wallet.granted_credits):
            wrong[f"credits.{number}.paid_credits"] = ["value_is_mandatory"]
