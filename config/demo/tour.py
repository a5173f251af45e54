"""The sample from an empty database to paid invoices: what happens in which order, and what is said about it.

The usage goes in before the subscriptions: the scheduler runs all the time and bills elapsed periods as soon as
somebody subscribes who wants them billed. So an interrupted start never leaves an invoice over half of a month's usage.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from config.demo import (
    bars,
    buyers,
    comparing,
    earlier,
    installation,
    loading,
    log,
    movements,
    offers,
    paying,
    present,
    running,
    sellers,
    sending,
    state,
    usage,
    waiting,
)
from config.demo.api import Api
from config.demo.buyers import Buyer
from config.demo.hosting import Host
from config.demo.log import Request
from config.demo.present import Present
from config.demo.sending import Sent
from config.demo.state import State
from config.demo.usage import Totals
from config.kernel import dates

Say = Callable[[str], object]
Clock = Callable[[], datetime]


@dataclasses.dataclass(frozen=True)
class Material:
    """The log, whose account every address is, and the months that are played."""

    requests: list[Request]
    account_of: dict[str, str]
    months: list[date]

    @classmethod
    def read(cls, last_month: date) -> Material:
        """Read the log and work out the rest."""
        requests = log.read()
        return cls(requests, usage.accounts(requests), usage.months(last_month))

    @property
    def buyers(self) -> list[Buyer]:
        """The customers, busiest first, and the community customer last."""
        own = dict.fromkeys(account for account in self.account_of.values() if account != usage.COMMUNITY)
        return buyers.all_of(list(own))

    def played(self) -> dict[date, list[Request]]:
        """Return the requests of each month, oldest month first."""
        return {month: usage.played(self.requests, month_number=n) for n, month in enumerate(self.months)}

    @property
    def present(self) -> Present:
        """What the running month is made of."""
        return Present(self.requests, self.account_of, self.buyers, self.months[-1])

    def totals(self) -> dict[date, Totals]:
        """Return what each month's requests add up to."""
        return {month: usage.totals(requests) for month, requests in self.played().items()}


def set_up(*, folder: Path, at: datetime, say: Say = lambda _: None) -> State:
    """Prepare the installation and return what to remember, saved already. Raises NotASample."""
    installation.prepare(at=at, say=say)
    known = state.load(folder)
    if known is None:
        first = installation.first_month()
        last = sellers.last_full_month(at) if first is None else dates.add_months(first, len(usage.SHARES) - 1)
        known = State(last_month=last)
    secret = installation.api_key(secret=known.api_key, at=at)
    password = installation.administrator(password=known.password)
    known = dataclasses.replace(known, api_key=secret, password=password)
    state.save(folder, known)
    state.save_key(folder, secret)
    return known


def play(*, host: Host, known: State, say: Say, clock: Clock) -> list[comparing.Row]:
    """Load, send, bill, deliver and pay, and return the comparison with the log. Safe to repeat.

    Raises Refused, ProgramEnded, Stuck.
    """
    material = Material.read(known.last_month)
    people = material.buyers
    with Api(host.url, known.api_key) as api:
        _load_catalogue(api, people, at=clock())
        ids = [*(buyer.external_id for buyer in people), *movements.external_ids()]
        now, stored = material.present, sending.stored(api, months=[*material.months, material.present.month])
        sent = send_usage(api, material, known=stored)
        say(f"Usage: {sent.new:,} events sent to {host.url}/api/v1/events/batch, {sent.known:,} were there already.")
        with bars.bar("Subscriptions", len(people)) as bar:
            loading.subscriptions(api, people, first_day=material.months[0], step=bar.update)
        is_whole = present.is_offered(api)
        if is_whole:
            present.begin(api, now, at=clock())
            earlier.play(people, month=now.last_month)
            movements.play(last_month=now.last_month)
        started = time.monotonic()
        _bill(host, ids, clock)
        _deliver(host, ids, clock)
        say(f"Billed by the scheduler, rendered and e-mailed in {time.monotonic() - started:.0f} s.")
        if is_whole and running.is_running(now.month, at=clock()):
            # After the documents: the worker takes its work in order, and what is awaited here would stand behind them.
            sent = present.go_on(api, now, at=clock(), known=stored, check=host.check, clock=clock)
            say(f"Running month: {sent.new:,} events sent, {sent.known:,} were there already.")
            _deliver(host, ids, clock)
        paid = _pay(api, ids, known.last_month, clock())
        waiting.until_done(
            lambda: waiting.unmarked(external_ids=ids, at=clock()),
            job="overdue",
            what="overdue invoices",
            clock=clock,
            moved=_ignore,
            check=host.check,
        )
        say(f"Payments: {paid} recorded.")
        subscription_ids = [usage.subscription_id(external_id) for external_id in ids]
        return comparing.rows(api, material.totals(), subscription_ids=subscription_ids)


def send_usage(api: Api, material: Material, *, newest_first: bool = False, known: sending.Known = frozenset()) -> Sent:
    """Send the usage of all months but the ``known``, from the last line of the log to the first if so wanted.

    Raises Refused.
    """
    played = list(material.played().items())
    result = Sent()
    with bars.bar("Usage events", sum(len(requests) for _, requests in played)) as bar:
        for month, requests in reversed(played) if newest_first else played:
            chosen = requests[::-1] if newest_first else requests
            found = usage.events(chosen, month=month, account_of=material.account_of)
            result += sending.send(api, found, done=bar.update, known=known)
    return result


def _load_catalogue(api: Api, people: list[Buyer], *, at: datetime) -> None:
    loading.catalogue(api)
    installation.logos(at=at)
    bodies = [*(buyer.customer for buyer in people), *(team.customer for team in movements.TEAMS)]
    with bars.bar("Customers", len(bodies)) as bar:
        loading.customers(api, bodies, step=bar.update)
    offers.make(api, people)


def _bill(host: Host, ids: list[str], clock: Clock) -> None:
    """Wait until the scheduler has billed everything that is due."""
    stage = "Customers billed", "billing", "customers", lambda: waiting.customers_due(external_ids=ids, at=clock())
    _wait(host, clock, [stage])


def _deliver(host: Host, ids: list[str], clock: Clock) -> None:
    """Wait until all documents and e-mails are there."""
    _wait(
        host,
        clock,
        [
            ("Invoice PDFs", "deliveries", "PDFs", lambda: waiting.documents_missing(external_ids=ids)),
            ("E-mails", "deliveries", "e-mails", lambda: waiting.mails_waiting(external_ids=ids)),
        ],
    )


def _wait(host: Host, clock: Clock, stages: list[tuple[str, str, str, Callable[[], int]]]) -> None:
    for label, job, what, left in stages:
        with bars.bar(label, left()) as bar:
            waiting.until_done(left, job=job, what=what, clock=clock, moved=bar.update, check=host.check)


def _pay(api: Api, ids: list[str], last_month: date, at: datetime) -> int:
    invoices = api.rows("invoices", status="finalized")
    found = (paying.due(invoice, payers=ids, last_month=last_month, at=at) for invoice in invoices)
    payments = sorted((payment for payment in found if payment), key=lambda payment: (payment.paid_at, payment.number))
    with bars.bar("Payments", len(payments)) as bar:
        return paying.record(api, payments, step=bar.update)


def _ignore(count: int) -> None:
    """Show nothing."""
