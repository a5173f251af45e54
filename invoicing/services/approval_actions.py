"""What of documents and money may need a second person. Owns the codes; rules and requests are the platform's."""

from __future__ import annotations

from config.platform.services import approval_actions
from config.platform.services.approval_actions import Action

VOID_INVOICE = "void_invoice"
CREDIT_NOTE = "credit_note"
REFUND_CREDIT_NOTE = "refund_credit_note"
REFUND_PAYMENT = "refund_payment"
WRITE_OFF = "write_off"
DECLARE_PAID = "declare_paid"
REFUND_FEE = "refund_fee"
MANUAL_ENTRY = "manual_entry"
GRANT_CREDITS = "grant_credits"

approval_actions.register(
    Action(
        VOID_INVOICE, "Void an invoice", "invoicing.void_invoice", "the invoice with tax, before credits", adds_up=True
    ),
    Action(CREDIT_NOTE, "Issue a credit note", "invoicing.add_creditnote", "the credit note with tax", adds_up=True),
    Action(REFUND_CREDIT_NOTE, "Pay a refund", "invoicing.refund_creditnote", "the refund", adds_up=True),
    Action(REFUND_PAYMENT, "Pay back a held payment", "invoicing.add_paymentrefund", "what is paid back", adds_up=True),
    Action(WRITE_OFF, "Write off", "invoicing.add_writeoff", "what is written off", adds_up=True),
    Action(DECLARE_PAID, "Declare paid without a payment", "invoicing.record_payment", "what is due of the invoice"),
    Action(REFUND_FEE, "Tell a fee as refunded", "invoicing.add_paymentrefund", "the fee with tax"),
    Action(MANUAL_ENTRY, "Book by hand", "invoicing.add_manualentry", "the sum of debits"),
    Action(GRANT_CREDITS, "Give wallet credits", "invoicing.top_up_wallet", "what the credits are worth"),
)
