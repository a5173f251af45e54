"""Rules that top up a wallet every interval. Owns the periodic job: which rules are due on which local day, and ending
rules whose time is over. What is topped up is `rule_firings`'.

A rule fires once for a day, in a transaction of its own: a unique key of rule and day stands behind it. A day that was
missed is made up for until the next one comes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from billing.models import TopUpFiring
from billing.services import ongoing_balances, rule_firings
from config.kernel import dates
from invoicing.domain import top_up_rules
from invoicing.models import RecurringTransactionRule
from invoicing.queries import wallet_rules as known
from invoicing.queries import wallets
from invoicing.services import wallet_rules

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fired:
    """What a round did: rules that topped up, rules that ended, and what failed, by id of the rule with the reason."""

    top_ups: int
    ended: int
    failed: dict[str, str]


def run(*, as_of: datetime) -> Fired:
    """Top up wallets whose rules are due today, in the time zones of their customers; end rules: the periodic job.

    May be called any number of times, beside itself too. One that fails is told, tried again, and stops no other.
    """
    ended = wallet_rules.expire(as_of=as_of)
    made = 0
    failed: dict[str, str] = {}
    for rule in list(known.running(trigger=top_up_rules.INTERVAL, at=as_of)):
        if _day(rule, as_of) is None:
            continue
        try:
            made += fire(rule_id=rule.pk, as_of=as_of)
        except Exception as error:  # whatever one rule fails by must not keep the others waiting
            log.exception("the top-up rule %s could not fire", rule.uuid)
            failed[str(rule.uuid)] = str(error)
    return Fired(made, ended, failed)


@transaction.atomic
def fire(*, rule_id: int, as_of: datetime) -> bool:
    """Top up the wallet of a rule by interval if it is due and did not fire for the day; say whether it asked for any.

    The ongoing balance is worked out first. Takes the lock of the customer, then of its wallets. Raises what rating
    raises.
    """
    customer_ids = RecurringTransactionRule.objects.filter(pk=rule_id).values_list("wallet__customer", flat=True)
    rows = ongoing_balances.recompute(customer_id=customer_ids.get(), at=as_of)
    running = known.running(trigger=top_up_rules.INTERVAL, at=as_of).filter(pk=rule_id)
    rule = running.select_for_update(no_key=True, of=("self",)).first()
    day = None if rule is None else _day(rule, as_of)
    wallet = next((row for row in rows if rule is not None and row.pk == rule.wallet_id), None)
    if rule is None or day is None or wallet is None:
        return False
    if wallet.expiration_at is not None and wallet.expiration_at <= as_of:
        return False
    pending = wallets.pending_credits(wallet_ids=[wallet.pk]).get(wallet.pk, Decimal(0))
    firing = rule_firings.fire(rule=rule, wallet=wallet, pending=pending, at=as_of, day=day)
    return firing.outcome == TopUpFiring.Outcome.TOPPED_UP


def _day(rule: RecurringTransactionRule, as_of: datetime) -> date | None:
    """Return the local day that a rule is due for and did not fire for."""
    zone = dates.zone(rule.wallet.customer.applicable_timezone)
    started = None if rule.started_at is None else dates.local_date(rule.started_at, zone)
    created = dates.local_date(rule.created_at, zone)
    day = top_up_rules.due_day(
        rule.interval,
        anchor=started or created,
        first=top_up_rules.first_day(created=created, started=started),
        today=dates.local_date(as_of, zone),
    )
    if day is None or TopUpFiring.objects.filter(rule=rule, day=day).exists():
        return None
    return day
