"""The states of an invoice: two tables, one of the document and one of its payment, and what they refuse.

Document and payment are two things: a finalized invoice may be unpaid, a closed one never had anything to pay.
"""

from __future__ import annotations

from config.kernel import errors

DRAFT = "draft"
FINALIZED = "finalized"
VOIDED = "voided"
CLOSED = "closed"
OPEN = "open"
WAITING_FOR_TAXES = "pending"
UNTAXED = "failed"
UNISSUED = (DRAFT, WAITING_FOR_TAXES, UNTAXED)
"""What has no number yet and becomes a document: drafts, and what waits for its taxes."""

PENDING = "pending"
SUCCEEDED = "succeeded"
FAILED = "failed"

FINALIZE = "finalize"
CLOSE = "close"
VOID_DRAFT = "void_draft"
VOID = "void"
RECOMPUTE = "recompute"
HOLD = "hold"
ISSUE_PAID = "issue_paid"
CLOSE_UNPAID = "close_unpaid"
AWAIT_TAXES = "await_taxes"
FAIL_TAXES = "fail_taxes"
RETRY_TAXES = "retry_taxes"
TAXED = "taxed"

_DOCUMENT = {
    FINALIZE: (DRAFT, FINALIZED),
    CLOSE: (DRAFT, CLOSED),
    VOID_DRAFT: (DRAFT, VOIDED),
    VOID: (FINALIZED, VOIDED),
    RECOMPUTE: (DRAFT, DRAFT),
    # An invoice that is issued only once it is paid.
    HOLD: (DRAFT, OPEN),
    ISSUE_PAID: (OPEN, FINALIZED),
    CLOSE_UNPAID: (OPEN, CLOSED),
    # Taxes that somebody else knows: it waits, and is a draft again for the moment in which it is issued.
    AWAIT_TAXES: (DRAFT, WAITING_FOR_TAXES),
    FAIL_TAXES: (WAITING_FOR_TAXES, UNTAXED),
    RETRY_TAXES: (UNTAXED, WAITING_FOR_TAXES),
    TAXED: (WAITING_FOR_TAXES, DRAFT),
}
_REFUSALS = {
    FINALIZE: "invalid_status",
    CLOSE: "invalid_status",
    VOID_DRAFT: "not_voidable",
    VOID: "not_voidable",
    RECOMPUTE: "invalid_status",
    HOLD: "invalid_status",
    ISSUE_PAID: "invalid_status",
    CLOSE_UNPAID: "invalid_status",
    AWAIT_TAXES: "invalid_status",
    FAIL_TAXES: "invalid_status",
    RETRY_TAXES: "invalid_status",
    TAXED: "invalid_status",
}
_PAYMENT = {(PENDING, FAILED), (PENDING, SUCCEEDED), (FAILED, PENDING), (FAILED, SUCCEEDED)}


class InvalidTransition(errors.NotAllowed):
    """The state of the invoice refuses the verb."""


def move(*, status: str, verb: str) -> str:
    """Return the state into which a verb takes a document. Raises InvalidTransition.

    The code says what was refused: `not_voidable` where a draft or a document would be voided, else `invalid_status`.
    """
    start, end = _DOCUMENT[verb]
    # What waits for its taxes is no dead end: it can be taken back like a draft.
    starts = UNISSUED if verb == VOID_DRAFT else (start,)
    if status not in starts:
        words = verb.replace("_", " ")
        raise InvalidTransition(_REFUSALS[verb], f"An invoice that is {status} refuses: {words}.")
    return end


def move_payment(*, status: str, payment_status: str, target: str, is_settled: bool) -> str:
    """Return the payment state that someone wants to set by hand. Raises InvalidTransition.

    Only an issued document has a payment that can be told; one that waits for its payment can be told paid. What was
    settled by payments stays settled; what was only declared paid can be taken back.
    """
    if status == DRAFT:
        raise InvalidTransition("payment_status_update_on_draft_invoice", "A draft cannot be paid yet.")
    if status == OPEN and target != SUCCEEDED:
        raise InvalidTransition("invoice_not_finalized", "The invoice waits for its payment before it is issued.")
    if status not in (FINALIZED, OPEN):
        raise InvalidTransition("update_on_voided_invoice", f"An invoice that is {status} is not paid any more.")
    if payment_status == target:
        return target
    declared = payment_status == SUCCEEDED and not is_settled
    if not declared and (payment_status, target) not in _PAYMENT:
        raise InvalidTransition("invoice_payment_already_succeeded", "The invoice is paid.")
    return target
