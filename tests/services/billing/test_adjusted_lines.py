"""Lines of drafts that a person set: kept when the draft is computed anew, traced, undone, added; what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.domain import trace, worked_sum
from billing.models import AdjustedLine, RatedCharge
from billing.services import line_adjustments, runs
from billing.services.line_adjustments import Wanted
from catalog.models import Charge, PlanVersion
from config.kernel import errors
from invoicing.models import Invoice, InvoiceLine
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = instant("2026-02-02")
GRADUATED = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 2, "per_unit_amount": "1", "flat_amount": "0"},
        {"from_value": 3, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "3"},
    ]
}


@pytest.fixture
def plan() -> PlanVersion:
    requests, seats, fees, idle = (goods.make_metric(code) for code in ("requests", "seats", "fees", "idle"))
    tiers = {**goods.standard(seats), "charge_model": "graduated", "properties": GRADUATED}
    percent = {**goods.standard(fees), "charge_model": "percentage", "properties": {"rate": "5"}}
    charges = [goods.standard(requests, "0.10"), tiers, percent, goods.standard(idle, "2")]
    return goods.make_plan("pro", cents=2800, charges=charges)


@pytest.fixture
def draft(plan: PlanVersion) -> Invoice:
    customer = parties.make_customer(parties.make_entity(taxes=[parties.make_tax("t", "0.20")]), invoice_grace_period=3)
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    for code in ("requests", "seats", "fees"):
        made.send("sub", code, "2026-01-10")
    runs.run(as_of=instant("2026-02-01T00:10"), trigger="test", actor=ACTOR)
    return Invoice.objects.get()


def line(code: str) -> InvoiceLine:
    return InvoiceLine.objects.get(item_code=code)


def adjust(code: str, **values: Any) -> InvoiceLine:
    wanted = Wanted(**{name: Decimal(value) if name != "label" else value for name, value in values.items()})
    return line_adjustments.adjust(line_id=line(code).pk, wanted=wanted, reason="agreed", actor=ACTOR, at=AT)


@pytest.mark.parametrize(
    ("code", "values", "amount"),
    [
        ("requests", {"units": "7"}, "0.70"),
        ("requests", {"units": "7", "unit_amount": "0.333"}, "2.33"),  # 2.331
        ("seats", {"units": "4"}, "6.00"),  # 2 × 1 + 2 × 0.5 + 3
        ("fees", {"units": "4", "unit_amount": "1.5"}, "6.00"),
        ("pro", {"unit_amount": "20"}, "20.00"),
        ("pro", {"units": "2"}, "56.00"),
    ],
)
def test_a_line_keeps_what_was_set(draft: Invoice, code: str, values: dict[str, str], amount: str) -> None:
    before = draft.fees_amount - line(code).amount

    found = adjust(code, **values)
    made.send("sub", code, "2026-01-20")
    refreshed = invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-02-03"))

    assert found.amount.amount == Decimal(amount)
    kept = line(code)
    assert (kept.amount, kept.units) == (found.amount, found.units)
    assert refreshed.fees_amount == before + found.amount  # nothing else moved
    assert refreshed.total_amount == refreshed.fees_amount + refreshed.taxes_amount
    rated = RatedCharge.objects.get(line=kept)
    assert trace.verify(rated.trace)
    assert rated.trace["kind"] == "adjusted"
    told = worked_sum.sentences(rated.trace)[0]
    assert (told.label, told.subject, told.formula) == (worked_sum.ADJUSTED, ACTOR.label, "agreed")


def test_a_unit_price_alone_follows_the_usage(draft: Invoice) -> None:
    assert adjust("requests", unit_amount="3").amount.amount == Decimal(3)

    made.send("sub", "requests", "2026-01-20")
    invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-02-03"))

    assert (line("requests").amount.amount, line("requests").units) == (Decimal(6), Decimal(2))


def test_a_name_alone_changes_no_amount(draft: Invoice) -> None:
    found = adjust("requests", label="Calls")

    assert (found.label, found.amount.amount) == ("Calls", Decimal("0.10"))
    assert RatedCharge.objects.get(line=found).trace["kind"] == "charge"
    draft.refresh_from_db()
    assert draft.fees_amount.amount == Decimal("29.15")  # 28 + 0.10 + 1.00 + 5 % of 1, as before


def test_an_issued_invoice_has_what_was_set_and_freezes_it(draft: Invoice) -> None:
    adjust("requests", units="50")

    invoices.finalize(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-02-04"))

    assert line("requests").amount.amount == Decimal(5)
    for statement in ("UPDATE billing_adjustedline SET units = 1", "DELETE FROM billing_adjustedline"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(errors.NotAllowed) as refused:
        adjust("requests", units="1")
    assert refused.value.code == "invalid_status"


def test_what_was_set_is_undone(draft: Invoice) -> None:
    total = draft.total_amount
    adjust("requests", units="50")
    adjust("requests", units="60")

    back = line_adjustments.undo(line_id=line("requests").pk, actor=ACTOR, at=AT)

    draft.refresh_from_db()
    assert back is not None
    assert (back.amount.amount, draft.total_amount) == (Decimal("0.10"), total)
    assert not AdjustedLine.objects.exists()
    assert line_adjustments.undo(line_id=back.pk, actor=ACTOR, at=AT) == back


def test_a_line_is_added_for_a_price_without_usage(draft: Invoice) -> None:
    charge = Charge.objects.get(metric__code="idle")
    given = {"invoice_id": draft.pk, "external_subscription_id": "sub", "charge_key": charge.key, "reason": ""}

    added = line_adjustments.add(**given, wanted=Wanted(units=Decimal(3)), actor=ACTOR, at=AT)

    assert (added.amount.amount, added.kind, added.group_key) == (Decimal(6), "charge", "sub")
    made.send("sub", "idle", "2026-01-20")
    invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-02-03"))
    assert line("idle").amount.amount == Decimal(6)
    with pytest.raises(errors.Invalid) as refused:
        line_adjustments.add(**given, wanted=Wanted(units=Decimal(3)), actor=ACTOR, at=AT)
    assert refused.value.code == "value_already_exist"
    line_adjustments.undo(line_id=line("idle").pk, actor=ACTOR, at=AT)
    assert line("idle").amount.amount == Decimal(2)  # the usage that came meanwhile


@pytest.mark.parametrize(
    ("code", "values", "expected"),
    [
        ("fees", {"units": "4"}, "invalid_charge_model"),
        ("requests", {}, "value_is_mandatory"),
        ("requests", {"units": "-1"}, "value_is_out_of_range"),
        ("requests", {"units": "NaN"}, "value_is_out_of_range"),
        ("requests", {"label": "x" * 513}, "value_is_too_long"),
    ],
)
def test_what_cannot_be_set(draft: Invoice, code: str, values: dict[str, str], expected: str) -> None:
    total = draft.total_amount
    with pytest.raises(errors.Invalid) as refused:
        adjust(code, **values)
    assert refused.value.code == expected
    draft.refresh_from_db()
    assert (draft.total_amount, AdjustedLine.objects.count()) == (total, 0)


def test_a_preview_leaves_nothing(draft: Invoice) -> None:
    wanted = Wanted(units=Decimal(100))
    pk = line("requests").pk

    shown = line_adjustments.preview(
        lambda: line_adjustments.adjust(line_id=pk, wanted=wanted, reason="", actor=ACTOR, at=AT)
    )

    assert shown.line is not None
    assert shown.line.amount.amount == Decimal(10)
    assert shown.invoice.total_amount > draft.total_amount
    assert (Invoice.objects.get().total_amount, AdjustedLine.objects.count()) == (draft.total_amount, 0)
