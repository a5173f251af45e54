"""Booking by hand in the admin, and taking it back. Whoever does it says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from moneyed import Money

from config.kernel import dates, errors, money
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Row, Table, columns
from config.platform.admin.forms import ReasonForm, SearchWidget, VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from customers.models import Customer
from invoicing.admin import shown
from invoicing.admin.ledger_forms import AccountChoice, EntityChoice
from invoicing.models import Invoice, LedgerAccount, LedgerEntry
from invoicing.services import approval_actions, manual_entries
from invoicing.services.manual_entries import Side

SIDES = range(1, 5)
_BOTH = [("debit", "debit"), ("credit", "credit")]


class ManualEntryForm(VerbForm):
    """Whose books, which day, why, and up to four sides."""

    aliases = {"account": "account_1", "sides": "account_1", "amount": "amount_1"}
    sections = (
        ("Booking", ("billing_entity", "accounting_date", "currency", "reference", "customer", "reason")),
        ("Sides", tuple(f"{name}_{number}" for number in SIDES for name in ("account", "side", "amount"))),
    )

    billing_entity = EntityChoice()
    accounting_date = forms.DateField(label="Day of the books")
    currency = forms.CharField(max_length=3)
    reference = forms.CharField(required=False, max_length=255)
    customer = forms.ModelChoiceField(
        Customer.objects.all(),
        required=False,
        widget=SearchWidget(Invoice._meta.get_field("customer")),
        help_text="Where it is about what a customer owes or has.",
        error_messages={"invalid_choice": "There is no such customer."},
    )
    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    account_1 = AccountChoice(label="Account 1")
    side_1 = forms.ChoiceField(label="Side", choices=_BOTH, initial="debit")
    amount_1 = forms.DecimalField(label="Amount", min_value=0, max_digits=16, decimal_places=4)
    account_2 = AccountChoice(label="Account 2")
    side_2 = forms.ChoiceField(label="Side", choices=_BOTH, initial="credit")
    amount_2 = forms.DecimalField(label="Amount", min_value=0, max_digits=16, decimal_places=4)
    account_3 = AccountChoice(required=False, label="Account 3")
    side_3 = forms.ChoiceField(label="Side", choices=_BOTH, initial="credit")
    amount_3 = forms.DecimalField(required=False, label="Amount", min_value=0, max_digits=16, decimal_places=4)
    account_4 = AccountChoice(required=False, label="Account 4")
    side_4 = forms.ChoiceField(label="Side", choices=_BOTH, initial="credit")
    amount_4 = forms.DecimalField(required=False, label="Amount", min_value=0, max_digits=16, decimal_places=4)


class PostByHand(ListVerb):
    """Book by hand."""

    name = "post"
    label = "Book by hand"
    icon = "edit_note"
    permission = "invoicing.add_manualentry"
    action = approval_actions.MANUAL_ENTRY
    explanation = "Debits and credits are equal. A booking is never changed: it is taken back by its opposite."
    confirm = "Book it"
    form_class = ManualEntryForm
    weighs = True
    weigh_label = "Show the booking"

    def initial(self, *, at: datetime) -> Mapping[str, Any]:
        """Today."""
        return {"accounting_date": dates.local_date(at, dates.zone("UTC"))}

    def measured(self, *, instance: None, values: Mapping[str, Any] | None) -> Money | None:
        """The sum of debits, where they are in one currency."""
        debits = [] if values is None else [side.amount for side in sides_of(values) if side.amount.amount > 0]
        if len({amount.currency for amount in debits}) != 1:
            return None
        return sum(debits[1:], debits[0])

    def weigh(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """The booking as it would be."""
        sides = sides_of(values)
        manual_entries.demand(
            sides=sides,
            billing_entity_id=values["billing_entity"].pk,
            customer_id=values["customer"].pk if values["customer"] else None,
        )
        names = LedgerAccount.objects.in_bulk([side.account_id for side in sides])
        rows = tuple(
            Row(
                (
                    str(names[side.account_id]),
                    cells.money(side.amount) if side.amount.amount > 0 else "",
                    cells.money(-side.amount) if side.amount.amount < 0 else "",
                )
            )
            for side in sides
        )
        return (Table("The booking", columns("Account", "Debit#", "Credit#"), rows),)

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Book it."""
        entry = manual_entries.post(
            billing_entity_id=values["billing_entity"].pk,
            sides=sides_of(values),
            accounting_date=values["accounting_date"],
            reason=values["reason"],
            reference=values["reference"],
            customer_id=values["customer"].pk if values["customer"] else None,
            idempotency_key=values["once"],
            actor=actor,
            at=at,
        )
        return Outcome("It is booked.", cells.page_url(entry))


class TakeBackForm(ReasonForm):
    """Why, and on which day."""

    accounting_date = forms.DateField(label="Day of the books")


class TakeBack(ObjectVerb):
    """Take a manual booking back."""

    name = "reverse"
    label = "Take back"
    icon = "undo"
    variant = theme.ActionVariant.DANGER
    permission = "invoicing.add_manualentry"
    action = approval_actions.MANUAL_ENTRY
    explanation = "Books the opposite. Both stay in the books."
    confirm = "Book the opposite"
    form_class = TakeBackForm

    def check(self, *, instance: LedgerEntry, at: datetime) -> None:
        """Only what was booked by hand, once."""
        manual_entries.demand_reversible(instance)

    def initial(self, *, instance: LedgerEntry, at: datetime) -> Mapping[str, Any]:
        """Today."""
        return {"accounting_date": dates.local_date(at, dates.zone("UTC"))}

    def preview(self, *, instance: LedgerEntry, at: datetime) -> Sequence[Block]:
        """What is taken back."""
        return (shown.bookings([instance], title="Taken back"),)

    def perform(self, *, instance: LedgerEntry, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Book the opposite."""
        entry = manual_entries.reverse(
            entry_id=instance.pk,
            accounting_date=values["accounting_date"],
            reason=values["reason"],
            actor=actor,
            at=at,
        )
        return Outcome("It is taken back.", cells.page_url(entry))


def sides_of(values: Mapping[str, Any]) -> list[Side]:
    """The sides that were filled in. Raises Invalid for an unknown currency or half a side."""
    currency = values["currency"].strip().upper()
    money.exponent(currency)
    found = []
    for number in SIDES:
        account, amount = values[f"account_{number}"], values[f"amount_{number}"]
        if (account is None) != (amount is None):
            raise errors.Invalid("side_incomplete", f"Side {number} needs an account and an amount.")
        if account is not None:
            signed = amount if values[f"side_{number}"] == "debit" else -amount
            found.append(Side(account.pk, Money(signed, currency)))
    return found
