"""What becomes of purchased credits with the invoice that sold them, and of used ones with the invoice that they paid.

Owns settling a purchase once its invoice is paid, failing one that never will be, and giving credits back when an
invoice is voided. Called inside the transaction that made the fact true, with the invoice locked. The sale itself was
booked when its invoice was issued.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from moneyed import Money

from config.kernel import actors, db, errors, money
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.domain import ledger, wallets
from invoicing.models import Invoice, Wallet, WalletTransaction
from invoicing.queries import wallets as known
from invoicing.services import announcements, wallet_rows
from invoicing.services import ledger as books

_PURCHASED = WalletTransaction.Kind.PURCHASED
_PENDING = WalletTransaction.Status.PENDING
_SETTLED = WalletTransaction.Status.SETTLED


class CreditsInUse(errors.NotAllowed):
    """Credits that an invoice sold are in the wallet already."""


def lock(*, invoice_ids: Collection[int]) -> None:
    """Lock the wallets that invoices sold credits for, before their numbers are taken: the order of whoever draws."""
    wallet_ids = WalletTransaction.objects.filter(invoice_id__in=invoice_ids, transaction_status=_PURCHASED)
    db.lock(Wallet.objects.filter(pk__in=wallet_ids.values("wallet_id")))


def settle_paid(*, invoice_ids: Collection[int], at: datetime, actor: Actor = actors.SYSTEM) -> list[WalletTransaction]:
    """Bring in the credits that paid invoices sold; other invoices are left alone. Idempotent.

    An invoice that its own credit note settled sold nothing after all: its purchase fails. In a wallet that is gone the
    credits stay as the customer's, and pay nothing.
    """
    rows = _pending(invoice_ids)
    settled: list[WalletTransaction] = []
    for row in rows:
        wallet = known.locked(row.wallet_id)
        row.wallet = wallet
        invoice = row.invoice
        if invoice is not None and invoice.offset_amount and invoice.offset_amount == invoice.total_amount:
            _fail(row, actor, at)
            continue
        wallet_rows.settle(wallet=wallet, row=row, at=at)
        row.save()
        settled.append(row)
        audit.record(
            actor=actor,
            at=at,
            verb="settle_credits",
            instance=wallet,
            new={
                "credits": row.credit_amount,
                "amount_cents": money.to_minor(row.amount),
                "transaction": str(row.uuid),
            },
        )
    announcements.settled(transactions=rows, at=at)
    return settled


def fail(*, invoice_ids: Collection[int], at: datetime, actor: Actor = actors.SYSTEM) -> list[WalletTransaction]:
    """Give up the purchases of invoices that will not be paid: voided, credited in full, closed. Idempotent."""
    rows = _pending(invoice_ids)
    for row in rows:
        row.wallet = known.locked(row.wallet_id)
        _fail(row, actor, at)
    announcements.settled(transactions=rows, at=at)
    return rows


def require_unsettled(*, invoice_id: int) -> None:
    """Refuse to take back that an invoice was paid whose credits are in a wallet: they may be used.

    Other invoices are none of it. Raises CreditsInUse (`wallet_credits_settled`).
    """
    rows = WalletTransaction.objects.filter(invoice_id=invoice_id, transaction_status=_PURCHASED, status=_SETTLED)
    if rows.exists():
        raise CreditsInUse("wallet_credits_settled", "The invoice brought credits into a wallet: it stays paid.")


def give_back(*, invoice: Invoice, amount: Money, actor: Actor, at: datetime) -> list[WalletTransaction]:
    """Give back credits that paid an invoice which is voided now, as granted, once, up to an amount; return what came
    in. What it took last comes first; of a part what was paid for, and the credits are cut off after five decimals.

    What was paid for stays owed to the customer, though it comes as granted. A wallet that is gone gets nothing: what
    was paid for those credits is earned. A voided sale of credits takes them back: a pending purchase fails, and what
    is in the wallet goes out. Raises CreditsInUse (`not_voidable`) where some of that is used.
    """
    _take_back(invoice, actor, at)
    rows = WalletTransaction.objects.filter(invoice=invoice, transaction_status=WalletTransaction.Kind.INVOICED)
    given, sources = [], []
    for row, part in _parts(list(rows), amount):
        wallet = known.locked(row.wallet_id)
        row.wallet = wallet
        purchased = min(row.purchased_amount, part)
        granted = part - purchased
        quantity = row.credit_amount
        if part != row.amount:
            quantity = min(wallets.credits_of(part, rate=wallet.rate_amount), quantity)
        text = f"Credits of {wallet} back from {invoice.number}"
        if wallet.status == Wallet.Status.ACTIVE:
            back = wallet_rows.give(
                wallet=wallet,
                quantity=quantity,
                amount=part,
                purchased=purchased,
                at=at,
                voided_invoice=invoice,
                name=f"Voided {invoice.number}"[:255],
            )
            given.append(back)
            booked, about = ledger.credits_returned(purchased=purchased, granted=granted), back
        else:
            booked, about = ledger.credits_lost(purchased=purchased, granted=granted), row
        sources.append(
            wallet_rows.source(
                booking=booked,
                row=about,
                wallet=wallet,
                timezone=invoice.timezone,
                at=at,
                text=text,
                invoice_id=invoice.pk,
            )
        )
        audit.record(
            actor=actor,
            at=at,
            verb="give_back_credits",
            instance=wallet,
            new={"credits": quantity if about is not row else 0, "invoice": str(invoice)},
        )
    books.post_many(sources=sources, at=at)
    announcements.moved(transactions=given, at=at)
    return given


def _parts(rows: Sequence[WalletTransaction], amount: Money) -> list[tuple[WalletTransaction, Money]]:
    """Return of which uses how much is given back, in the order in which wallets are locked."""
    found = []
    for row in sorted(rows, key=lambda one: -one.pk):
        part = min(row.amount, amount)
        amount -= part
        if part:
            found.append((row, part))
    return sorted(found, key=lambda pair: pair[0].wallet_id)


def _take_back(invoice: Invoice, actor: Actor, at: datetime) -> None:
    """Take out the credits that a voided invoice sold. The void itself books that they were never sold."""
    fail(invoice_ids=[invoice.pk], at=at, actor=actor)
    sold = WalletTransaction.objects.filter(invoice=invoice, transaction_status=_PURCHASED, status=_SETTLED)
    row = sold.first()
    if row is None:
        return
    wallet = known.locked(row.wallet_id)
    row.refresh_from_db()
    if row.remaining_amount != row.amount:
        raise CreditsInUse("not_voidable", "Some of the credits that the invoice sold are used.")
    flow = wallet_rows.outflow(
        wallet=wallet,
        parts=wallets.all_of([wallet_rows.grant(row)]),
        grants=[row],
        kind=WalletTransaction.Kind.VOIDED,
        at=at,
        voided_transaction=row,
        voided_invoice=invoice,
        name=f"Voided {invoice.number}"[:255],
    )
    wallet_rows.write(outflows=[flow])
    announcements.moved(transactions=[flow.transaction], at=at)


def _pending(invoice_ids: Collection[int]) -> list[WalletTransaction]:
    rows = WalletTransaction.objects.filter(
        invoice_id__in=invoice_ids, transaction_status=_PURCHASED, status=_PENDING
    ).select_related("invoice")
    return list(rows.order_by("wallet_id", "pk"))


def _fail(row: WalletTransaction, actor: Actor, at: datetime) -> None:
    row.status, row.failed_at = WalletTransaction.Status.FAILED, at
    row.save(update_fields=["status", "failed_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="fail_credits",
        instance=row.wallet,
        new={"credits": row.credit_amount, "transaction": str(row.uuid)},
    )
