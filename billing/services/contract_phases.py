"""The rows of phases when they change: what lies ahead is cut, replaced or continued, what was served stays.

Owns these rows; the arithmetic is `ramps`'. Whoever calls holds the lock of the contract and moves the subscriptions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from billing.domain import ramps
from billing.domain.contract_terms import Span
from billing.domain.ramps import Phase
from billing.models import ContractItem, ContractPhase
from billing.queries import sold_contracts
from catalog.models import PlanVersion


@dataclass(frozen=True)
class Terms:
    """What a phase is agreed on: the row that it is, or a plan version with own terms as a phase keeps them."""

    version: PlanVersion
    overrides: Mapping[str, Any]
    row: ContractPhase | None = None


def of(item: ContractItem) -> list[Phase[Terms]]:
    """Return the phases of a product as they are, in their order."""
    return [
        Phase(Span(row.starts_on, row.ends_on), Terms(row.plan_version, row.overrides, row))
        for row in sold_contracts.phases(item)
    ]


def write(*, item: ContractItem, phases: Sequence[Phase[Terms]], at: datetime) -> None:
    """Make the rows of a product's phases these: rows are shortened, removed, or made.

    A row whose first day stays is kept; the later part of one that was cut in two is a new row on the same terms.
    """
    before = {row.starts_on: row for row in sold_contracts.phases(item)}
    kept: dict[date, Phase[Terms]] = {
        phase.span.first: phase
        for phase in phases
        if phase.terms.row is not None and phase.terms.row.starts_on == phase.span.first
    }
    gone = [row.pk for first, row in before.items() if first not in kept]
    ContractPhase.objects.filter(pk__in=gone).delete()
    # Shortened ones first: whatever takes their place must not overlap with them.
    for longer in (False, True):
        for first, phase in kept.items():
            row = before[first]
            if phase.span.last != row.ends_on and (phase.span.last > row.ends_on) is longer:
                row.ends_on = phase.span.last
                row.save(update_fields=["ends_on"])
    ContractPhase.objects.bulk_create(
        [
            ContractPhase(
                created_at=at,
                item=item,
                starts_on=phase.span.first,
                ends_on=phase.span.last,
                plan_version=phase.terms.version,
                overrides=dict(phase.terms.overrides),
                own_version=None if phase.terms.row is None else phase.terms.row.own_version,
            )
            for phase in phases
            if phase.span.first not in kept
        ]
    )


def cut(*, item: ContractItem, last: date, at: datetime) -> None:
    """End a product with a day: later phases are gone."""
    write(item=item, phases=ramps.cut(phases=of(item), last=last), at=at)
    item.ends_on = last
    item.save(update_fields=["ends_on"])


def extend(*, item: ContractItem, last: date, at: datetime) -> None:
    """Let a product go on until a day, on the terms of its last phase."""
    write(item=item, phases=ramps.extended(phases=of(item), last=last), at=at)
    item.ends_on = last
    item.save(update_fields=["ends_on"])
