"""What the next invoices of a subscription will be: its next billing days, played and undone. Owns the play and its
clock; what is billed is decided by the verbs and by `billing_days`, so that what is told is what will be billed.

Everything that is agreed comes to pass on its day: the start, the end of a trial, a change of plan, a resume, the
phases and the renewal of a contract, the end. Usage is what is stored now. Nothing stays: no row, no number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import OperationalError, connection, models, transaction

from billing.domain import forecast_steps
from billing.domain.forecast_steps import Known, Step, StepKind
from billing.models import BilledPeriod, Subscription
from billing.queries import subscriptions as known
from billing.services import billing_days, contract_days, pauses, plan_turns, subscriptions, terminations, trials
from catalog.models import Charge
from config.kernel import actors, dates, errors
from config.platform.services import outbox
from customers.models import Customer
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.services import invoices

PERIODS = 3
"""How many billing days are told unless asked otherwise."""

MOST_STEPS = 24
MOST_SUBSCRIPTIONS = 25
"""A customer with more of them running has only this one billed: its lines are the same, but stand alone."""

_ACTOR = actors.job("forecast")
_WAIT = "2s"
Status = Subscription.Status


class UsageState(StrEnum):
    """How much of the usage of a billing day is known: none is billed, all, what came so far, or nothing yet."""

    NONE = "none"
    COUNTED = "counted"
    SO_FAR = "so_far"
    TO_COME = "to_come"


class Busy(errors.Conflict):
    """The customer is being billed at this moment."""


@dataclass(frozen=True)
class BillingDay:
    """What would be billed on a local day: invoices with their lines, and credit notes; the rows exist no more.

    ``lines`` are those of the subscription, ``others_count`` counts those of others on the same invoices. ``usage`` is
    the time whose usage is billed, or nothing where the plan has no prices for usage.
    """

    day: date
    invoices: tuple[Invoice, ...]
    lines: tuple[InvoiceLine, ...]
    credit_notes: tuple[CreditNote, ...]
    usage: tuple[datetime, datetime] | None
    others_count: int = 0

    def usage_state(self, *, at: datetime) -> UsageState:
        """Say how much of the usage that is billed is known."""
        if self.usage is None:
            return UsageState.NONE
        first, end = self.usage
        if end <= at:
            return UsageState.COUNTED
        return UsageState.SO_FAR if first <= at else UsageState.TO_COME


@dataclass(frozen=True)
class Forecast:
    """The next billing days of the subscriptions under an external id, the soonest first.

    ``ends_on`` is the local day on which the last of them ends within that time. ``waits_for`` says why nothing more is
    known: a resume or a payment that nobody agreed a day for.
    """

    at: datetime
    timezone: str
    days: tuple[BillingDay, ...]
    ends_on: date | None = None
    waits_for: str = ""
    is_alone: bool = False


class _Undo(Exception):
    """Ends a play, so that nothing of it stays."""


def of(*, subscription: Subscription, at: datetime, periods_count: int = PERIODS) -> Forecast:
    """Return what the next billing days of a subscription would bill, as it is known at ``at``.

    Time that is due already and not billed yet comes first. The customer is locked while it is played, for a moment;
    raises Busy where somebody else is billing it, and what billing raises.
    """
    found: list[Forecast] = []
    try:
        with hurried(), outbox.silence(), transaction.atomic():
            found.append(_play(subscription, at, periods_count))
            raise _Undo
    except _Undo:
        return found[0]


@contextmanager
def hurried() -> Iterator[None]:
    """Say Busy where a lock is not to be had soon: nobody waits for a play."""
    try:
        yield
    except OperationalError as error:
        if "lock timeout" in str(error) or "deadlock detected" in str(error):
            raise _busy() from None
        raise


def _play(subscription: Subscription, at: datetime, periods_count: int) -> Forecast:
    customer_id, external_id = subscription.customer_id, subscription.external_id
    hold(customer_id=customer_id)
    running = Subscription.objects.filter(customer_id=customer_id, status=Status.ACTIVE).count()
    play = Play(external_id, customer_id, at, is_alone=running > MOST_SUBSCRIPTIONS)
    for _ in range(MOST_STEPS):
        if len(play.billed_days()) >= periods_count or not play.step():
            break
    return play.result(periods_count)


def hold(*, customer_id: int) -> None:
    """Hold a customer for a play, and wait for no other lock for long. Needs a transaction. Raises Busy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_WAIT])
    rows = Customer.objects.filter(pk=customer_id)
    if not list(rows.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)):
        raise _busy()


