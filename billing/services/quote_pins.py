"""Pinning what a version offers when it is submitted: the plan versions and the prices of add-ons as they are then.

Owns these pins and the trial that what is offered can be made at all. Writes nothing that stays.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from billing.domain.quote_values import QuoteChange, QuoteItem, QuoteOneOff, QuotePhase, QuoteTerms
from billing.models import Quote
from billing.services import contract_drafts, quote_execution, quote_trials
from catalog.queries import add_ons
from config.kernel import money
from config.kernel.actors import Actor


def pinned(*, terms: QuoteTerms, quote: Quote, currency: str, at: datetime) -> QuoteTerms:
    """Return terms that name the plan versions and prices that are on sale now; those that name some keep them.

    Raises NotFound for a plan or add-on that is not sold.
    """
    changes = tuple(replace(change, phases=_phases(change.phases)) for change in terms.changes)
    items = tuple(replace(item, phases=_phases(item.phases)) for item in terms.items)
    sold = tuple(_one_off(row, currency) for row in terms.one_offs)
    return replace(terms, items=items, changes=changes, one_offs=sold)


def loosened(terms: QuoteTerms) -> QuoteTerms:
    """Return the terms without pinned plan versions: the next version offers today's prices. Prices that were named
    for add-ons stay.
    """

    def free(row: QuoteItem | QuoteChange) -> tuple[QuotePhase, ...]:
        return tuple(replace(phase, plan_version=None) for phase in row.phases)

    return replace(
        terms,
        items=tuple(replace(item, phases=free(item)) for item in terms.items),
        changes=tuple(replace(change, phases=free(change)) for change in terms.changes),
    )


def demand_sellable(*, quote: Quote, terms: QuoteTerms, currency: str, actor: Actor, at: datetime) -> None:
    """Demand that what is offered could be made now: it is made and undone, without a trace of it.

    What depends on the day of acceptance alone is found out then. Raises what the execution raises.
    """
    verb = functools.partial(
        quote_execution.execute, quote=quote, terms=terms, currency=currency, seen="", actor=actor, at=at
    )
    quote_trials.demand(verb=verb, at=at)


def _phases(phases: Sequence[QuotePhase]) -> tuple[QuotePhase, ...]:
    found = []
    for phase in phases:
        if phase.plan_code and phase.plan_version is None:
            number = contract_drafts.version_of(phase.plan_code).number
            found.append(replace(phase, plan_version=number))
        else:
            found.append(phase)
    return tuple(found)


def _one_off(row: QuoteOneOff, currency: str) -> QuoteOneOff:
    if row.unit_amount_cents is not None:
        return row
    add_on = add_ons.by_code(code=row.add_on_code)
    if add_on.currency != currency:
        return row
    return replace(row, unit_amount_cents=money.to_minor(add_on.amount))
