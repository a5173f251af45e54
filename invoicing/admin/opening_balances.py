"""Opening balances in the admin: what was taken over from a former system, and settling it. They come by import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from moneyed import Money

from config.kernel import dates, money
from config.kernel.actors import Actor
from config.platform.admin import cells, history, imports, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Figure, Figures, Note, Page, Row, Tab, Table, columns
from config.platform.admin.bulk import BulkVerb
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from config.platform.models import ImportFile, ImportRow
from invoicing.admin.filters import CurrencyFilter
from invoicing.models import OpeningBalance, OpeningSettlement
from invoicing.services import approval_actions, opening_balances, opening_imports

imports.offer(opening_imports.KIND)


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
    action = approval_actions.WRITE_OFF
    explanation = "Books what was paid or is given up of what was taken over, or credit that was paid back."
    confirm = "Book it"

    def check(self, *, instance: OpeningBalance, at: datetime) -> None:
        """As long as something is open."""
        opening_balances.demand_settleable(instance)

    def form(self, *, data: Any, instance: OpeningBalance, at: datetime) -> VerbForm:
        """The form, with what fits its kind."""
        left = opening_balances.left_of(instance)
        initial = {
            "amount": money.quantize(left.amount, currency=instance.currency),
            "accounting_date": _today(instance, at),
        }
        form = SettleForm(data, initial=initial)
        fitting = opening_balances.WAYS[OpeningBalance.Kind(instance.kind)]
        choices = [(kind.value, kind.label) for kind in fitting]
        form.fields["kind"].choices = form.fields["kind"].widget.choices = choices  # type: ignore[attr-defined]
        return form

    def second_person(
        self, *, instance: OpeningBalance, values: Mapping[str, Any] | None, actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """Who approves it first where it is written off; what was paid needs nobody."""
        given_up = OpeningSettlement.Kind.WRITTEN_OFF
        if given_up not in opening_balances.WAYS[OpeningBalance.Kind(instance.kind)]:
            return ()
        found = super().second_person(instance=instance, values=values, actor=actor, at=at)
        return [
            Note(f"{given_up.label.capitalize()}: {note.text}", note.tone) for note in found if isinstance(note, Note)
        ]

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


class DayForm(ReasonForm):
    """On which day, and why. Without a day it is today, where the seller is."""

    accounting_date = forms.DateField(label="Day of the books", required=False, help_text="Empty: today.")


class UndoForm(DayForm):
    """Which settlement too."""

    settlement = forms.TypedChoiceField(label="Which", coerce=int)


class UndoSettlement(ObjectVerb):
    """Take back what was recorded by mistake."""

    name = "undo_settlement"
    label = "Undo a settlement"
    icon = "undo"
    permission = "invoicing.settle_openingbalance"
    explanation = "The opposite is booked, and as much is open again."
    confirm = "Undo it"

    def check(self, *, instance: OpeningBalance, at: datetime) -> None:
        """As long as a settlement stands."""
        if not _standing(instance):
            raise opening_balances.UnableToSettle("nothing_settled", "Nothing of it is settled.")

    def form(self, *, data: Any, instance: OpeningBalance, at: datetime) -> VerbForm:
        """The form, with the settlements that stand."""
        form = UndoForm(data, initial={"accounting_date": _today(instance, at)})
        choices = [
            (one.pk, f"{one.get_kind_display()} {cells.money_text(one.amount)}, {one.entry.accounting_date}")
            for one in _standing(instance)
        ]
        form.fields["settlement"].choices = form.fields["settlement"].widget.choices = choices  # type: ignore[attr-defined]
        return form

    def preview(self, *, instance: OpeningBalance, at: datetime) -> Sequence[Block]:
        """What is open."""
        return (_figures(instance),)

    def perform(self, *, instance: OpeningBalance, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Undo it."""
        opening_balances.undo(
            settlement_id=values["settlement"],
            accounting_date=values["accounting_date"] or _today(instance, at),
            reason=values["reason"],
            actor=actor,
            at=at,
        )
        return Outcome("It is undone, and open again.", cells.page_url(instance))


class TakeBack(ObjectVerb):
    """Undo the import of it."""

    name = "take_back"
    label = "Take back"
    icon = "settings_backup_restore"
    variant = theme.ActionVariant.DANGER
    permission = "invoicing.settle_openingbalance"
    explanation = (
        "For what should not have been booked: the opposite is booked, and nothing of it is open. Its number may be "
        "imported anew, with other figures."
    )
    confirm = "Take it back"
    form_class = DayForm

    def check(self, *, instance: OpeningBalance, at: datetime) -> None:
        """As long as nothing of it is settled."""
        opening_balances.demand_returnable(instance)

    def preview(self, *, instance: OpeningBalance, at: datetime) -> Sequence[Block]:
        """What is open."""
        return (_figures(instance),)

    def perform(self, *, instance: OpeningBalance, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Take it back."""
        opening_balances.take_back(
            opening_id=instance.pk,
            accounting_date=values["accounting_date"] or _today(instance, at),
            reason=values["reason"],
            actor=actor,
            at=at,
        )
        return Outcome("It is taken back.", cells.page_url(instance))


class ImportFilter(theme.DropdownFilter):
    """Balances of one import, so that all of them can be taken back."""

    title = "import"
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The newest imports of balances that were written."""
        rows = ImportFile.objects.filter(kind=opening_imports.KIND.code, confirmed_at__isnull=False)
        return [(str(row.pk), f"{row.file_name}, {cells.instant_text(row.created_at)}") for row in rows[:50]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OpeningBalance]) -> QuerySet[OpeningBalance]:
        """Narrow to what its rows wrote."""
        chosen = self.value()
        if not chosen or not chosen.isdecimal() or len(chosen) > 18:
            return queryset
        rows = ImportRow.objects.filter(
            file_id=int(chosen), outcome=ImportRow.Outcome.NEW, written_at__isnull=False, object_type=_LABEL
        )
        return queryset.filter(pk__in=rows.values("object_id"))


_LABEL = OpeningBalance._meta.label_lower


@pages.register(OpeningBalance)
class OpeningBalanceAdmin(pages.PageAdmin):
    """What was taken over."""

    list_display = ("named", "customer_shown", "what", "dated", "due", "amount_shown")
    list_filter = (
        ("kind", theme.ChoicesDropdownFilter),
        ("customer", theme.AutocompleteSelectFilter),
        CurrencyFilter,
        ImportFilter,
    )
    search_fields = ("reference", "customer__name", "customer__external_id")
    search_help_text = "Number there, or customer"
    verbs = (Settle(), UndoSettlement(), TakeBack())
    prominent = (Settle.name,)
    bulk_verbs = (BulkVerb(TakeBack(), "Take back"),)
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


def _standing(opening: OpeningBalance) -> list[OpeningSettlement]:
    rows = opening.settlements.filter(undone_by__isnull=True, undoes__isnull=True)
    rows = rows.filter(kind__in=opening_balances.WAYS[OpeningBalance.Kind(opening.kind)])
    return list(rows.select_related("entry").order_by("-pk"))


def _today(opening: OpeningBalance, at: datetime) -> date:
    return dates.local_date(at, dates.zone(opening.billing_entity.timezone))


def _kind(opening: OpeningBalance) -> str:
    is_owed = opening.kind == OpeningBalance.Kind.OWED
    return cells.badge(opening.get_kind_display(), Tone.WARN if is_owed else Tone.INFO)
