"""The kinds of events that documents and money tell webhooks: their names, and which payload each has.

Owns the list only. When they are told is said by the services, what they say by `invoicing.api.webhook_payloads`.
"""

from __future__ import annotations

from config.platform.services import outbox
from config.platform.services.outbox import EventType

INVOICE_CREATED = "invoice.created"
ONE_OFF_CREATED = "invoice.one_off_created"
CREDIT_ADDED = "invoice.paid_credit_added"
INVOICE_DRAFTED = "invoice.drafted"
READY_TO_FINALIZE = "invoice.ready_to_finalize"
INVOICE_VOIDED = "invoice.voided"
INVOICE_DELETED = "invoice.deleted"
INVOICE_GENERATED = "invoice.generated"
INVOICE_WRITTEN_OFF = "invoice.written_off"
PAYMENT_STATUS_UPDATED = "invoice.payment_status_updated"
PAYMENT_OVERDUE = "invoice.payment_overdue"
DISPUTE_LOST = "invoice.payment_dispute_lost"
CREDIT_NOTE_CREATED = "credit_note.created"
CREDIT_NOTE_GENERATED = "credit_note.generated"
CREDIT_NOTE_VOIDED = "credit_note.voided"
WALLET_CREATED = "wallet.created"
WALLET_UPDATED = "wallet.updated"
WALLET_TERMINATED = "wallet.terminated"
WALLET_TRANSACTION_CREATED = "wallet_transaction.created"
WALLET_TRANSACTION_UPDATED = "wallet_transaction.updated"
PAYMENT_SUCCEEDED = "payment.succeeded"
CUSTOMER_TAX_ERROR = "customer.tax_provider_error"
FEE_TAX_ERROR = "fee.tax_provider_error"

_PAYLOADS = "invoicing.api.webhook_payloads"


def _kind(name: str, object_type: str, payload: str, description: str) -> EventType:
    return EventType(name, object_type, f"{_PAYLOADS}.{payload}", description)


outbox.register(
    _kind(
        INVOICE_CREATED,
        "invoice",
        "invoices",
        "An invoice of subscriptions was issued: at the end of a period, at a usage threshold, or of usage paid in"
        " advance.",
    ),
    _kind(ONE_OFF_CREATED, "invoice", "invoices", "A one-off invoice was issued."),
    _kind(CREDIT_ADDED, "invoice", "invoices", "An invoice that sells prepaid credit was issued."),
    _kind(INVOICE_DRAFTED, "invoice", "invoices", "An invoice was drafted and stays a draft until its grace is over."),
    _kind(
        READY_TO_FINALIZE,
        "invoice",
        "invoices",
        "The grace of a draft is over: it is issued now, or as soon as its taxes are known.",
    ),
    _kind(INVOICE_VOIDED, "invoice", "invoices", "An issued invoice was voided."),
    _kind(
        INVOICE_WRITTEN_OFF,
        "invoice",
        "listed_invoices",
        "What was due of an issued invoice, or a part of it, was written off.",
    ),
    _kind(
        INVOICE_DELETED,
        "invoice",
        "invoices",
        "A draft is gone: it was deleted, or it came to nothing and was closed without a document.",
    ),
    _kind(INVOICE_GENERATED, "invoice", "listed_invoices", "The PDF of an invoice is there: see its file_url."),
    _kind(
        PAYMENT_STATUS_UPDATED,
        "invoice",
        "paid_invoices",
        "The payment status of an issued invoice changed: by payments, by a credit note, or by hand.",
    ),
    _kind(PAYMENT_OVERDUE, "invoice", "paid_invoices", "An invoice was not paid in time."),
    _kind(
        DISPUTE_LOST,
        "payment_dispute_lost",
        "lost_disputes",
        "The dispute of an invoice was lost: what is due of it will not be paid.",
    ),
    _kind(CREDIT_NOTE_CREATED, "credit_note", "credit_notes", "A credit note was issued."),
    _kind(CREDIT_NOTE_GENERATED, "credit_note", "credit_notes", "The PDF of a credit note is there: see its file_url."),
    _kind(CREDIT_NOTE_VOIDED, "credit_note", "credit_notes", "What was left of a credit note's credit was voided."),
    _kind(WALLET_CREATED, "wallet", "wallets", "A wallet was made."),
    _kind(
        WALLET_UPDATED,
        "wallet",
        "wallets",
        "The terms, notes or top-up rules of a wallet changed. What moves its balance is told by its transactions.",
    ),
    _kind(WALLET_TERMINATED, "wallet", "wallets", "A wallet was terminated, by hand or because its time was over."),
    _kind(
        WALLET_TRANSACTION_CREATED,
        "wallet_transaction",
        "wallet_transactions",
        "Credits of a wallet were bought, given, used by an invoice, or voided.",
    ),
    _kind(
        WALLET_TRANSACTION_UPDATED,
        "wallet_transaction",
        "wallet_transactions",
        "Credits that were bought came in, as they were paid, or never will.",
    ),
    _kind(PAYMENT_SUCCEEDED, "payment", "payments", "A payment was received."),
    _kind(
        CUSTOMER_TAX_ERROR,
        "tax_provider_customer_error",
        "tax_errors",
        "The tax engine refused an invoice of a customer, or never answered.",
    ),
    _kind(
        FEE_TAX_ERROR,
        "tax_provider_fee_error",
        "fee_tax_errors",
        "The tax engine refused the invoice of a fee paid in advance, or never answered.",
    ),
)
