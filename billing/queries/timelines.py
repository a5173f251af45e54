"""The time line of a subscription, read: what happened under its external id, and the bars of its plans and pauses.

Owns the life of the subscriptions themselves, and putting all streams together. What was recorded beside them is
`timeline_records`' to read, what is agreed to come `timeline_plans`'. Never writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from moneyed import Money

from billing.domain import timelines
from billing.domain.timelines import Entry, Group, Kind, Page, Stretch, Subject
from billing.models import ActivationRule, Subscription
from billing.queries import subscriptions as known
from billing.queries import timeline_records
from catalog.models import PlanVersion
from config.kernel import dates

Status = Subscription.Status
PAGE = 50
MOST_PAGES = 200


def chain(subscription: Subscription) -> list[Subscription]:
    """Return all subscriptions of its customer under its external id, oldest first, with plans and changes at hand.

    Two queries more than their number asks for, whatever it is.
    """
    rows = Subscription.objects.filter(external_id=subscription.external_id, customer_id=subscription.customer_id)
    return list(known.with_contract(rows).select_related("contract_item__contract").order_by("pk"))


def read(
    *, rows: Sequence[Subscription], at: datetime, number: int = 1, size: int = PAGE, groups: Sequence[Group] = ()
) -> Page:
    """Return a page of what happened to a chain of subscriptions by ``at``, newest first.

    The number of queries depends neither on the length of the history nor on that of the chain. Pages after MOST_PAGES
    are empty.
    """
    if number > MOST_PAGES or not rows:
        return Page(())
    offset = (number - 1) * size
    limit = offset + size + 1
    told = timeline_records.told(rows)
    former = timeline_records.former_versions(rows)
    streams = [
        [_explained(entry, told) for row in rows for entry in _life(row, at, former)],
        *timeline_records.streams(rows=rows, at=at, limit=limit, groups=groups),
    ]
    return timelines.page(streams, offset=offset, size=size, groups=groups)


def stretches(rows: Sequence[Subscription]) -> tuple[Stretch, ...]:
    """Return the times of each plan and of each pause, in their order, those that are agreed to come included."""
    found = [stretch for row in rows for stretch in _stretches(row)]
    return tuple(sorted(found, key=lambda one: one.from_at))


def subject(row: Subscription) -> Subject:
    """Return a subscription as what an entry is about."""
    return Subject("billing.subscription", row.pk, str(row.uuid), str(row))


def priced(version: PlanVersion) -> str:
    """Return how a plan version is named in a sentence."""
    return f"{version.plan.name}, own terms" if version.base_id is not None else version.plan.name


_VERBS = {
    Kind.CREATED: "create",
    Kind.CHANGE_SCHEDULED: "create",
    Kind.PLAN_CHANGED: "activate",
    Kind.TERMS_CHANGED: "activate",
    Kind.PAUSED: "pause",
    Kind.RESUMED: "resume",
    Kind.ENDED: "terminate",
    Kind.CANCELED: "cancel",
    Kind.CHANGE_CANCELED: "cancel",
}


def _explained(entry: Entry, told: Mapping[tuple[int, str], tuple[str, str]]) -> Entry:
    by, reason = told.get((entry.key, _VERBS.get(entry.kind, "")), ("", ""))
    return replace(entry, by=by, reason=reason)


Former = Mapping[int, Sequence[tuple[datetime, PlanVersion]]]


def _life(row: Subscription, at: datetime, former: Former) -> Iterator[Entry]:
    for entry in (*_beginnings(row, former), *_endings(row)):
        if entry.at <= at:
            yield entry


def _version(row: Subscription, when: datetime, former: Former) -> PlanVersion:
    """The version that a subscription had, as far as it was recorded when it got another one."""
    return next((version for until, version in former.get(row.pk, ()) if when < until), row.plan_version)


def _beginnings(row: Subscription, former: Former) -> Iterator[Entry]:
    before = row.previous
    version = _version(row, max(row.created_at, row.started_at or row.created_at), former)
    own = {"key": row.pk, "name": priced(version), "amount": version.amount, "subject": subject(row)}
    if before is None:
        made = _version(row, row.created_at, former)
        yield Entry(row.created_at, Kind.CREATED, **{**own, "name": priced(made), "amount": made.amount})
        yield from _gate(row)
        if row.started_at is not None:
            yield Entry(row.started_at, Kind.STARTED, **own)
        return
    old = before.plan_version
    if row.paused_at is not None:
        pause = {"state": row.pause_fee, "name": own["name"], "subject": subject(row)}
        yield Entry(row.paused_at, Kind.PAUSED, row.pk, **pause)
        if row.started_at is not None:
            yield Entry(row.started_at, Kind.RESUMED, **own)
        return
    moved = {**own, "before": priced(old), "amount_before": old.amount}
    if row.started_at is None or row.created_at < row.started_at:
        was, made = _version(before, row.created_at, former), _version(row, row.created_at, former)
        then = {"name": priced(made), "amount": made.amount, "before": priced(was), "amount_before": was.amount}
        yield Entry(row.created_at, Kind.CHANGE_SCHEDULED, **{**own, **then})
    if row.started_at is not None:
        kind = Kind.TERMS_CHANGED if version.plan_id == old.plan_id else Kind.PLAN_CHANGED
        yield Entry(row.started_at, kind, **moved)


def _gate(row: Subscription) -> Iterator[Entry]:
    for rule in row.activation_rules.all():
        if rule.status == ActivationRule.Status.NOT_APPLICABLE or rule.invoice_id is None:
            continue
        if rule.started_at is not None:
            yield Entry(rule.started_at, Kind.WAITS_FOR_PAYMENT, row.pk, subject=subject(row))
        if rule.status == ActivationRule.Status.SATISFIED and row.activated_at is not None:
            yield Entry(row.activated_at, Kind.ACTIVATED, row.pk, subject=subject(row))


def _endings(row: Subscription) -> Iterator[Entry]:
    own = {"key": row.pk, "name": priced(row.plan_version), "subject": subject(row)}
    if row.trial_ended_at is not None:
        yield Entry(row.trial_ended_at, Kind.TRIAL_ENDED, **own)
    if row.canceled_at is not None:
        is_change = row.previous_id is not None and row.paused_at is None
        kind = Kind.CHANGE_CANCELED if is_change else Kind.CANCELED
        yield Entry(row.canceled_at, kind, state=row.cancellation_reason, **own)
    if row.status == Status.TERMINATED and row.terminated_at is not None and not row.ended_by:
        yield Entry(row.terminated_at, Kind.ENDED, **own)


def _stretches(row: Subscription) -> Iterator[Stretch]:
    name, amount = priced(row.plan_version), row.plan_version.amount
    zone = dates.zone(row.customer.applicable_timezone)
    if row.paused_at is not None:
        resumes_on = row.change_date if row.status == Status.PAUSED else None
        planned = None if resumes_on is None else dates.start_of_day(resumes_on, zone)
        over = row.started_at or row.canceled_at or row.terminated_at or planned
        if over is None or over > row.paused_at:
            yield Stretch(row.paused_at, over, "Paused", is_paused=True)
        if planned is not None:
            yield Stretch(planned, row.ending_at, name, amount, is_planned=True)
    if row.started_at is not None:
        yield _ran(row, name, amount)
    elif row.status == Status.PENDING:
        day = row.change_date
        starts_at = row.subscription_at if day is None else dates.start_of_day(day, zone)
        yield Stretch(starts_at, row.ending_at, name, amount, is_planned=True)


def _ran(row: Subscription, name: str, amount: Money) -> Stretch:
    over = row.terminated_at or row.ending_at
    day = row.change_day if row.status == Status.ACTIVE else None
    if day is not None:
        over = dates.start_of_day(day, dates.zone(row.customer.applicable_timezone))
    return Stretch(row.started_at or row.subscription_at, over, name, amount)