class Play:
    """One play: the clock of it, and what was there before. Needs a transaction, which the caller undoes."""

    def __init__(self, external_id: str, customer_id: int, at: datetime, *, is_alone: bool) -> None:
        self.chain = Subscription.objects.filter(external_id=external_id, customer_id=customer_id)
        self.external_id, self.customer_id = external_id, customer_id
        self.at = self.clock = at
        self.is_alone = is_alone
        self.done: set[Step] = set()
        self.last_period = _last(BilledPeriod.objects.filter(subscription__in=self.chain))
        self.last_note = _last(CreditNote.objects.filter(customer_id=customer_id))

    def current(self) -> Subscription | None:
        """Return the subscription that lives now."""
        rows = self.chain.filter(
            models.Q(status__in=[Status.ACTIVE, Status.PAUSED, Status.INCOMPLETE])
            | models.Q(status=Status.PENDING, previous__isnull=True)
        )
        return known.with_contract(rows).order_by("-pk").first()

    def step(self) -> bool:
        """Let the next thing come to pass; say whether there was one."""
        current = self.current()
        if current is None or current.status == Status.INCOMPLETE:
            return False
        found = forecast_steps.next_step(_known(current), clock=self.clock, done=self.done)
        if found is None:
            return False
        self.done.add(found)
        self.clock = max(self.clock, found.at)
        self._finalize()
        if current.contract_item is not None:
            contract_days.move_on(contract_id=current.contract_item.contract_id, actor=_ACTOR, at=self.clock)
        self._do(found.kind, current.pk)
        return True

    def billed_days(self) -> set[date]:
        """Return the local days that were billed in the play."""
        return set(self._periods().values_list("billing_date", flat=True))

    def first_invoice(self) -> Invoice | None:
        """Return the first invoice that was made in the play, nothing while there is none."""
        period = self._periods().filter(invoice__isnull=False).order_by("billing_date", "pk").first()
        return None if period is None else period.invoice

    def result(self, periods_count: int) -> Forecast:
        """Read what was made."""
        periods: dict[date, list[BilledPeriod]] = defaultdict(list)
        for period in self._periods().order_by("billing_date", "pk"):
            periods[period.billing_date].append(period)
        zone = dates.zone(_customer(self.customer_id).applicable_timezone)
        notes: dict[date, list[CreditNote]] = defaultdict(list)
        mine = BilledPeriod.objects.filter(subscription__in=self.chain).values("invoice_id")
        for note in CreditNote.objects.filter(pk__gt=self.last_note, invoice_id__in=mine).order_by("pk"):
            notes[dates.local_date(note.created_at, zone)].append(note)
        shown = sorted(periods.keys() | notes.keys())[:periods_count]
        ids = [row.invoice_id for day in shown for row in periods[day] if row.invoice_id is not None]
        rows = Invoice.objects.filter(pk__in=ids).order_by("pk").prefetch_related("lines")
        found = {row.pk: row for row in rows}
        versions = {row.plan_version_id for day in shown for row in periods[day]}
        priced = set(Charge.objects.filter(plan_version_id__in=versions).values_list("plan_version_id", flat=True))
        current = self.current()
        last = self.chain.filter(status=Status.TERMINATED).order_by("-terminated_at").first()
        return Forecast(
            at=self.at,
            timezone=zone.key,
            days=tuple(self._day(day, periods[day], found, notes[day], priced) for day in shown),
            ends_on=None if current is not None else _ended_on(last, zone),
            waits_for=_waits_for(current, is_full=len(shown) >= periods_count),
            is_alone=self.is_alone,
        )

    def _day(
        self,
        day: date,
        periods: Sequence[BilledPeriod],
        found: dict[int, Invoice],
        notes: Sequence[CreditNote],
        priced: Collection[int],
    ) -> BillingDay:
        bills = tuple({row.invoice_id: found[row.invoice_id] for row in periods if row.invoice_id in found}.values())
        lines = [line for bill in bills for line in bill.lines.all()]
        own = tuple(line for line in lines if line.group_key == self.external_id)
        times = [row for row in periods if row.charges_to_at > row.charges_from_at and row.plan_version_id in priced]
        usage = (min(row.charges_from_at for row in times), max(row.charges_to_at for row in times)) if times else None
        return BillingDay(day, bills, own, tuple(notes), usage, len(lines) - len(own))

    def _periods(self) -> models.QuerySet[BilledPeriod]:
        rows = BilledPeriod.objects.filter(subscription__in=self.chain, pk__gt=self.last_period)
        return rows.exclude(reason__in=BilledPeriod.WITHIN)

    def _do(self, kind: StepKind, pk: int) -> None:
        if kind is StepKind.START:
            subscriptions.activate(subscription_id=pk, actor=_ACTOR, at=self.clock)
        elif kind is StepKind.RESUME:
            pauses.resume_as_agreed(subscription_id=pk, actor=_ACTOR, at=self.clock)
        elif kind is StepKind.END:
            terminations.end_as_agreed(subscription_id=pk, actor=_ACTOR, at=self.clock)
        elif kind is StepKind.TRIAL_END:
            trials.end(subscription_id=pk, actor=_ACTOR, at=self.clock)
        elif not self.is_alone:
            billing_days.bill_customers(
                customer_ids=[self.customer_id], as_of=self.clock, catch_up=settings.BILLING_CATCH_UP, actor=_ACTOR
            )
        else:
            self._bill_alone()

    def _bill_alone(self) -> None:
        options = {"as_of": self.clock, "catch_up": settings.BILLING_CATCH_UP, "actor": _ACTOR}
        moved = plan_turns.take_effect(
            customer_ids=[self.customer_id], as_of=self.clock, actor=_ACTOR, external_id=self.external_id
        )
        billing_days.give_back(subscription_ids=moved, **options)
        ids = list(self.chain.filter(next_billing_date__isnull=False).values_list("pk", flat=True))
        billing_days.bill_subscriptions(subscription_ids=ids, **options)

    def _finalize(self) -> None:
        """Issue the drafts whose grace is over by the clock, those that are there already included."""
        drafts = Invoice.objects.filter(
            customer_id=self.customer_id, status=Invoice.Status.DRAFT, finalize_after__lte=self.clock
        )
        ids = list(drafts.order_by("pk").values_list("pk", flat=True))
        if ids:
            invoices.finalize_many(invoice_ids=ids, actor=_ACTOR, at=self.clock)


