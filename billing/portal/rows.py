"""Subscriptions and their current usage as the portal shows them: frozen values in the customer's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import pgettext
from moneyed import Money

from billing.models import Subscription
from billing.queries import current_usage
from billing.queries.current_usage import CurrentUsage
from catalog.models import PlanVersion
from config.kernel import dates, errors, money
from config.kernel.dates import Period
from invoicing.domain.document_formats import Formats

BARS = 100
"""The length of the longest bar."""


@dataclass(frozen=True, slots=True)
class UsedRow:
    """The usage of one price so far. ``bar`` is its length beside the others', from 0 to `BARS`."""

    name: str
    units: str
    amount: str
    bar: int


@dataclass(frozen=True, slots=True)
class UsageBlock:
    """The usage of a running period: its days, what was used, and what it comes to with tax."""

    period: str
    rows: tuple[UsedRow, ...]
    net: str
    tax: str
    total: str


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription: what it is called, its plan and price, and since when or until when."""

    name: str
    plan: str
    price: str
    state: str
    tone: str
    facts: tuple[tuple[str, str], ...]
    usage: UsageBlock | None


def subscription(row: Subscription, formats: Formats, *, at: datetime, with_usage: bool = True) -> SubscriptionRow:
    """Return a subscription as its customer sees it, with the usage of the period that runs."""
    zone = dates.zone(row.customer.applicable_timezone)
    state, tone = _state(row)
    version = row.plan_version
    return SubscriptionRow(
        name=row.name or version.name_on_invoices,
        plan=version.name_on_invoices,
        price=_price(version, formats),
        state=state,
        tone=tone,
        facts=tuple(_facts(row, formats, zone)),
        usage=_usage(row, formats, zone, at) if with_usage and row.status == Subscription.Status.ACTIVE else None,
    )


def _usage(row: Subscription, formats: Formats, zone: ZoneInfo, at: datetime) -> UsageBlock | None:
    try:
        found = current_usage.read(
            external_customer_id=row.customer.external_id, external_subscription_id=row.external_id, at=at
        )
    except errors.DomainError:  # such as one that ended a moment ago: there is no usage to show
        return None
    if not found.charges:
        return None
    period = Period(found.from_at, max(found.ends_at, found.from_at))
    return UsageBlock(
        period=formats.days(period.first_day(zone), period.last_day(zone)),
        rows=_used(found, formats),
        net=formats.money(found.amount.net),
        tax=formats.money(found.amount.tax) if found.amount.tax else "",
        total=formats.money(found.amount.gross),
    )


def _used(found: CurrentUsage, formats: Formats) -> tuple[UsedRow, ...]:
    most = max((one.amount for one in found.charges), default=money.zero(found.currency))
    return tuple(
        UsedRow(
            name=one.charge.name or one.metric.name,
            units=formats.units(one.units),
            amount=formats.money(one.amount),
            bar=_bar(one.amount, most),
        )
        for one in found.charges
    )


def _bar(amount: Money, most: Money) -> int:
    whole = money.to_minor(most)
    return max(money.to_minor(amount), 0) * BARS // whole if whole > 0 else 0


def _price(version: PlanVersion, formats: Formats) -> str:
    words = {
        PlanVersion.Interval.WEEKLY: pgettext("portal", "{amount} a week"),
        PlanVersion.Interval.MONTHLY: pgettext("portal", "{amount} a month"),
        PlanVersion.Interval.QUARTERLY: pgettext("portal", "{amount} a quarter"),
        PlanVersion.Interval.SEMIANNUAL: pgettext("portal", "{amount} a half-year"),
        PlanVersion.Interval.YEARLY: pgettext("portal", "{amount} a year"),
    }
    return words[PlanVersion.Interval(version.interval)].format(amount=formats.money(version.amount))


def _state(row: Subscription) -> tuple[str, str]:
    return {
        Subscription.Status.ACTIVE: (pgettext("portal", "Active"), "good"),
        Subscription.Status.PENDING: (pgettext("portal", "Starts later"), "info"),
        Subscription.Status.PAUSED: (pgettext("portal", "Paused"), "neutral"),
        Subscription.Status.INCOMPLETE: (pgettext("portal", "Waits for a payment"), "info"),
    }.get(Subscription.Status(row.status), (pgettext("portal", "Ended"), "neutral"))


def _facts(row: Subscription, formats: Formats, zone: ZoneInfo) -> list[tuple[str, str]]:
    def day(moment: datetime) -> str:
        return formats.day(dates.local_date(moment, zone))

    facts = [(pgettext("portal", "Plan"), row.plan_version.name_on_invoices)]
    if row.started_at is not None:
        facts.append((pgettext("portal", "Since"), day(row.started_at)))
    elif row.status == Subscription.Status.PENDING:
        facts.append((pgettext("portal", "Starts on"), day(row.subscription_at)))
    if row.next_billing_date is not None and row.status == Subscription.Status.ACTIVE:
        facts.append((pgettext("portal", "Next invoice"), formats.day(row.next_billing_date)))
    if row.ending_at is not None:
        facts.append((pgettext("portal", "Ends on"), day(row.ending_at)))
    if row.change_day is not None and (follower := row.follower) is not None:
        changes = f"{follower.plan_version.name_on_invoices}, {formats.day(row.change_day)}"
        facts.append((pgettext("portal", "Changes to"), changes))
    return facts
