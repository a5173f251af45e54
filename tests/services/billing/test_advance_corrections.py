"""Events that were billed in advance and are withdrawn: what is billed stays, and nothing after it is given away."""

from __future__ import annotations

import pytest

from billing.models import AdvanceEvent
from billing.services import event_corrections
from tests.factories import advance, billing, catalog, usage
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


def send(moment: str, transaction_id: str, **properties: object) -> None:
    usage.store(usage.make_event(moment, code="seats", transaction_id=transaction_id, properties=properties))


def withdraw(transaction_id: str, *, at: str) -> None:
    event_corrections.withdraw(
        external_subscription_id="sub",
        transaction_id=transaction_id,
        reason="A mistake.",
        actor=ACTOR,
        at=billing.instant(at),
    )


def test_units_that_a_withdrawn_event_had_taken_are_billed_with_the_next_event() -> None:
    advance.make_subscription(advance.make_plan(catalog.make_metric("seats", "sum_agg")))
    send("2026-05-04T10:00:00", "minus", seats=-5)
    send("2026-05-04T10:00:01", "plus", seats=3)
    advance.bill("2026-05-04T13:00")
    assert [amount for _, amount, _ in advance.fees()] == ["0", "0"]  # 3 − 5 are not above nothing

    withdraw("minus", at="2026-05-05")
    assert advance.bill("2026-05-05T13:00") == 0
    assert not AdvanceEvent.objects.exists()

    send("2026-05-06T10:00:00", "one", seats=1)
    advance.bill("2026-05-06T13:00")
    assert advance.fees()[2:] == [("4", "12", True)]  # 3 + 1, and nothing was billed of them


@pytest.mark.parametrize(
    ("recurring", "withdrawn", "fee"),
    [
        (False, "again", ("1", "3", True)),  # anna is there by the first event: ben is new
        (True, "again", ("1", "3", True)),
        (False, "first", ("1", "3", True)),  # or by the second one
        (False, "both", ("0", "0", True)),  # anna is gone: ben takes the place that is paid
    ],
)
def test_a_unique_value_stays_while_another_event_added_it(
    recurring: bool, withdrawn: str, fee: tuple[str, str, bool]
) -> None:
    metric = catalog.make_metric("seats", "unique_count_agg", recurring=recurring)
    advance.make_subscription(advance.make_plan(metric))
    send("2026-05-04T10:00:00", "first", seats="anna")
    send("2026-05-04T10:00:01", "again", seats="anna")
    advance.bill("2026-05-04T13:00")

    for transaction_id in ("first", "again") if withdrawn == "both" else (withdrawn,):
        withdraw(transaction_id, at="2026-05-05")
    advance.bill("2026-05-05T13:00")
    send("2026-05-06T10:00:00", "other", seats="ben")
    advance.bill("2026-05-06T13:00")

    assert advance.fees() == [("1", "3", True), ("0", "0", True), fee]


def test_an_event_that_waits_counts_after_the_withdrawal_before_it() -> None:
    advance.make_subscription(advance.make_plan(catalog.make_metric("seats", "unique_count_agg")))
    send("2026-05-04T10:00:00", "first", seats="anna")
    advance.bill("2026-05-04T13:00")

    withdraw("first", at="2026-05-05")
    send("2026-05-05T10:00:00", "again", seats="anna")
    send("2026-05-05T10:00:01", "other", seats="ben")
    advance.bill("2026-05-05T13:00")

    # The place of anna is paid, that of ben is new.
    assert advance.fees() == [("1", "3", True), ("0", "0", True), ("1", "3", True)]
