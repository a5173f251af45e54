"""The sample's running month: its usage so far, what goes wrong with it, and what people decide. In which order, and
what is waited for. Nothing of it is played once the month is over, so that the scheduler bills what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from config.demo import (
    agreement,
    astray,
    bars,
    builds,
    decisions,
    lives,
    loading,
    mended,
    price_list,
    running,
    sending,
    unlocked,
    usage,
    waiting,
    watching,
    workspaces,
)
from config.demo.api import Api
from config.demo.buyers import Buyer
from config.demo.log import Request
from config.demo.sending import Sent
from config.kernel import dates


@dataclass(frozen=True)
class Present:
    """What the running month is made of: the log, whose account an address is, the customers, the last full month."""

    requests: Sequence[Request]
    account_of: Mapping[str, str]
    people: Sequence[Buyer]
    last_month: date

    @property
    def month(self) -> date:
        """The running month."""
        return dates.add_months(self.last_month, 1)

    def workspaces(self) -> list[dict[str, Any]]:
        """Return the bodies of the workspaces, which begin with the last full month."""
        return [
            workspaces.subscription(self.people[holder.rank], holder, first_day=self.last_month)
            for holder in workspaces.HOLDERS
        ]

    def usage(self, *, until: datetime) -> list[dict[str, object]]:
        """Return the events of the hosting until an instant, in the order in which they happen."""
        return list(running.events(self.requests, month=self.month, account_of=self.account_of, until=until))

    def extras(self, *, until: datetime) -> list[dict[str, object]]:
        """Return the events beside it: large downloads and those that are not billable yet."""
        downloads = workspaces.downloads(self.requests, self.people, self.account_of, month=self.month, until=until)
        unknown = astray.unknown(
            self.requests,
            month=self.month,
            account_of=self.account_of,
            account=self.people[astray.UNKNOWN_RANK].external_id,
            until=until,
        )
        return [*downloads, *unknown]

    def seats(self, *, until: datetime) -> list[dict[str, object]]:
        """Return the events of seats until an instant."""
        found = workspaces.seats(self.people, first_month=self.last_month, month=self.month, until=until)
        return list(found)

    def builds(self, *, until: datetime) -> list[dict[str, object]]:
        """Return the events of build runners until an instant."""
        return list(builds.events(self.people, last_month=self.last_month, month=self.month, until=until))

    def late(self) -> list[dict[str, object]]:
        """Return the events that come too late: for the month before the last full one."""
        return astray.late(
            self.requests,
            month_number=len(usage.SHARES) - 2,
            month=dates.add_months(self.last_month, -1),
            account_of=self.account_of,
            account=self.people[astray.LATE_RANK].external_id,
        )


def is_offered(api: Api) -> bool:
    """Say whether the plans have what the running month is about. Those of an older sample do not. Raises Refused."""
    tariff = next(tariff for tariff in price_list.TARIFFS if tariff.addresses)
    plan = api.find("plans", price_list.plan_code(tariff.code, price_list.CURRENCIES[0]))["plan"]
    return bool(plan["fixed_charges"])


def begin(api: Api, now: Present, *, at: datetime) -> None:
    """Begin workspaces and build runners, with their usage: past periods are billed with that. Raises Refused.

    Usage goes in before, as all usage does.
    """
    found = [*now.seats(until=at), *now.builds(until=at)]
    past = [event for event in found if int(str(event["timestamp"])) < _start(now)]
    sending.send(api, past, done=_ignore)
    runners = builds.backdated(now.people, first_day=now.last_month, at=at)
    loading.add_subscriptions(api, [*now.workspaces(), *runners])


def go_on(
    api: Api,
    now: Present,
    *,
    at: datetime,
    known: sending.Known,
    check: Callable[[], object],
    clock: Callable[[], datetime],
) -> Sent:
    """Send the month's usage so far and let people decide; wait until it is billed. Safe to repeat. Raises Refused.

    Returns how many events were sent. The events that come late are held by the inbox.
    """
    until = running.until(at)
    hosting = now.usage(until=until)
    with bars.bar("Running month", len(hosting)) as bar:
        sent = sending.send(api, hosting, done=bar.update, known=known)
    for events in (now.seats(until=until), now.builds(until=until), now.extras(until=until), now.late()):
        sent += sending.send(api, events, done=_ignore, known=known)
    _correct(api, now, hosting)
    held = usage.subscription_id(now.people[astray.LATE_RANK].external_id)
    own = [str(body["external_id"]) for body in now.workspaces()]
    stages: Iterable[tuple[str, str, Callable[[], int]]] = (
        ("late_usage", "late events", lambda: waiting.late_usage_missing(external_id=held)),
        ("advance_events", "events paid in advance", lambda: waiting.advance_events(external_ids=own)),
    )
    for job, what, left in stages:
        waiting.until_done(left, job=job, what=what, clock=clock, moved=_ignore, check=check)
    decisions.make(api, now.people, month=now.month)
    lives.make(api, now.people, month=now.month)
    unlocked.make(api, now.people)
    watching.make(api, now.people)
    agreement.make(api, now.people, month=now.month)
    mended.make(api, now.people, month=now.month)
    return sent


def _correct(api: Api, now: Present, events: Collection[dict[str, object]]) -> None:
    """Take back and amend the first events of one customer. Sent again, a correction changes nothing."""
    own = usage.subscription_id(now.people[astray.MISTAKEN_RANK].external_id)
    found = (event for event in events if event["external_subscription_id"] == own)
    bodies = list(astray.corrections(found))
    if bodies:
        api.send("events/corrections", {"events": bodies})


def _start(now: Present) -> int:
    start = min(buyer.seller.start_of(now.month) for buyer in now.people)
    return int(start.timestamp())


def _ignore(count: int) -> None:
    """Show nothing."""
