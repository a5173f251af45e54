"""Checks of the books on a sample of what was rated: the stored calculation gives the amount that was billed, and the
usage that was billed is what the raw events add up to. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import models
from django.db.models import BigIntegerField, F, Func, Value

from billing.domain import verification
from billing.models import BilledPeriod, LateUsageCheck, RatedCharge
from billing.queries import late_usage_arrivals
from billing.services import late_usage_checks
from config.kernel import checks, errors
from config.kernel.checks import Check, Finding, Scope, Verdict

M = TypeVar("M", bound=models.Model)


def sampled(rows: models.QuerySet[M], *, scope: Scope) -> models.QuerySet[M]:
    """Return the rows that a run looks at: the same ones for the same seed."""
    if scope.since is not None:
        rows = rows.filter(created_at__gte=scope.since)
    number = BigIntegerField()
    drawn = Func(F("pk"), Value(scope.seed, output_field=number), function="hashint8extended", output_field=number)
    return rows.order_by(drawn, "pk")[: scope.sample]


def traces(scope: Scope) -> Verdict:
    """Compute a sample of the billed amounts again from their stored inputs."""
    rows = RatedCharge.objects.filter(released_at__isnull=True).select_related("line__invoice", "subscription")
    return _verdict(sampled(rows, scope=scope), _trace_problem)


def usage(scope: Scope) -> Verdict:
    """Add up the raw events of a sample of the billed periods again."""
    rows = BilledPeriod.objects.filter(
        models.Q(invoice__isnull=True) | models.Q(invoice__status__in=late_usage_arrivals.ISSUED),
        released_at__isnull=True,
        charges_from_at__lt=F("charges_to_at"),
    )
    looked = rows.exclude(reason__in=BilledPeriod.WITHIN).exclude(
        pk__in=LateUsageCheck.objects.values("period_id")  # events came, and are about to be looked at
    )
    found = looked.select_related("subscription__plan_version", "plan_version", "invoice")
    return _verdict(sampled(found, scope=scope), _usage_problem)


def _trace_problem(rated: RatedCharge) -> str:
    found = verification.verify(trace=rated.trace, sha256=rated.trace_sha256, amount=rated.line.agreed_amount.amount)
    if found.problem:
        return f"its trace cannot be read: {found.problem}"
    if not found.is_digest_right:
        return "its trace does not have the digest that it was stored with"
    if not found.is_amount_right:
        return f"computed again it is {found.amount} {rated.line.currency}, billed were {rated.line.amount.amount}"
    return ""


def _usage_problem(period: BilledPeriod) -> str:
    try:
        return "; ".join(late_usage_checks.unexplained(period=period))
    except errors.DomainError as error:
        return f"it cannot be rated again: {error}"


def _verdict(rows: Iterable[Any], problem_of: Callable[[Any], str]) -> Verdict:
    looked_at, findings = 0, []
    for row in rows:
        looked_at += 1
        if problem := problem_of(row):
            findings.append(_finding(row, problem))
    return Verdict(looked_at=looked_at, count=len(findings), findings=tuple(findings[: checks.KEPT]))


def _finding(row: RatedCharge | BilledPeriod, problem: str) -> Finding:
    if isinstance(row, RatedCharge):
        label = f"{row.line.label} of {row.subscription.external_id}"
        return Finding("invoicing.invoiceline", row.line_id, label, problem)
    label = f"{row.subscription.external_id} from {row.charges_from_at.isoformat()}"
    if row.invoice_id is None:
        return Finding("billing.subscription", row.subscription_id, label, problem)
    return Finding("invoicing.invoice", row.invoice_id, label, problem)


TRACES = Check(
    name="traces",
    title="Amount = its stored calculation",
    proves=(
        "Rated again from its stored inputs alone, a billed line comes to the amount on the "
        "document, and nobody changed the inputs."
    ),
    run=traces,
    is_sampled=True,
)

USAGE = Check(
    name="usage",
    title="Aggregates = raw events",
    proves=(
        "The events of a billed period, added up again from the raw rows by filter and group, are those that were "
        "billed or decided as late usage."
    ),
    run=usage,
    is_sampled=True,
)
