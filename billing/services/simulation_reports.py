"""What a simulation comes to as a whole, for whoever shows it. Owns gathering the contracts, and the remarks that a
reader must not miss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from billing.domain import simulation_remarks
from billing.domain.rating import ItemKind
from billing.domain.simulation_comparison import Outcome, Summary
from billing.services import simulations
from billing.services.simulations import Progress, Wanted
from catalog.models import BillableMetric
from config.kernel import errors

KEPT = 200
"""Contracts that are kept to be listed; the sums are of all."""


@dataclass
class Report:
    """The sums in each currency, the first contracts, and remarks in words."""

    wanted: Wanted
    summaries: dict[str, Summary] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    contracts: int = 0
    remarks: list[str] = field(default_factory=list)


def make(
    *,
    wanted: Wanted,
    today: date,
    progress: Progress | None = None,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> Report:
    """Play all contracts and return what they come to; ``on_outcome`` is told each of them as it is played.

    ``today`` only serves the remarks. Memory does not grow with the number of contracts. Raises NotFound for a subject
    or a supposed metric that does not exist, and what playing raises.
    """
    _demand_metrics(wanted)
    report = Report(wanted)
    used: set[str] = set()
    plans = set() if wanted.other is None else {(wanted.other.label, wanted.other.version.interval)}
    for outcome in simulations.play(wanted=wanted, progress=progress):
        report.contracts += 1
        plans.add((outcome.plan, outcome.interval))
        if len(report.outcomes) < KEPT:
            report.outcomes.append(outcome)
        currency = outcome.own.currency
        if currency not in report.summaries:
            report.summaries[currency] = Summary(currency, is_compared=wanted.other is not None)
        report.summaries[currency].add(outcome)
        if on_outcome is not None:
            on_outcome(outcome)
    for summary in report.summaries.values():
        used |= {code for kind, code in summary.items if kind is ItemKind.CHARGE}
    report.remarks = simulation_remarks.of(
        summaries=list(report.summaries.values()),
        frame=wanted.frame,
        today=today,
        supposed=[one.metric_code for one in wanted.supposed],
        billed=used,
        plans=plans,
    )
    return report


def _demand_metrics(wanted: Wanted) -> None:
    codes = {one.metric_code for one in wanted.supposed}
    known = set(BillableMetric.objects.filter(code__in=codes, deleted_at__isnull=True).values_list("code", flat=True))
    for code in sorted(codes - known):
        raise errors.NotFound("billable_metric_not_found", f"There is no billable metric {code}.")
