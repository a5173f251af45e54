"""Wallets: making, changing and ending them. What goes in and out is next door: `wallet_top_ups`, `wallet_draws`.

A wallet keeps its customer, seller, currency and rate. What is left when it ends is lost to the customer: what was paid
for is earned then.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from django.conf import settings
from django.db import transaction
from moneyed import Money

from catalog.models import BillableMetric
from config.kernel import actors, db, errors, events, money
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness
from customers.models import Customer
from customers.queries import billing_entities, customers
from invoicing.domain import ledger, wallets
from invoicing.domain.facts import BalancesMoved
from invoicing.models import Invoice, InvoiceLine, RecurringTransactionRule, Wallet, WalletTransaction
from invoicing.queries import wallets as known
from invoicing.services import (
    announcements,
    chosen_sections,
    open_invoices,
    wallet_notes,
    wallet_rows,
    wallet_rules,
    wallet_settlements,
)
from invoicing.services import ledger as books
from invoicing.services.wallet_rules import RuleValues

log = logging.getLogger(__name__)

CHUNK = 200
_PLAIN = ("name", "priority", "expiration_at", "invoice_requires_successful_payment", "purchase_order_number")
_LIMITS = ("paid_top_up_min_amount", "paid_top_up_max_amount")


class WalletValues(TypedDict, total=False):
    """What a wallet is made of. Limits are in minor units of its currency; no kinds and no metrics mean all lines.

    ``custom_section_codes`` are the texts of invoices for purchases; None leaves them to the customer.
    """

    external_customer_id: str
    billing_entity_code: str
    code: str
    name: str
    currency: str
    rate_amount: Decimal
    priority: int
    expiration_at: datetime | None
    invoice_requires_successful_payment: bool
    purchase_order_number: str
    paid_top_up_min_amount_cents: int | None
    paid_top_up_max_amount_cents: int | None
    fee_types: Sequence[str]
    billable_metric_codes: Sequence[str]
    metadata: Mapping[str, Any]
    custom_section_codes: Sequence[str] | None


class UnableToChange(errors.NotAllowed):
    """The wallet is terminated."""


@transaction.atomic
def create(
    *,
    values: WalletValues,
    actor: Actor,
    at: datetime,
    public_id: uuid.UUID | None = None,
    recurring: Sequence[RuleValues] = (),
) -> Wallet:
    """Make an empty wallet, with the rules that top it up. A customer without a currency gets this one; without a code
    it gets one from its name.

    Raises NotFound (`customer_not_found`, `billing_entity_not_found`) and Invalid with codes per field: a customer has
    so many active wallets at most (`wallet_limit_reached`), in its own currency (`currencies_does_not_match`), each of
    a code of its own. Of the rules it raises what `wallet_rules.agree` raises.
    """
    found = customers.by_external_id(external_id=values.get("external_customer_id", ""))
    customer = db.lock_one(Customer.objects.filter(pk=found.pk))
    currency = _currency(values.get("currency") or customer.currency, customer)
    rate = values.get("rate_amount")
    if rate is None or rate <= 0:
        raise _refused("rate_amount", "invalid_rate", "A credit is worth more than nothing.")
    active = Wallet.objects.filter(customer=customer, status=Wallet.Status.ACTIVE)
    taken = set(active.values_list("code", flat=True))
    if len(taken) >= settings.MAX_ACTIVE_WALLETS:
        raise _refused("customer", "wallet_limit_reached", "The customer has as many wallets as one may have.")
    seller_code = values.get("billing_entity_code")
    seller = billing_entities.by_code(code=seller_code) if seller_code else customer.billing_entity
    wallet = Wallet(
        uuid=public_id or uuid.uuid4(),
        created_at=at,
        updated_at=at,
        customer=customer,
        billing_entity=seller,
        currency=currency,
        rate_amount=rate,
        code=values.get("code") or _free_code(values.get("name", ""), taken),
    )
    _assign(wallet, values, at)
    with uniqueness.told(invoicing_wallet_code="code"):
        wallet.save(force_insert=True)
    wallet.billable_metrics.set(_metrics(values.get("billable_metric_codes", ())))
    if not customer.currency:
        customer.currency, customer.updated_at = currency, at
        customer.save(update_fields=["currency", "updated_at"])
    audit.record(actor=actor, at=at, verb="create", instance=wallet, new=values)
    if recurring:
        wallet_rules.agree(wallet_id=wallet.pk, values=recurring, actor=actor, at=at, tells=False)
    announcements.wallet_made(wallet=wallet, at=at)
    events.publish(BalancesMoved(customer_ids=(customer.pk,), at=at))
    return wallet


@transaction.atomic
def update(
    *, wallet_id: int, values: WalletValues, actor: Actor, at: datetime, recurring: Sequence[RuleValues] | None = None
) -> Wallet:
    """Change what ``values`` holds of an active wallet; without a difference nothing is written.

    ``recurring`` are all rules that top it up from now on; None leaves them. Currency and rate stay as they are.
    Raises NotFound, UnableToChange (`wallet_not_active`), Invalid with codes per field (`modification_not_allowed` for
    another seller), and what `wallet_rules.agree` raises.
    """
    wallet = known.locked(wallet_id)
    _demand_active(wallet)
    seller = values.get("billing_entity_code")
    if seller and seller != wallet.billing_entity.code:
        raise _refused("billing_entity_code", "modification_not_allowed", "A wallet stays with its seller.")
    fields = [*_PLAIN, *_LIMITS, "code", "fee_types", "metadata", "custom_section_ids"]
    before = {field: getattr(wallet, field) for field in fields}
    if values.get("code"):
        wallet.code = values["code"]
    _assign(wallet, values, at)
    old = {field: value for field, value in before.items() if getattr(wallet, field) != value}
    new: dict[str, Any] = {field: getattr(wallet, field) for field in old}
    if old:
        wallet.updated_at = at
        with uniqueness.told(invoicing_wallet_code="code"):
            wallet.save(update_fields=[*old, "updated_at"])
    if "billable_metric_codes" in values:
        chosen = _metrics(values["billable_metric_codes"])
        held = sorted(metric.code for metric in wallet.billable_metrics.all())
        if held != sorted(metric.code for metric in chosen):
            wallet.billable_metrics.set(chosen)
            old["billable_metrics"], new["billable_metrics"] = held, sorted(metric.code for metric in chosen)
    if old:
        audit.record(actor=actor, at=at, verb="update", instance=wallet, old=_plain(old), new=_plain(new))
    if recurring is not None:
        wallet_rules.agree(wallet_id=wallet.pk, values=recurring, actor=actor, at=at, tells=not old)
    if old:
        announcements.wallet_changed(wallets=[wallet], at=at)
        events.publish(BalancesMoved(customer_ids=(wallet.customer_id,), at=at))
    return wallet


@transaction.atomic
def terminate(*, wallet_id: int, actor: Actor, at: datetime, reason: str = "") -> Wallet:
    """End a wallet with its rules. What is left goes out as voided: what was paid for is earned, on the local day of
    ``at``. Purchases that wait for their payment before they are invoiced are given up; an invoice that was issued
    stays. Idempotent. Raises NotFound.
    """
    for invoice_id in _waiting(wallet_id):
        # Whoever records a payment holds the invoice before the wallet that it goes into.
        open_invoices.locked(invoice_id)
    wallet = known.locked(wallet_id)
    if wallet.status == Wallet.Status.TERMINATED:
        return wallet
    for invoice_id in _waiting(wallet_id):
        wallet_settlements.fail(invoice_ids=[invoice_id], at=at, actor=actor)
        open_invoices.close(invoice_id=invoice_id, reason="The wallet was terminated.", actor=actor, at=at)
    grants = known.open_grants(wallet_ids=[wallet.pk])[wallet.pk]
    parts = wallets.all_of([wallet_rows.grant(row) for row in grants])
    lost = {"credits": wallet.credits_balance, "amount_cents": money.to_minor(wallet.balance_amount)}
    if parts:
        voided = take_out(wallet=wallet, parts=parts, grants=grants, at=at, name=reason[:255])
        announcements.moved(transactions=[voided], at=at)
    RecurringTransactionRule.objects.filter(wallet=wallet, status=RecurringTransactionRule.Status.ACTIVE).update(
        status=RecurringTransactionRule.Status.TERMINATED, terminated_at=at, updated_at=at
    )
    wallet.status = Wallet.Status.TERMINATED
    wallet.terminated_at = wallet.updated_at = at
    wallet.save(update_fields=["status", "terminated_at", "updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="terminate",
        instance=wallet,
        old={"status": Wallet.Status.ACTIVE, **lost},
        new={"status": Wallet.Status.TERMINATED},
        reason=reason,
    )
    announcements.wallet_ended(wallet=wallet, at=at)
    events.publish(BalancesMoved(customer_ids=(wallet.customer_id,), at=at))
    return wallet


@transaction.atomic
def end_of_customer(*, customer_id: int, actor: Actor, at: datetime) -> None:
    """End the wallets of a customer that is retired, with their rules. The customer is locked; see `terminate`."""
    rows = Wallet.objects.filter(customer=customer_id, status=Wallet.Status.ACTIVE).order_by("pk")
    for pk in list(rows.values_list("pk", flat=True)):
        terminate(wallet_id=pk, actor=actor, at=at, reason="The customer was deleted.")


def expire(*, as_of: datetime) -> int:
    """Terminate every wallet whose time is over, each in its own transaction; return how many.

    May run any number of times and beside itself. One that fails is logged and stops no other.
    """
    done = 0
    for pk in list(known.expiring(as_of=as_of).values_list("pk", flat=True)):
        try:
            terminate(wallet_id=pk, actor=actors.job("expire_wallets"), at=as_of, reason="expired")
            done += 1
        except Exception:
            log.exception("wallet %s could not be terminated", pk)
    return done


def take_out(
    *,
    wallet: Wallet,
    parts: Sequence[wallets.Part],
    grants: Sequence[WalletTransaction],
    at: datetime,
    **fields: Any,
) -> WalletTransaction:
    """Void parts of the grants of a locked wallet: what was paid for of them is earned, without tax."""
    flow = wallet_rows.outflow(
        wallet=wallet, parts=parts, grants=grants, kind=WalletTransaction.Kind.VOIDED, at=at, **fields
    )
    wallet_rows.write(outflows=[flow])
    row = flow.transaction
    source = wallet_rows.source(
        booking=ledger.prepaid_expired(row.purchased_amount),
        row=row,
        wallet=wallet,
        timezone=wallet.customer.applicable_timezone,
        at=at,
        text=f"Credits of {wallet} voided",
    )
    books.post_many(sources=[source], at=at)
    return row


def _waiting(wallet_id: int) -> list[int]:
    """Return the invoices of purchases that are invoiced once they are paid, in the order of their keys."""
    rows = WalletTransaction.objects.filter(
        wallet=wallet_id, status=WalletTransaction.Status.PENDING, invoice__status=Invoice.Status.OPEN
    )
    return [pk for pk in rows.order_by("invoice_id").values_list("invoice_id", flat=True) if pk is not None]


def _assign(wallet: Wallet, values: WalletValues, at: datetime) -> None:
    """Set what was given. Raises Invalid with codes per field."""
    given: Mapping[str, Any] = values
    for field in _PLAIN:
        if field in given:
            setattr(wallet, field, given[field])
    if not wallets.FIRST <= wallet.priority <= wallets.LAST:
        raise _refused("priority", "value_is_invalid", "A priority is from 1 to 50.")
    expires = given.get("expiration_at")
    if expires is not None and expires <= at:
        raise _refused("expiration_at", "invalid_date", "A wallet ends in the future.")
    _assign_limits(wallet, given)
    if "fee_types" in given:
        kinds = list(dict.fromkeys(given["fee_types"]))
        if not set(kinds) <= set(InvoiceLine.Kind.values):
            raise _refused("applies_to", "invalid_fee_types", "There is no such kind of fee.")
        wallet.fee_types = kinds
    if "metadata" in given:
        wallet.metadata = wallet_notes.checked(given["metadata"])
    if "custom_section_codes" in given:
        wallet.custom_section_ids = chosen_sections.chosen(codes=given["custom_section_codes"])


def _assign_limits(wallet: Wallet, given: Mapping[str, Any]) -> None:
    for field in _LIMITS:
        if f"{field}_cents" in given:
            setattr(wallet, field, _limit(f"{field}_cents", given[f"{field}_cents"], wallet.currency))
    least, most = wallet.paid_top_up_min_amount, wallet.paid_top_up_max_amount
    if least is not None and most is not None and most < least:
        raise _refused("paid_top_up_max_amount_cents", "value_is_out_of_range", "It is less than the least purchase.")


def _limit(field: str, cents: int | None, currency: str) -> Money | None:
    if cents is None:
        return None
    if cents <= 0:
        raise _refused(field, "value_is_out_of_range", "A limit is more than nothing.")
    return money.from_minor(cents, currency)


def _metrics(codes: Sequence[str]) -> list[BillableMetric]:
    wanted = list(dict.fromkeys(codes))
    found = list(BillableMetric.objects.filter(code__in=wanted, deleted_at__isnull=True).order_by("pk"))
    if len(found) != len(wanted):
        raise _refused("applies_to", "invalid_limitations", "There is no such metric.")
    return found


def _currency(code: str, customer: Customer) -> str:
    if not code or not money.known(code):
        raise _refused("currency", "invalid_currency", f"{code or 'Nothing'} is no currency.")
    if customer.currency and customer.currency != code:
        message = f"The customer is billed in {customer.currency}, not in {code}."
        raise _refused("currency", "currencies_does_not_match", message)
    return code


def _free_code(name: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:200] or "default"
    number = 2
    code = base
    while code in taken:
        code = f"{base}_{number}"
        number += 1
    return code


def _demand_active(wallet: Wallet) -> None:
    if wallet.status != Wallet.Status.ACTIVE:
        raise UnableToChange("wallet_not_active", "The wallet is terminated.")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {field: money.to_minor(value) if isinstance(value, Money) else value for field, value in values.items()}


def _refused(field: str, code: str, message: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", message, {field: [code]})
