"""No money is lost to late usage: what is billed, held and waived is what one rating of all events comes to."""

from __future__ import annotations

import contextlib
import itertools
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from billing.domain import trace
from billing.domain.late_usage import Decision
from billing.models import LateUsage, RatedCharge
from billing.services import event_corrections, late_usage, late_usage_corrections, runs, usage
from config.kernel import errors
from invoicing.models import Invoice, InvoiceLine
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR
from tests.factories.usage import RECEIVED_AT, make_event

pytestmark = pytest.mark.django_db

_numbers = itertools.count(1)
_EVENTS = some.tuples(some.sampled_from(["eu", "us", "xx"]), some.integers(1, 30))
_STEPS = some.lists(
    some.one_of(
        some.tuples(some.just("send"), some.lists(_EVENTS, min_size=1, max_size=4)),
        some.tuples(some.just("withdraw"), some.integers(0, 5)),
        some.tuples(some.just("decide"), some.sampled_from(list(Decision))),
        some.tuples(some.just("bill"), some.none()),
    ),
    min_size=2,
    max_size=7,
)


def price(events: list[tuple[str, int]]) -> Decimal:
    """January by hand: 1.00 each in the EU and 0.50 elsewhere, 20.00 at least."""
    total = sum((Decimal(units) if place == "eu" else Decimal(units) / 2 for place, units in events), Decimal(0))
    return max(total, Decimal(20))


@given(first=some.lists(_EVENTS, max_size=3), steps=_STEPS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_billed_held_and_waived_is_what_one_rating_of_all_events_gives(
    first: list[tuple[str, int]], steps: list[tuple[str, object]]
) -> None:
    with transaction.atomic():  # each story has the tables for itself
        story = _Story(first)
        for number, (verb, content) in enumerate(steps):
            story.do(verb, content, number)
            story.check()
        transaction.set_rollback(True)


class _Story:
    """A subscription whose January is billed, and what happens to it later."""

    def __init__(self, first: list[tuple[str, int]]) -> None:
        self.name = f"sub-{next(_numbers)}"
        metric = goods.make_metric(
            f"m-{self.name}", "sum_agg", field_name="v", filters=[{"key": "place", "values": ["eu", "us"]}]
        )
        charge = goods.standard(
            metric,
            "0.5",
            min_amount_cents=2000,
            filters=[{"properties": {"amount": "1"}, "values": {"place": ["eu"]}}],
        )
        version = goods.make_plan(f"p-{self.name}", cents=0, charges=[charge])
        self.customer = parties.make_customer(parties.make_entity(code=self.name), external_id=self.name)
        made.make_subscription(self.customer, version, self.name, at=instant("2026-01-01"))
        self.code = metric.event_code
        self.events: dict[str, tuple[str, int]] = {}
        self.month = 2
        self.send(first)
        self.bill()

    def do(self, verb: str, content: object, number: int) -> None:
        """One step, and the look that follows it."""
        if verb == "send":
            self.send(content)
        elif verb == "withdraw" and self.events:
            name = sorted(self.events)[int(str(content)) % len(self.events)]
            event_corrections.withdraw(
                external_subscription_id=self.name, transaction_id=name, reason="Test.", actor=ACTOR, at=RECEIVED_AT
            )
            del self.events[name]
        elif verb == "decide":
            self.decide(Decision(str(content)), number)
        elif verb == "bill":
            self.bill()
        late_usage.run(as_of=instant("2026-02-02"))

    def send(self, events: object) -> None:
        """Send events of January in an order that is not theirs."""
        for place, units in events:  # type: ignore[attr-defined]
            event = make_event(
                f"2026-01-{1 + units % 28:02}", external_subscription_id=self.name, code=self.code,
                properties={"v": units, "place": place},
            )  # fmt: skip
            usage.ingest(events=[event], received_at=RECEIVED_AT)
            self.events[event.transaction_id] = (place, units)

    def bill(self) -> None:
        """Bill the next month, in which nothing else is used but the minimum."""
        runs.run(as_of=instant(f"2026-{self.month:02}-01T00:10"), trigger="test", actor=ACTOR)
        self.month += 1

    def decide(self, decision: Decision, number: int) -> None:
        """Decide about one held entry, if there is any; what cannot be corrected stays held."""
        rows = LateUsage.objects.filter(subscription__external_id=self.name, state="held").order_by("pk")
        row = list(rows)[number % rows.count()] if rows else None
        if row is None:
            return
        if decision is Decision.CORRECT and row.amount.amount < 0:
            with contextlib.suppress(errors.DomainError):  # where no line is left to be credited
                self._decide(row, decision)
        else:
            self._decide(row, decision)

    def _decide(self, row: LateUsage, decision: Decision) -> None:
        late_usage.decide(entry_id=row.pk, decision=decision, reason="Test.", actor=ACTOR, at=instant("2026-02-02"))

    def check(self) -> None:
        """Billed for January by lines, and what is open or waived of it, make the price of all its events."""
        start = instant("2026-01-01")
        rows = LateUsage.objects.filter(subscription__external_id=self.name)
        lines = InvoiceLine.objects.filter(invoice__customer=self.customer, from_at=start)
        billed = sum((line.amount.amount for line in lines), Decimal(0))
        open_ = sum((row.amount.amount for row in rows if row.line_id is None), Decimal(0))
        assert billed + open_ == price(list(self.events.values()))
        assert all(invoice.total_amount.amount >= 0 for invoice in Invoice.objects.filter(customer=self.customer))
        for rated in RatedCharge.objects.filter(subscription__external_id=self.name).select_related("line"):
            assert trace.recompute(rated.trace) == rated.line.amount.amount
        for row in rows:
            assert trace.recompute(row.trace) == row.amount.amount


def test_all_invoices_are_locked_before_the_first_credit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else two corrections at once wait for each other: one for the other's invoice, one for what the customer had."""
    customer = parties.make_customer(parties.make_entity())
    lines = {number: parties.issue(customer, "50").lines.get() for number in (1, 2)}

    class Reached(Exception):
        """The first invoice is about to be credited."""

    def reached(**_: object) -> None:
        raise Reached

    monkeypatch.setattr(late_usage_corrections, "_billed_line", lambda row: lines[row])
    monkeypatch.setattr(late_usage_corrections.progressive_credits, "left_of", reached)
    with CaptureQueriesContext(connection) as asked, pytest.raises(Reached):
        late_usage_corrections._credit([2, 1], given_back_by="", actor=ACTOR, at=RECEIVED_AT)  # type: ignore[list-item]
    (locking,) = [one["sql"] for one in asked if "FOR NO KEY UPDATE" in one["sql"]]
    assert all(str(line.invoice_id) in locking for line in lines.values())
    assert 'ORDER BY "invoicing_invoice"."id" ASC' in locking
