"""The transition tables of invoices, and that the tables of the database know the same states."""

import pytest

from invoicing.domain import states
from invoicing.models import Invoice

VERBS = (states.FINALIZE, states.CLOSE, states.VOID_DRAFT, states.RECOMPUTE)


@pytest.mark.parametrize(
    ("verb", "target"),
    [
        (states.FINALIZE, "finalized"),
        (states.CLOSE, "closed"),
        (states.VOID_DRAFT, "voided"),
        (states.RECOMPUTE, "draft"),
    ],
)
def test_a_draft_may_go_everywhere(verb: str, target: str) -> None:
    assert states.move(status="draft", verb=verb) == target


def test_an_open_invoice_is_issued_or_closed() -> None:
    assert states.move(status="draft", verb=states.HOLD) == "open"
    assert states.move(status="open", verb=states.ISSUE_PAID) == "finalized"
    assert states.move(status="open", verb=states.CLOSE_UNPAID) == "closed"
    for status in ("draft", "finalized", "voided", "closed"):
        for verb in (states.ISSUE_PAID, states.CLOSE_UNPAID):
            with pytest.raises(states.InvalidTransition):
                states.move(status=status, verb=verb)


def test_an_open_invoice_can_be_told_paid_and_nothing_else() -> None:
    def told(target: str) -> str:
        return states.move_payment(status="open", payment_status="pending", target=target, is_settled=False)

    assert told("succeeded") == "succeeded"
    for target in ("failed", "pending"):
        with pytest.raises(states.InvalidTransition) as refused:
            told(target)
        assert refused.value.code == "invoice_not_finalized"


@pytest.mark.parametrize("status", ["finalized", "voided", "closed", "open"])
@pytest.mark.parametrize("verb", VERBS)
def test_everything_else_stays(status: str, verb: str) -> None:
    with pytest.raises(states.InvalidTransition) as refused:
        states.move(status=status, verb=verb)
    assert refused.value.code == ("not_voidable" if verb == states.VOID_DRAFT else "invalid_status")


@pytest.mark.parametrize(
    ("before", "target", "is_settled", "allowed"),
    [
        ("pending", "succeeded", False, True),
        ("pending", "failed", False, True),
        ("failed", "pending", False, True),
        ("failed", "succeeded", False, True),
        ("succeeded", "pending", False, True),  # it was only declared paid
        ("succeeded", "failed", True, False),
        ("succeeded", "pending", True, False),
        ("succeeded", "succeeded", True, True),
    ],
)
def test_what_payments_settled_stays_settled(before: str, target: str, is_settled: bool, allowed: bool) -> None:
    def move() -> str:
        return states.move_payment(status="finalized", payment_status=before, target=target, is_settled=is_settled)

    if allowed:
        assert move() == target
    else:
        with pytest.raises(states.InvalidTransition, match="paid"):
            move()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("draft", "payment_status_update_on_draft_invoice"),
        ("voided", "update_on_voided_invoice"),
        ("closed", "update_on_voided_invoice"),
    ],
)
def test_only_issued_documents_are_paid(status: str, code: str) -> None:
    with pytest.raises(states.InvalidTransition) as refused:
        states.move_payment(status=status, payment_status="pending", target="succeeded", is_settled=False)
    assert refused.value.code == code


def test_the_database_knows_the_same_states() -> None:
    known = {states.DRAFT, states.FINALIZED, states.VOIDED, states.CLOSED, states.OPEN}
    assert set(Invoice.Status.values) == known | {states.WAITING_FOR_TAXES, states.UNTAXED}
    assert set(Invoice.PaymentStatus.values) == {states.PENDING, states.SUCCEEDED, states.FAILED}
