"""Adjusting the lines of a draft, on the page of the invoice: other units, another price or name, and undoing it."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from billing.domain import adjusted_trace
from billing.models import AdjustedLine, BilledPeriod, RatedCharge
from billing.queries import price_lists
from billing.services import line_adjustments
from billing.services.line_adjustments import Wanted
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, pages
from config.platform.admin.blocks import Block, Fact, Facts, Row, Table, columns
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.domain import states
from invoicing.models import Invoice

_ADD = "add:"


class AdjustForm(ReasonForm):
    """What is set of a line. Of a price that includes its taxes the unit price is gross."""

    aliases = {"unit_precise_amount": "unit_price", "invoice_display_name": "label", "fee": "line", "charge": "line"}

    units = forms.DecimalField(required=False, min_value=0, help_text="As computed unless given.")
    unit_price = forms.DecimalField(required=False, min_value=0, help_text="That of the plan unless given.")
    label = forms.CharField(label="Name", required=False, max_length=512)


class AdjustLine(ObjectVerb):
    """Set units, price or name of a line, or add one for a price without usage."""

    name = "adjust_line"
    label = "Adjust a line"
    icon = "edit"
    permission = "billing.add_adjustedline"
    explanation = (
        "The line keeps what you set, however often the draft is computed anew, and its worked sum says who set it and "
        "what it was. Minimums and commitments do not follow: adjust their lines as well where they should."
    )
    confirm = "Adjust the line"
    weighs = True

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only a draft that bills subscriptions."""
        _demand(instance)

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """Its lines, and the prices that have none."""
        fields = {"line": forms.ChoiceField(choices=[*_lines(instance), *_without_usage(instance)])}
        form_class = type("AdjustLineForm", (AdjustForm,), {**fields, "field_order": ("line",)})
        return form_class(data)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """What was set before."""
        return (table(instance),)

    def weigh(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What the draft would come to."""
        shown = line_adjustments.preview(functools.partial(_set, instance, values, actor, at))
        line = shown.line
        facts = [] if line is None else [Fact("Line", line.label), Fact("Net", cells.money_text(line.amount))]
        facts.append(Fact("Draft before, with tax", cells.money_text(instance.total_amount)))
        facts.append(Fact("Draft after, with tax", cells.money_text(shown.invoice.total_amount)))
        return (Facts("What would be billed", tuple(facts)),)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Set it."""
        line = _set(instance, values, actor, at)
        return Outcome(f"{line.label} was adjusted to {cells.money_text(line.amount)}.")


class UndoLine(ObjectVerb):
    """Bill a line as it is computed again."""

    name = "undo_line"
    label = "Undo an adjustment"
    icon = "undo"
    permission = "billing.add_adjustedline"
    explanation = "The line is billed as it is computed again, with the usage and the prices of now."
    confirm = "Undo the adjustment"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Something must have been set."""
        _demand(instance)
        if not _adjusted(instance):
            raise errors.NotAllowed("invalid_type_or_status", "No line of this draft was adjusted.")

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """The lines that were set."""
        form_class = type("UndoLineForm", (VerbForm,), {"line": forms.ChoiceField(choices=_adjusted(instance))})
        return form_class(data)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """What was set."""
        return (table(instance),)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Undo it."""
        line_adjustments.undo(line_id=int(values["line"]), actor=actor, at=at)
        return Outcome("The line is billed as it is computed.")


def table(invoice: Invoice) -> Table:
    """What was set of the lines of an invoice."""
    rows = AdjustedLine.objects.filter(invoice=invoice).select_related("subscription").order_by("pk")
    return Table(
        "Adjusted lines",
        columns("Subscription", "Name", "By", "Reason", "Units#", "Unit price#"),
        tuple(
            Row(
                (
                    row.subscription.external_id,
                    row.label or cells.muted("as computed"),
                    row.adjusted_by,
                    row.reason,
                    cells.muted("as computed") if row.units is None else cells.number(row.units),
                    cells.muted("that of the plan")
                    if row.unit_amount is None
                    else cells.unit_price(row.unit_amount, invoice.currency),
                )
            )
            for row in rows
        ),
        empty="No line was adjusted.",
    )


def _demand(invoice: Invoice) -> None:
    states.move(status=invoice.status, verb=states.RECOMPUTE)
    if not BilledPeriod.objects.filter(invoice=invoice).exists():
        raise errors.NotAllowed("invalid_type_or_status", "The draft bills no subscription.")


def _set(invoice: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Any:
    wanted = Wanted(units=values["units"], unit_amount=values["unit_price"], label=values["label"] or None)
    chosen = values["line"]
    if not chosen.startswith(_ADD):
        return line_adjustments.adjust(line_id=int(chosen), wanted=wanted, reason=values["reason"], actor=actor, at=at)
    charge, price_filter, external_id = chosen.removeprefix(_ADD).split(":", 2)
    return line_adjustments.add(
        invoice_id=invoice.pk,
        external_subscription_id=external_id,
        charge_key=uuid.UUID(charge),
        filter_key=uuid.UUID(price_filter) if price_filter else None,
        wanted=wanted,
        reason=values["reason"],
        actor=actor,
        at=at,
    )


def _lines(invoice: Invoice) -> list[tuple[str, str]]:
    rows = RatedCharge.objects.filter(line__invoice=invoice).select_related("line").order_by("line__position")
    kinds = (*adjusted_trace.ADJUSTABLE, adjusted_trace.KIND)
    return [
        (str(row.line_id), f"{row.line.position}. {row.line.label}: {cells.money_text(row.line.amount)}")
        for row in rows
        if row.trace["kind"] in kinds
    ]


def _adjusted(invoice: Invoice) -> list[tuple[str, str]]:
    set_by = {(row.subscription_id, row.item_key, row.from_at) for row in AdjustedLine.objects.filter(invoice=invoice)}
    rows = RatedCharge.objects.filter(line__invoice=invoice).select_related("line").defer("trace")
    return [
        (str(row.line_id), f"{row.line.position}. {row.line.label}")
        for row in rows.order_by("line__position")
        if (row.subscription_id, row.item_key, row.from_at) in set_by
    ]


def _without_usage(invoice: Invoice) -> list[tuple[str, str]]:
    """The prices of usage in arrears that have no line on the draft, under each of its subscriptions."""
    periods = BilledPeriod.objects.filter(invoice=invoice, released_at__isnull=True)
    rows = list(periods.exclude(reason__in=BilledPeriod.WITHIN).select_related("subscription").order_by("pk"))
    lists = price_lists.load(version_ids={row.plan_version_id for row in rows if row.plan_version_id})
    rated = RatedCharge.objects.filter(line__invoice=invoice, charge__isnull=False)
    used = set(rated.values_list("subscription_id", "charge__key", "charge_filter__key"))
    found = []
    for row in rows:
        price_list = lists.get(row.plan_version_id or 0)
        if price_list is None or row.charges_from_at >= row.charges_to_at:
            continue
        for charge in price_list.charges:
            if charge.pay_in_advance:
                continue
            for filter_id, name in ((None, ""), *((one.id, one.name or str(one.values)) for one in charge.filters)):
                key = uuid.UUID(str(filter_id)) if filter_id else None
                if (row.subscription_id, uuid.UUID(charge.key), key) not in used:
                    label = f"{charge.name} {name}".strip()
                    value = f"{_ADD}{charge.key}:{filter_id or ''}:{row.subscription.external_id}"
                    found.append((value, f"New line: {label} ({row.subscription.external_id})"))
    return found


pages.extend(Invoice, AdjustLine(), UndoLine())
