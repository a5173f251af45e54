"""Running the checks of the books, and keeping what they found. Owns the rows of a run; the checks are registered by
the apps whose tables they read.

A run is written down check by check, so that an interrupted one shows how far it came. A check that cannot be run is
written down with the reason and stops no other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from config.kernel import actors, checks, errors
from config.kernel.actors import Actor
from config.kernel.checks import Check, Finding, Scope, Verdict
from config.platform.services import audit
from invoicing.models import BooksCheck, BooksCheckResult, BooksFinding

log = logging.getLogger(__name__)

SAMPLE = 100
MOST_SAMPLED = 100_000


class UnknownCheck(errors.NotFound):
    """No check has this name."""


class InvalidSample(errors.Invalid):
    """A sample is a number of rows, from nothing to very many."""


@dataclass(frozen=True)
class Outcome:
    """What one check came to: its verdict, or the reason why it could not be run; it took that many milliseconds."""

    check: Check
    verdict: Verdict
    milliseconds: int
    error: str = ""

    @property
    def status(self) -> str:
        """Return the state of a result."""
        if self.error:
            return BooksCheckResult.Status.ERROR
        return BooksCheckResult.Status.FAILED if self.verdict.count else BooksCheckResult.Status.PASSED


def run_scheduled(*, as_of: datetime) -> BooksCheck:
    """Check all books: the nightly job. Every night draws another sample. May run any number of times."""
    return run(as_of=as_of, trigger="schedule", actor=actors.job("check_books"))


def run(
    *,
    as_of: datetime,
    trigger: str,
    actor: Actor,
    since: datetime | None = None,
    sample: int = SAMPLE,
    seed: int | None = None,
    names: Collection[str] = (),
) -> BooksCheck:
    """Run all checks, or those named, and keep what they found. Changes nothing that is checked.

    ``since`` narrows checks of single rows to what was written or changed since. Costly checks draw ``sample`` rows by
    ``seed``; without a seed it follows from the day of ``as_of`` in UTC. Of the rows that break a check all are counted
    and `checks.KEPT` kept. Not for use inside a transaction: each check is written down as it is done. Raises
    UnknownCheck, and InvalidSample for a sample below nothing or beyond `MOST_SAMPLED`.
    """
    wanted = _named(names)
    if not 0 <= sample <= MOST_SAMPLED:
        raise InvalidSample("invalid_sample", f"A sample is from 0 to {MOST_SAMPLED}.", {"sample": ["invalid_value"]})
    if seed is None:
        seed = as_of.astimezone(UTC).toordinal()
    started = time.monotonic()
    row = BooksCheck.objects.create(
        created_at=as_of,
        as_of=as_of,
        trigger=trigger,
        since=since,
        sample=sample,
        seed=seed,
        checks_total=len(wanted),
    )
    scope = Scope(as_of=as_of, since=since, sample=sample, seed=seed)
    for position, outcome in enumerate(_outcomes(wanted, scope), start=1):
        with transaction.atomic():
            _write(row, position, outcome, as_of)
    return _finish(row, _milliseconds(started), actor)


def findings(*, scope: Scope, names: Collection[str] = ()) -> list[tuple[Check, Finding]]:
    """Run all checks, or those named, and return what breaks them, keeping nothing. Raises what a check raises."""
    return [(one, found) for one in _named(names) for found in one.run(scope).findings]


def _named(names: Collection[str]) -> list[Check]:
    known = {check.name: check for check in checks.registered()}
    if unknown := sorted(set(names) - set(known)):
        raise UnknownCheck("check_not_found", f"There is no check {unknown[0]!r}. Known: {', '.join(known)}.")
    return [check for name, check in known.items() if not names or name in names]


def _outcomes(wanted: Collection[Check], scope: Scope) -> Iterator[Outcome]:
    for check in wanted:
        started = time.monotonic()
        try:
            with transaction.atomic():
                verdict = check.run(scope)
        except Exception as error:
            log.exception("the check %s could not be run", check.name)
            yield Outcome(check, Verdict(looked_at=0), _milliseconds(started), error=f"{type(error).__name__}: {error}")
        else:
            yield Outcome(check, verdict, _milliseconds(started))


def _write(row: BooksCheck, position: int, outcome: Outcome, at: datetime) -> None:
    check, verdict = outcome.check, outcome.verdict
    result = BooksCheckResult.objects.create(
        created_at=at,
        books_check=row,
        position=position,
        name=check.name,
        title=check.title,
        proves=check.proves,
        is_sampled=check.is_sampled,
        status=outcome.status,
        looked_at=verdict.looked_at,
        findings_count=verdict.count,
        milliseconds=outcome.milliseconds,
        error=outcome.error,
    )
    BooksFinding.objects.bulk_create(
        BooksFinding(
            created_at=at,
            result=result,
            subject_type=found.subject_type,
            subject_id=found.subject_id,
            label=found.label[:255],
            message=found.message,
        )
        for found in verdict.findings[: checks.KEPT]
    )
    row.checks_count += 1
    row.findings_count += verdict.count
    row.broken_count += outcome.status != BooksCheckResult.Status.PASSED
    row.save(update_fields=["checks_count", "findings_count", "broken_count"])


@transaction.atomic
def _finish(row: BooksCheck, milliseconds: int, actor: Actor) -> BooksCheck:
    row.status = BooksCheck.Status.FAILED if row.broken_count else BooksCheck.Status.PASSED
    row.milliseconds = milliseconds
    row.finished_at = row.as_of + timedelta(milliseconds=milliseconds)
    row.save(update_fields=["status", "milliseconds", "finished_at"])
    audit.record(
        actor=actor,
        at=row.as_of,
        verb="check_books",
        instance=row,
        new={"status": row.status, "checks": row.checks_count, "findings": row.findings_count},
    )
    if row.broken_count:
        log.error("books check %s: %s checks do not hold, %s findings", row.pk, row.broken_count, row.findings_count)
    return row


def _milliseconds(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
