"""Tables of documents and money."""

from invoicing.models.deliveries import Delivery
from invoicing.models.documents import Document
from invoicing.models.invoices import Invoice, InvoiceMetadata
from invoicing.models.ledger import LedgerAccount, LedgerEntry, LedgerPosting
from invoicing.models.lines import InvoiceLine, LineTax
from invoicing.models.payments import Payment, PaymentAllocation
from invoicing.models.taxes import InvoiceTax

__all__ = [
    "Delivery",
    "Document",
    "Invoice",
    "InvoiceLine",
    "InvoiceMetadata",
    "InvoiceTax",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerPosting",
    "LineTax",
    "Payment",
    "PaymentAllocation",
]