def moves_of(current: Subscription) -> Known:
    """Return what comes to pass of a subscription besides its billing days. Reads it with its contract and customer."""
    found = _known(current)
    return Known(
        starts_at=found.starts_at,
        resumes_at=found.resumes_at,
        ends_at=found.ends_at,
        trial_ends_at=found.trial_ends_at,
    )


def _known(current: Subscription) -> Known:
    zone = dates.zone(current.customer.applicable_timezone)
    grace = timedelta(days=current.customer.applicable_grace_period)
    change_day = current.change_day if current.status == Status.ACTIVE else None
    has_trial = current.status == Status.ACTIVE and current.trial_ended_at is None
    contract = None if current.contract_item is None else current.contract_item.contract
    after = None if contract is None else contract.ends_on + timedelta(days=1)
    is_active = current.status == Status.ACTIVE
    return Known(
        starts_at=current.subscription_at if current.status == Status.PENDING else None,
        resumes_at=pauses.resumes_at(current),
        ends_at=current.ending_at if current.status in (Status.ACTIVE, Status.PAUSED) else None,
        trial_ends_at=current.trial_ends_at if has_trial else None,
        changes_at=None if change_day is None else dates.start_of_day(change_day, zone),
        bills_at=_start(current.next_billing_date if is_active else None, zone),
        settles_at=_start(current.next_billing_date + grace if is_active and current.next_billing_date else None, zone),
        renews_at=_start(after if is_active else None, zone),
    )


def _start(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else dates.start_of_day(day, zone)


def _ended_on(last: Subscription | None, zone: ZoneInfo) -> date | None:
    return None if last is None or last.terminated_at is None else dates.local_date(last.terminated_at, zone)


def _waits_for(current: Subscription | None, *, is_full: bool) -> str:
    if current is None or is_full:
        return ""
    if current.status == Status.INCOMPLETE:
        return "payment"
    return "resume" if current.status == Status.PAUSED and current.change_date is None else ""


def _customer(customer_id: int) -> Customer:
    return Customer.objects.select_related("billing_entity").get(pk=customer_id)


def _last(rows: models.QuerySet[BilledPeriod] | models.QuerySet[CreditNote]) -> int:
    found: int | None = rows.order_by("-pk").values_list("pk", flat=True).first()
    return found or 0


def _busy() -> Busy:
    return Busy("customer_is_being_billed", "The customer is being billed at this moment. Ask again in a few seconds.")
