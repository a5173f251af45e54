"""Rules that top up a wallet when its ongoing balance falls to a threshold. Owns when one of them fires; what is topped
up then is `rule_firings`'.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from billing.models import TopUpFiring
from billing.services import rule_firings
from invoicing.domain import top_up_rules
from invoicing.models import Invoice, RecurringTransactionRule, Wallet, WalletTransaction
from invoicing.queries import wallet_rules
from invoicing.queries import wallets as known


def fire(*, wallet: Wallet, at: datetime) -> bool:
    """Top up a locked wallet if its ongoing balance, which is of now, fell to the threshold of its rule.

    What is bought and not paid yet counts, so that the same fall is answered once. A rule that was held waits; after a
    purchase that was declined it waits an hour. Say whether credits were asked for.
    """
    rows = wallet_rules.running(trigger=top_up_rules.THRESHOLD, at=at).filter(wallet=wallet)
    rule = rows.select_for_update(no_key=True, of=("self",)).first()
    if rule is None or (rule.started_at is not None and rule.started_at > at):
        return False
    if wallet.expiration_at is not None and wallet.expiration_at <= at:
        return False
    declined_until = _declined_until(rule)
    if declined_until is not None and declined_until > at and (rule.held_until is None or rule.held_until < at):
        rule_firings.hold(rule=rule, until=declined_until, at=at)
    if rule.held_until is not None:
        if rule.held_until > at:
            return False
        rule_firings.hold(rule=rule, until=None, at=at)
    pending = known.pending_credits(wallet_ids=[wallet.pk]).get(wallet.pk, Decimal(0))
    terms = wallet_rules.terms(rule)
    if not top_up_rules.falls(terms, ongoing=wallet.credits_ongoing_balance, pending=pending):
        return False
    firing = rule_firings.fire(rule=rule, wallet=wallet, pending=pending, at=at)
    return firing.outcome == TopUpFiring.Outcome.TOPPED_UP


def _declined_until(rule: RecurringTransactionRule) -> datetime | None:
    """Return until when a rule waits because its last purchase was declined."""
    rows = WalletTransaction.objects.filter(rule=rule, transaction_status=WalletTransaction.Kind.PURCHASED)
    last = rows.select_related("invoice").order_by("-pk").first()
    if last is None:
        return None
    if last.failed_at is not None:
        return last.failed_at + top_up_rules.HOLD
    invoice = last.invoice
    is_declined = invoice is not None and invoice.payment_status == Invoice.PaymentStatus.FAILED
    return invoice.updated_at + top_up_rules.HOLD if invoice is not None and is_declined else None
