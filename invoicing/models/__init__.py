"""Tables of documents and money."""

from invoicing.models.credit_notes import CreditNote, CreditNoteItem, CreditNoteTax, CreditNoteUse
from invoicing.models.deliveries import Delivery
from invoicing.models.documents import Document
from invoicing.models.invoices import Invoice, InvoiceMetadata
from invoicing.models.ledger import LedgerAccount, LedgerEntry, LedgerPosting
from invoicing.models.lines import InvoiceLine, LinePayment, LineTax
from invoicing.models.payments import Payment, PaymentAllocation
from invoicing.models.prepaid import PrepaidCredit, PrepaidCreditUse
from invoicing.models.progressive import ProgressiveCredit
from invoicing.models.taxes import InvoiceTax

__all__ = [
    "CreditNote",
    "CreditNoteItem",
    "CreditNoteTax",
    "CreditNoteUse",
    "Delivery",
    "Document",
    "Invoice",
    "InvoiceLine",
    "InvoiceMetadata",
    "InvoiceTax",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerPosting",
    "LinePayment",
    "LineTax",
    "Payment",
    "PaymentAllocation",
    "PrepaidCredit",
    "PrepaidCreditUse",
    "ProgressiveCredit",
]
