"""The work queues of documents and money. Owns their names and words.

What waits in them is `invoicing.queries.work_queues`'.
"""

from __future__ import annotations

from config.kernel import queues
from config.kernel.queues import Queue
from invoicing.queries import work_queues

QUEUES = (
    Queue(
        code="drafts",
        label="Drafts to review",
        says="Invoices that are not issued yet. The clock issues them when their grace period is over.",
        icon="edit_document",
        model="invoicing.invoice",
        permission="invoicing.view_invoice",
        rows=work_queues.drafts,
    ),
    Queue(
        code="untaxed",
        label="Invoices waiting for tax",
        says="A tax engine or the VAT register has not answered, or refused. They are not issued before.",
        icon="percent",
        model="invoicing.invoice",
        permission="invoicing.view_invoice",
        rows=work_queues.untaxed,
    ),
    Queue(
        code="failed_payments",
        label="Failed payments",
        says="Issued invoices whose payment failed, with what is due of them.",
        icon="credit_card_off",
        model="invoicing.invoice",
        permission="invoicing.view_invoice",
        rows=work_queues.failed_payments,
        is_bad=True,
    ),
    Queue(
        code="unallocated",
        label="Payments without an invoice",
        says="Money received that is allocated to no invoice: allocate it or pay it back.",
        icon="payments",
        model="invoicing.payment",
        permission="invoicing.view_payment",
        rows=work_queues.held,
    ),
    Queue(
        code="refunds",
        label="Refunds to pay out",
        says="Issued credit notes of which money goes back to the customer, and that is not told as paid.",
        icon="currency_exchange",
        model="invoicing.creditnote",
        permission="invoicing.view_creditnote",
        rows=work_queues.refunds,
    ),
    Queue(
        code="disputes",
        label="Open disputes",
        says="Invoices that a customer refuses to pay, with what is disputed of them.",
        icon="gavel",
        model="invoicing.invoice",
        permission="invoicing.view_invoice",
        rows=work_queues.disputed,
    ),
    Queue(
        code="mail",
        label="E-mail that failed",
        says="Documents that bounced or could not be sent, and were not sent again since.",
        icon="unsubscribe",
        model="invoicing.delivery",
        permission="invoicing.view_delivery",
        rows=work_queues.failing_mail,
        is_bad=True,
    ),
    Queue(
        code="books",
        label="Books check findings",
        says="Checks of the newest run of the books check that do not hold.",
        icon="fact_check",
        model="invoicing.bookscheck",
        permission="invoicing.view_bookscheck",
        rows=work_queues.broken_checks,
        is_target=True,
        is_bad=True,
    ),
)

queues.register(*QUEUES)
