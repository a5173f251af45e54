"""Opening balances in the admin: what was taken over from a former system, and settling it. They come by import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from moneyed import Money

from config.kernel import dates
from config.kernel.actors import Actor
from config.platform.admin import cells, history, imports, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Figure, Figures, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.admin.filters import CurrencyFilter
from invoicing.models import OpeningBalance, OpeningSettlement
from invoicing.services import opening_balances, opening_imports

imports.offer(opening_imports.KIND)

_KINDS = OpeningSettlement.Kind


class SettleForm(ReasonForm):
    """How much, how and on which day."""

    kind = forms.ChoiceField(label="What happened")
    amount = forms.DecimalField(max_digits=20, decimal_places=4, min_value=0)
    accounting_date = forms.DateField(label="Day of the books")


class Settle(ObjectVerb):
    """Record that it was paid, given up or paid back."""

    name = "settle"
    label = "Record a payment"
    icon = "payments"
    permission = "invoicing.settle_openingbalance"
    explanation = "Books what was paid or is given up of what was taken over, or credit that was paid back."
    confirm = "Book it"

    def check(self, *, instance: OpeningBalance, at: datetime) -> None:
        """As long as something is open."""
        opening_balances.demand_settleable(instance)

    def form(self, *, data: Any, instance: OpeningBalance, at: datetime) -> VerbForm:
        """The form, with what fits its kind."""
        today = dates.local_date(at, dates.zone(instance.billing_entity.timezone))
        initial = {"amount": opening_balances.left_of(instance).amount, "accounting_date": today}
        form = SettleForm(data, initial=initial)
        is_owed = instance.kind == OpeningBalance.Kind.OWED
        fitting = (_KINDS.PAID, _KINDS.WRITTEN_OFF) if is_owed else (_KINDS.PAID_BACK,)
        choices = [(kind.value, kind.label) for kind in fitting]
        form.fields["kind"].choices = form.fields["kind"].widget.choices = choices  # type: ignore[attr-defined]
        return form

    def preview(self, *, instance: OpeningBalance, at: datetime) -> Sequence[Block]:
        """What is open."""
        return (_figures(instance),)

    def perform(self, *, instance: OpeningBalance, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Book it."""
        opening_balances.settle(
            opening_id=instance.pk,
            kind=values["kind"],
            amount=Money(values["amount"], instance.currency),
            accounting_date=values["accounting_date"],
            reason=values["reason"],
            idempotency_key=values["once"],
            actor=actor,
            at=at,
        )
        return Outcome("It is booked.", cells.page_url(instance))


@pages.register(OpeningBalance)
class OpeningBalanceAdmin(pages.PageAdmin):
    """What was taken over."""

    list_display = ("named", "customer_shown", "what", "dated", "due", "amount_shown")
    list_filter = (("kind", theme.ChoicesDropdownFilter), CurrencyFilter)
    search_fields = ("reference", "customer__name", "customer__external_id")
    search_help_text = "Number there, or customer"
    verbs = (Settle(),)
    rows_name = "opening balances"
    empty_title = "No opening balances"
    empty_text = "Import what customers owed and had with your former system: Imports, opening balances."

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpeningBalance]:
        """Balances with what their pages name."""
        return super().get_queryset(request).select_related("customer", "billing_entity", "entry")

    @theme.display(description="Number there", ordering="reference")
    def named(self, row: OpeningBalance) -> str:
        """Its number in the former system."""
        return row.reference

    @theme.display(description="Customer")
    def customer_shown(self, row: OpeningBalance) -> str:
        """Whose it is."""
        return row.customer.display_name

    @theme.display(description="What", ordering="kind")
    def what(self, row: OpeningBalance) -> str:
        """Owed or credit."""
        return _kind(row)

    @theme.display(description="Date", ordering="issuing_date")
    def dated(self, row: OpeningBalance) -> str:
        """When it was issued there."""
        return cells.day(row.issuing_date)

    @theme.display(description="Due", ordering="due_date")
    def due(self, row: OpeningBalance) -> str:
        """When it is due."""
        return cells.day(row.due_date) if row.kind == OpeningBalance.Kind.OWED else cells.EMPTY

    @theme.display(description="Taken over", ordering="amount")
    def amount_shown(self, row: OpeningBalance) -> str:
        """What was open when it was taken over."""
        return cells.money(row.amount)

    def page(self, request: HttpRequest, instance: OpeningBalance) -> Page:
        """What it is, and what was settled of it."""
        facts = Facts(
            "Opening balance",
            (
                Fact("Number there", instance.reference),
                Fact("What", _kind(instance)),
                Fact("Customer", cells.to(instance.customer)),
                Fact("Billed by", cells.to(instance.billing_entity)),
                Fact("Date", cells.day(instance.issuing_date)),
                Fact("Due", cells.day(instance.due_date)),
                Fact("Total there", cells.money_text(instance.original_amount)),
                Fact("Booking", cells.to(instance.entry)),
            ),
        )
        settled = instance.settlements.select_related("entry").order_by("pk")
        rows = tuple(
            Row(
                (
                    cells.day(one.entry.accounting_date),
                    one.get_kind_display(),
                    cells.to(one.entry),
                    cells.money(one.amount),
                )
            )
            for one in settled
        )
        table = Table("Settled", columns("Day", "", "Booking", "Amount#"), rows, empty="Nothing of it is settled yet.")
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(_figures(instance),), tabs=(Tab("Balance", (facts, table)), Tab("History", (recent,))))


def _figures(opening: OpeningBalance) -> Figures:
    left = opening_balances.left_of(opening)
    return Figures(
        (
            Figure("Taken over", cells.money_text(opening.amount)),
            Figure("Settled", cells.money_text(opening.amount - left)),
            Figure("Open", cells.money_text(left), tone=Tone.WARN if left.amount else Tone.GOOD),
        )
    )


def _kind(opening: OpeningBalance) -> str:
    is_owed = opening.kind == OpeningBalance.Kind.OWED
    return cells.badge(opening.get_kind_display(), Tone.WARN if is_owed else Tone.INFO)
