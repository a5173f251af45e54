"""Whether a customer may be billed by another seller: not while the old one still owes it something.

Drafts and issued invoices stay with the seller that they are of. Credit is of one seller too, and would be stranded.
"""

from __future__ import annotations

from config.kernel import errors
from invoicing.models import CreditNote, PrepaidCredit, Wallet
from invoicing.queries import held_payments


class CreditLeft(errors.Invalid):
    """The customer has credit with the seller that bills it now."""


def demand_nothing_left(*, customer_id: int) -> None:
    """Demand that a customer has no unused credit, prepaid credit, wallet balance or held money. Raises CreditLeft.

    Asked before it is moved to another billing entity, inside that transaction.
    """
    left = {
        "credit notes": CreditNote.objects.filter(
            status=CreditNote.Status.FINALIZED, credit_status=CreditNote.CreditStatus.AVAILABLE
        ),
        "prepaid credit": PrepaidCredit.objects.filter(status=PrepaidCredit.Status.ACTIVE),
        "held payments": held_payments.holding(customer_id=customer_id),
        "wallets": Wallet.objects.filter(status=Wallet.Status.ACTIVE, credits_balance__gt=0),
    }
    for what, rows in left.items():
        if rows.filter(customer_id=customer_id).exists():
            raise CreditLeft(
                "modification_not_allowed",
                f"The customer has unused {what} with its billing entity: no other one could take it.",
                {"billing_entity_code": ["modification_not_allowed"]},
            )
