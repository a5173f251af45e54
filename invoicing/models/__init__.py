"""Tables of documents and money."""

from invoicing.models.books import BooksCheck, BooksCheckResult, BooksFinding
from invoicing.models.corrections import CorrectedLine, Correction, CorrectionDocument
from invoicing.models.coupons import InvoiceCoupon
from invoicing.models.credit_notes import CreditNote, CreditNoteItem, CreditNoteTax, CreditNoteUse
from invoicing.models.deliveries import Delivery
from invoicing.models.disputes import DisputeMove, InvoiceDispute
from invoicing.models.documents import Document
from invoicing.models.invoices import Invoice, InvoiceMetadata
from invoicing.models.journal import JournalExport, JournalPart
from invoicing.models.ledger import LedgerAccount, LedgerEntry, LedgerMapping, LedgerPosting, ManualEntry
from invoicing.models.lines import InvoiceLine, LinePayment, LineTax
from invoicing.models.opening_balances import OpeningBalance, OpeningSettlement
from invoicing.models.payment_requests import PaymentRequest, PaymentRequestInvoice
from invoicing.models.payments import Payment, PaymentAllocation
from invoicing.models.prepaid import PrepaidCredit, PrepaidCreditUse
from invoicing.models.progressive import ProgressiveCredit
from invoicing.models.receipts import PaymentReceipt
from invoicing.models.tax_engines import TaxCalculation, TaxEngine, TaxReport
from invoicing.models.taxes import InvoiceTax
from invoicing.models.voids import CreditNoteUseReversal, PaymentRefund, PaymentRelease, PrepaidCreditUseReversal
from invoicing.models.wallet_transactions import WalletConsumption, WalletTransaction
from invoicing.models.wallets import RecurringTransactionRule, Wallet
from invoicing.models.write_offs import WriteOff, WriteOffReversal

__all__ = [
    "BooksCheck",
    "BooksCheckResult",
    "BooksFinding",
    "CorrectedLine",
    "Correction",
    "CorrectionDocument",
    "CreditNote",
    "CreditNoteItem",
    "CreditNoteTax",
    "CreditNoteUse",
    "CreditNoteUseReversal",
    "Delivery",
    "DisputeMove",
    "Document",
    "Invoice",
    "InvoiceCoupon",
    "InvoiceDispute",
    "InvoiceLine",
    "InvoiceMetadata",
    "InvoiceTax",
    "JournalExport",
    "JournalPart",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerMapping",
    "LedgerPosting",
    "LinePayment",
    "LineTax",
    "ManualEntry",
    "OpeningBalance",
    "OpeningSettlement",
    "Payment",
    "PaymentAllocation",
    "PaymentReceipt",
    "PaymentRefund",
    "PaymentRelease",
    "PaymentRequest",
    "PaymentRequestInvoice",
    "PrepaidCredit",
    "PrepaidCreditUse",
    "PrepaidCreditUseReversal",
    "ProgressiveCredit",
    "RecurringTransactionRule",
    "TaxCalculation",
    "TaxEngine",
    "TaxReport",
    "Wallet",
    "WalletConsumption",
    "WalletTransaction",
    "WriteOff",
    "WriteOffReversal",
]
