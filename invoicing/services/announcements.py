"""What happened to invoices and wallets, told to webhooks. Owns which kind of event each thing is.

Called at the end of the service that made it true, inside its transaction; many objects of one kind are told by one
call. Where nobody listens each kind costs one small query, and nothing where there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from config.platform.services import outbox
from invoicing.models import CreditNote, Invoice, InvoiceLine, Payment, TaxCalculation, Wallet, WalletTransaction
from invoicing.services import webhook_types as types

_CREATED = {Invoice.Kind.ONE_OFF: types.ONE_OFF_CREATED, Invoice.Kind.CREDIT: types.CREDIT_ADDED}


def issued(*, invoices: Sequence[Invoice], at: datetime) -> None:
    """Tell that invoices were issued, each kind of invoice by its own kind of event."""
    for name in (types.INVOICE_CREATED, *_CREATED.values()):
        found = [one for one in invoices if _CREATED.get(Invoice.Kind(one.kind), types.INVOICE_CREATED) == name]
        outbox.record(name, found, at=at)


def drafted(*, invoices: Sequence[Invoice], issued_ids: Collection[int] = (), at: datetime) -> None:
    """Tell that invoices were drafted and stay drafts: not those that were issued at once, or wait for a payment.

    Call it once all that belongs to them is written.
    """
    outbox.record(types.INVOICE_DRAFTED, [one for one in invoices if one.pk not in issued_ids], at=at)


def ready(*, drafts: Sequence[Invoice], at: datetime) -> None:
    """Tell that the grace of drafts is over, just before they are issued or wait for their taxes."""
    outbox.record(types.READY_TO_FINALIZE, drafts, at=at)


def closed(*, invoices: Sequence[Invoice], at: datetime) -> None:
    """Tell that drafts came to nothing and are gone. Those that were drafted at this very instant nobody knew."""
    outbox.record(types.INVOICE_DELETED, [one for one in invoices if one.created_at != at], at=at)


def deleted(*, draft: Invoice, at: datetime) -> None:
    """Tell that a draft was deleted, while what it billed still says so."""
    outbox.record(types.INVOICE_DELETED, [draft], at=at)


def voided(*, invoice: Invoice, at: datetime) -> None:
    """Tell that an issued invoice was voided."""
    outbox.record(types.INVOICE_VOIDED, [invoice], at=at)


def written_off(*, invoice: Invoice, at: datetime) -> None:
    """Tell that what was due of an invoice, or a part of it, was written off."""
    outbox.record(types.INVOICE_WRITTEN_OFF, [invoice], at=at)


def credited(*, notes: Sequence[CreditNote], at: datetime) -> None:
    """Tell that credit notes were issued."""
    outbox.record(types.CREDIT_NOTE_CREATED, notes, at=at)


def credit_voided(*, note: CreditNote, at: datetime) -> None:
    """Tell that what was left of a credit was voided."""
    outbox.record(types.CREDIT_NOTE_VOIDED, [note], at=at)


def paid(*, invoice: Invoice, at: datetime) -> None:
    """Tell that the payment status of an issued invoice changed."""
    outbox.record(types.PAYMENT_STATUS_UPDATED, [invoice], at=at)


def received(*, payments: Sequence[Payment], at: datetime) -> None:
    """Tell that payments were received."""
    outbox.record(types.PAYMENT_SUCCEEDED, payments, at=at)


def overdue(*, invoices: Sequence[Invoice], at: datetime) -> None:
    """Tell that invoices were not paid in time."""
    outbox.record(types.PAYMENT_OVERDUE, invoices, at=at)


def dispute_lost(*, invoice: Invoice, at: datetime) -> None:
    """Tell that the dispute of an invoice was lost."""
    outbox.record(types.DISPUTE_LOST, [invoice], at=at)


def rendered(*, document: Invoice | CreditNote, at: datetime) -> None:
    """Tell that the PDF of an invoice or a credit note is there."""
    is_invoice = isinstance(document, Invoice)
    outbox.record(types.INVOICE_GENERATED if is_invoice else types.CREDIT_NOTE_GENERATED, [document], at=at)


def wallet_made(*, wallet: Wallet, at: datetime) -> None:
    """Tell that a wallet was made, before its first credits come in."""
    outbox.record(types.WALLET_CREATED, [wallet], at=at)


def wallet_ended(*, wallet: Wallet, at: datetime) -> None:
    """Tell that a wallet was terminated."""
    outbox.record(types.WALLET_TERMINATED, [wallet], at=at)


def moved(*, transactions: Sequence[WalletTransaction], at: datetime) -> None:
    """Tell that there are new transactions of wallets."""
    outbox.record(types.WALLET_TRANSACTION_CREATED, transactions, at=at)


def settled(*, transactions: Sequence[WalletTransaction], at: datetime) -> None:
    """Tell that purchases of credits came in, or failed."""
    outbox.record(types.WALLET_TRANSACTION_UPDATED, transactions, at=at)


def wallet_changed(*, wallets: Sequence[Wallet], at: datetime) -> None:
    """Tell that the terms, notes or rules of wallets changed."""
    outbox.record(types.WALLET_UPDATED, wallets, at=at)


def untaxed(*, invoice: Invoice, calculation: TaxCalculation, at: datetime) -> None:
    """Tell that a tax engine refused an invoice: of its customer, and of each fee that is paid in advance."""
    error = {
        "tax_provider_code": calculation.engine.code,
        "lago_invoice_id": str(invoice.uuid),
        "provider_error": {"error_code": calculation.error_code, "message": calculation.error_message},
    }
    outbox.record(types.CUSTOMER_TAX_ERROR, [invoice.customer], at=at, extras={invoice.customer_id: error})
    lines = list(InvoiceLine.objects.filter(invoice=invoice).exclude(event_transaction_id=None).order_by("position"))
    outbox.record(types.FEE_TAX_ERROR, lines, at=at, extras={line.pk: error for line in lines})
