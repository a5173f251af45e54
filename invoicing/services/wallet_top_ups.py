"""Transactions that somebody asks for: credits that are bought, given or voided.

Owns the invoice of a purchase, which is issued at once, or waits for its payment where that is asked for. Its credits
come in when it is paid: `wallet_settlements`. What is given or voided counts at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from moneyed import Money

from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from invoicing.domain import wallets as rules
from invoicing.domain.specs import InvoiceSpec, LineSpec
from invoicing.models import Invoice, Wallet, WalletTransaction
from invoicing.queries import wallets as known
from invoicing.services import (
    announcements,
    approval_actions,
    chosen_sections,
    drafting,
    finalization,
    open_invoices,
    wallet_notes,
    wallet_rows,
    wallets,
)
from invoicing.services.wallet_rules import RuleValues

LABEL = "Prepaid credits"
ITEM = "credit"
_CREDITS_END = Decimal(10) ** 15
_KEYS = uuid.UUID("7d6f1a54-6a3c-4f0e-9a53-2f6f4b0d8c11")
"""The namespace of public ids that follow from a key."""


class InvalidTopUp(errors.Invalid):
    """Nothing is asked for, less than nothing, or more is voided than there is."""


@dataclass(frozen=True)
class TopUp:
    """What is asked for, in credits. What comes to nothing is left out.

    ``voided_transaction_uuid`` is the one whose credits are voided; without it they go in their order. None leaves
    ``invoice_requires_successful_payment`` to the wallet. ``custom_section_codes`` are the texts of the invoice of a
    purchase, else ``custom_section_ids`` are, else the wallet's. ``rule_id`` and ``rule_day`` are of the rule that
    asks. What is asked for twice under the same ``key`` is done once.
    """

    paid_credits: Decimal = Decimal(0)
    granted_credits: Decimal = Decimal(0)
    voided_credits: Decimal = Decimal(0)
    voided_transaction_uuid: uuid.UUID | None = None
    invoice_requires_successful_payment: bool | None = None
    ignore_paid_top_up_limits: bool = False
    name: str = ""
    priority: int = rules.LAST
    purchase_order_number: str = ""
    custom_section_codes: Sequence[str] | None = None
    custom_section_ids: Sequence[int] | None = None
    metadata: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    source: str = WalletTransaction.Source.MANUAL
    rule_id: int | None = None
    rule_day: date | None = None
    key: str = ""

    @property
    def is_nothing(self) -> bool:
        """Say whether no credits are asked for."""
        return not (self.paid_credits or self.granted_credits or self.voided_credits)


@transaction.atomic
def top_up(*, wallet_id: int, wanted: TopUp, actor: Actor, at: datetime) -> list[WalletTransaction]:
    """Buy, give and void credits of an active wallet, in this order; return the transactions.

    What credits come to is rounded to the currency, and the credits follow. A purchase makes an invoice, which is
    issued at once or waits for its payment; its credits are pending until that is paid. Idempotent with a key only; a
    rule of an interval has one purchase and one gift a day. Raises NotFound, InvalidTopUp and InvalidCredits with codes
    per field, and ApprovalRequired for what is given.
    """
    wallet = known.locked(wallet_id)
    first = list(WalletTransaction.objects.filter(uuid__in=_public_ids(wallet, wanted).values()).order_by("pk"))
    if first:
        return first
    notes = wallet_notes.pairs(wanted.metadata)
    _demand(wallet, wanted)
    rows = []
    if wanted.paid_credits:
        rows.append(_purchase(wallet, wanted, notes, actor, at))
    if wanted.granted_credits:
        rows.append(_give(wallet, wanted, notes, actor, at))
    if wanted.voided_credits:
        rows.append(_void(wallet, wanted, notes, actor, at))
    announcements.moved(transactions=rows, at=at)
    return rows


@transaction.atomic
def create_wallet(
    *,
    values: wallets.WalletValues,
    wanted: TopUp,
    actor: Actor,
    at: datetime,
    recurring: Sequence[RuleValues] = (),
) -> Wallet:
    """Make a wallet, agree on the rules that top it up and put its first credits in, all or nothing; once under a key.

    Raises as `wallets.create` and `top_up`.
    """
    if wanted.key:
        db.advisory_lock(f"invoicing.wallet:{wanted.key}")
        first = Wallet.objects.filter(uuid=uuid.uuid5(_KEYS, wanted.key)).first()
        if first is not None:
            return first
    public_id = uuid.uuid5(_KEYS, wanted.key) if wanted.key else uuid.uuid4()
    wallet = wallets.create(values=values, actor=actor, at=at, public_id=public_id, recurring=recurring)
    if not wanted.is_nothing:
        top_up(wallet_id=wallet.pk, wanted=wanted, actor=actor, at=at)
    return wallet


def _demand(wallet: Wallet, wanted: TopUp) -> None:
    if wallet.status != Wallet.Status.ACTIVE:
        raise _refused("wallet_id", "wallet_is_terminated", "The wallet is terminated.")
    for name, quantity in (
        ("paid_credits", wanted.paid_credits),
        ("granted_credits", wanted.granted_credits),
        ("voided_credits", wanted.voided_credits),
    ):
        if quantity < 0 or quantity >= _CREDITS_END:
            raise _refused(name, f"invalid_{name}", "Credits are more than nothing, and can be counted.")
    if wanted.is_nothing:
        raise _refused("base", "invalid_amount", "No credits are asked for.")
    if not rules.FIRST <= wanted.priority <= rules.LAST:
        raise _refused("priority", "value_is_invalid", "A priority is from 1 to 50.")
    if len(wanted.name) > 255:
        raise _refused("name", "value_is_too_long", "The name is too long.")


def _purchase(
    wallet: Wallet, wanted: TopUp, notes: list[dict[str, str]], actor: Actor, at: datetime
) -> WalletTransaction:
    quantity, amount = _worth(wallet, wanted.paid_credits, "paid_credits")
    if not wanted.ignore_paid_top_up_limits:
        rules.demand_limits(amount, least=wallet.paid_top_up_min_amount, most=wallet.paid_top_up_max_amount)
    asked = wanted.invoice_requires_successful_payment
    waits = wallet.invoice_requires_successful_payment if asked is None else asked
    own = chosen_sections.first_of(chosen_sections.chosen(codes=wanted.custom_section_codes), wanted.custom_section_ids)
    row = WalletTransaction.objects.create(
        created_at=at,
        wallet=wallet,
        transaction_type=WalletTransaction.Type.INBOUND,
        transaction_status=WalletTransaction.Kind.PURCHASED,
        currency=wallet.currency,
        credit_amount=quantity,
        amount=amount,
        purchased_amount=amount,
        invoice_requires_successful_payment=waits,
        custom_section_ids=None if own is None else list(own),
        **_common(wallet, wanted, notes, WalletTransaction.Kind.PURCHASED),
    )
    row.invoice = _invoice(wallet, row, actor, at)
    row.save(update_fields=["invoice"])
    _note(wallet, row, "purchase_credits", actor, at)
    return row


def _invoice(wallet: Wallet, row: WalletTransaction, actor: Actor, at: datetime) -> Invoice:
    line = LineSpec(
        kind="credit",
        item_code=ITEM,
        item_name=row.name or LABEL,
        item_uuid=row.uuid,
        label=f"{row.name or LABEL} – {wallet}"[:512] if wallet.name else row.name or LABEL,
        units=row.credit_amount,
        unit_amount=wallet.rate_amount,
        precise_amount=row.amount.amount,
        amount=row.amount,
        from_at=at,
        to_at=at,
    )
    customer = wallet.customer
    spec = InvoiceSpec(
        customer_id=customer.pk,
        billing_entity_id=wallet.billing_entity_id,
        currency=wallet.currency,
        timezone=customer.timezone or wallet.billing_entity.timezone,
        billed_at=at,
        lines=(line,),
        purchase_order_number=row.purchase_order_number,
        custom_section_ids=chosen_sections.first_of(row.custom_section_ids, wallet.custom_section_ids),
        kind=Invoice.Kind.CREDIT,
    )
    draft = drafting.draft_many(specs=[spec], actor=actor, at=at)[0].invoice
    if row.invoice_requires_successful_payment:
        return open_invoices.hold(invoice_id=draft.pk, actor=actor, at=at)
    return finalization.finalize(invoice_id=draft.pk, actor=actor, at=at)


def _give(wallet: Wallet, wanted: TopUp, notes: list[dict[str, str]], actor: Actor, at: datetime) -> WalletTransaction:
    quantity, amount = _worth(wallet, wanted.granted_credits, "granted_credits")
    approvals.demand(action=approval_actions.GRANT_CREDITS, amount=amount, actor=actor)
    row = wallet_rows.give(
        wallet=wallet,
        quantity=quantity,
        amount=amount,
        purchased=money.zero(wallet.currency),
        at=at,
        **_common(wallet, wanted, notes, WalletTransaction.Kind.GRANTED),
    )
    _note(wallet, row, "grant_credits", actor, at)
    return row


def _void(wallet: Wallet, wanted: TopUp, notes: list[dict[str, str]], actor: Actor, at: datetime) -> WalletTransaction:
    quantity = wanted.voided_credits
    grants = known.open_grants(wallet_ids=[wallet.pk])[wallet.pk]
    common = _common(wallet, wanted, notes, WalletTransaction.Kind.VOIDED)
    if wanted.voided_transaction_uuid is not None:
        grants = [row for row in grants if row.uuid == wanted.voided_transaction_uuid]
        common["voided_transaction"] = _voided(wallet, wanted.voided_transaction_uuid)
        left = sum((row.remaining_credit_amount for row in grants), Decimal(0))
        code, name = "exceeds_remaining_transaction_amount", "voided_transaction_id"
    else:
        left, code, name = wallet.credits_balance, "insufficient_credits", "voided_credits"
    if quantity > left:
        raise _refused(name, code, f"There are {left} credits.")
    values = [wallet_rows.grant(row) for row in grants]
    if quantity == left:
        parts = rules.all_of(values)
    else:
        held = sum((one.amount for one in values), money.zero(wallet.currency))
        _, amount = _worth(wallet, quantity, "voided_credits")
        parts = rules.consume(min(amount, held), grants=values, rate=wallet.rate_amount)
    row = wallets.take_out(wallet=wallet, parts=parts, grants=grants, at=at, **common)
    _note(wallet, row, "void_credits", actor, at)
    return row


def _voided(wallet: Wallet, public_id: uuid.UUID) -> WalletTransaction:
    rows = WalletTransaction.objects.filter(
        wallet=wallet, uuid=public_id, transaction_type=WalletTransaction.Type.INBOUND
    )
    found = rows.first()
    if found is None:
        raise errors.NotFound("wallet_transaction_not_found", "There are no such credits.")
    return found


def _worth(wallet: Wallet, quantity: Decimal, name: str) -> tuple[Decimal, Money]:
    return rules.worth(quantity, rate=wallet.rate_amount, currency=wallet.currency, field=name)


def _public_ids(wallet: Wallet, wanted: TopUp) -> dict[str, uuid.UUID]:
    """Return the public ids that follow from the key: asked for again, the rows are found by them."""
    if not wanted.key:
        return {}
    return {kind: uuid.uuid5(wallet.uuid, f"{kind}:{wanted.key}") for kind in WalletTransaction.Kind.values}


def _common(wallet: Wallet, wanted: TopUp, notes: list[dict[str, str]], kind: str) -> dict[str, Any]:
    public_id = _public_ids(wallet, wanted).get(kind)
    return {
        **({} if public_id is None else {"uuid": public_id}),
        "source": wanted.source,
        "priority": wanted.priority,
        "name": wanted.name,
        "metadata": notes,
        "purchase_order_number": wanted.purchase_order_number or wallet.purchase_order_number,
        "rule_id": wanted.rule_id,
        "rule_day": wanted.rule_day,
    }


def _note(wallet: Wallet, row: WalletTransaction, verb: str, actor: Actor, at: datetime) -> None:
    audit.record(
        actor=actor,
        at=at,
        verb=verb,
        instance=wallet,
        new={
            "credits": row.credit_amount,
            "amount_cents": money.to_minor(row.amount),
            "currency": row.currency,
            "transaction": str(row.uuid),
        },
    )


def _refused(name: str, code: str, message: str) -> InvalidTopUp:
    return InvalidTopUp("validation_errors", message, {name: [code]})
