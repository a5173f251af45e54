"""Selling add-ons on an invoice of their own: the form with its lines, what they would come to, and issuing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from catalog.models import AddOn, FixedCharge
from catalog.queries import taxes as known_taxes
from config.kernel import dates, money
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Row, Table, columns
from config.platform.admin.forms import SearchWidget, VerbForm
from config.platform.admin.verbs import ListVerb, Outcome
from customers.models import BillingEntity, Customer, InvoiceCustomSection
from invoicing.models import Invoice
from invoicing.services import one_off_invoices
from invoicing.services.drafting import Drafted
from invoicing.services.one_off_invoices import OneOff, OneOffFee

LINES = 6
"""As many lines as the form has; the API takes more."""

_LAST_SECOND = timedelta(seconds=1)


def _line_fields(number: int) -> Mapping[str, forms.Field]:
    return {
        f"add_on_{number}": forms.ModelChoiceField(
            AddOn.objects.filter(deleted_at__isnull=True),
            label="Add-on",
            widget=SearchWidget(FixedCharge._meta.get_field("add_on")),
            required=False,
        ),
        f"units_{number}": forms.DecimalField(
            label="Units", min_value=0, max_digits=30, decimal_places=15, required=False, help_text="Empty: one."
        ),
        f"price_{number}": forms.DecimalField(
            label="Price of one",
            min_value=0,
            max_digits=30,
            decimal_places=12,
            required=False,
            help_text="Empty: the add-on's.",
        ),
        f"label_{number}": forms.CharField(label="Name on the invoice", max_length=255, required=False),
        f"description_{number}": forms.CharField(label="Description", max_length=10_000, required=False),
        f"taxes_{number}": forms.ModelMultipleChoiceField(
            known_taxes.choices(),
            label="Taxes",
            widget=forms.SelectMultiple,
            required=False,
            help_text="Empty: the add-on's, the customer's, or the billing entity's.",
        ),
        f"from_{number}": forms.DateField(label="From", required=False),
        f"to_{number}": forms.DateField(label="Until and including", required=False),
    }


class OneOffForm(VerbForm):
    """Who is billed, on which terms, and the lines."""

    aliases = {
        "external_customer_id": "customer",
        "billing_entity_code": "billing_entity",
        "invoice_custom_sections": "sections_chosen",
    }

    customer = forms.ModelChoiceField(
        Customer.objects.filter(deleted_at__isnull=True),
        widget=SearchWidget(Invoice._meta.get_field("customer")),
        help_text="Search by name, e-mail or external id.",
    )
    currency = forms.ChoiceField(
        choices=lambda: [("", "the customer's"), *((code, code) for code in money.currencies())], required=False
    )
    billing_entity = forms.ModelChoiceField(
        BillingEntity.objects.order_by("-is_default", "name"),
        label="Billed by",
        empty_label="the customer's billing entity",
        required=False,
    )
    net_payment_term = forms.IntegerField(
        label="Payment term (days)",
        min_value=0,
        max_value=one_off_invoices.MOST_DAYS,
        required=False,
        help_text="Empty: the customer's.",
    )
    purchase_order_number = forms.CharField(max_length=255, required=False)
    sections_chosen = forms.ModelMultipleChoiceField(
        InvoiceCustomSection.objects.filter(deleted_at__isnull=True),
        label="Custom sections",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None chosen: the customer's.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.base_fields = dict(self.base_fields)
        arranged = [
            (
                "Invoice",
                (
                    "customer", "currency", "billing_entity", "net_payment_term", "purchase_order_number",
                    "sections_chosen",
                ),
            )
        ]  # fmt: skip
        for number in range(1, LINES + 1):
            fields = _line_fields(number)
            self.base_fields.update(fields)
            arranged.append((f"Line {number}", tuple(fields)))
        super().__init__(*args, **kwargs)
        self.folded = frozenset(  # type: ignore[misc]
            title for number, (title, names) in enumerate(arranged) if number > 1 and not self._says(names)
        )
        self.sections = tuple(arranged)  # type: ignore[misc]

    def _says(self, names: Sequence[str]) -> bool:
        """Whether somebody has filled in one of these fields."""
        return any(self.data.get(self.add_prefix(name)) for name in names)

    def clean(self) -> dict[str, Any]:
        """Read the lines; one that says something has to say what is sold."""
        cleaned = super().clean() or self.cleaned_data
        lines: list[int] = []
        for number in range(1, LINES + 1):
            said = [name for name in _line_fields(number) if cleaned.get(name) not in (None, "") and cleaned[name]]
            if cleaned.get(f"add_on_{number}"):
                lines.append(number)
            elif said and f"add_on_{number}" not in self.errors:
                self.add_error(f"add_on_{number}", "Choose what is sold.")
        if not lines and not self.errors:
            self.add_error("add_on_1", "Choose what is sold.")
        cleaned["lines"] = lines
        # What the service refuses of a line is told by its place among those that are filled in.
        self.aliases = {**type(self).aliases, **_line_aliases(lines)}  # type: ignore[misc]
        return cleaned


def _line_aliases(lines: Sequence[int]) -> Mapping[str, str]:
    fields = (("units", "units"), ("unit_amount_cents", "price"), ("from_datetime", "from"), ("to_datetime", "to"))
    return {
        f"fees.{place}.{field}": f"{shown}_{number}" for place, number in enumerate(lines) for field, shown in fields
    }


class NewInvoice(ListVerb):
    """Sell add-ons on an invoice of their own."""

    name = "new"
    label = "New invoice"
    icon = "note_add"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.add_invoice"
    explanation = (
        "A one-off invoice of add-ons. It is issued at once: numbered, booked, rendered and, where the billing entity "
        "wants it, e-mailed. Coupons, credits and prepaid money are not used for it."
    )
    confirm = "Issue the invoice"
    form_class = OneOffForm
    weighs = True
    weigh_label = "Show the totals"

    def weigh(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """The lines with their amounts, the taxes and the total."""
        return totals(one_off_invoices.preview(wanted=_wanted(values), actor=actor, at=at))

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Issue it, once however often the button is pressed."""
        invoice = one_off_invoices.create(wanted=_wanted(values), actor=actor, at=at)
        told = f"The invoice {invoice} was issued." if invoice.number else "It came to nothing, and was closed."
        return Outcome(told, cells.page_url(invoice))


def totals(drafted: Drafted) -> tuple[Table, ...]:
    """What an invoice would come to: its lines, then taxes and total."""
    invoice = drafted.invoice
    lines = tuple(
        Row(
            (
                cells.stack(line.label, line.item_code),
                cells.number(line.units),
                cells.unit_price(line.unit_amount, line.currency),
                cells.percent(line.taxes_rate),
                cells.money(line.amount),
            )
        )
        for line in drafted.lines
    )
    return (
        Table("Lines", columns("Item", "Units#", "Price#", "Tax#", "Net#"), lines),
        Table(
            "Total",
            columns("", "Amount#"),
            (
                Row(("Net", cells.money(invoice.fees_amount))),
                Row(("Tax", cells.money(invoice.taxes_amount))),
                Row(("Total", cells.money(invoice.total_amount)), is_total=True),
            ),
            note=f"Issued on {cells.day_text(invoice.issuing_date)}, due {cells.day_text(invoice.payment_due_date)}.",
        ),
    )


def _wanted(values: Mapping[str, Any]) -> OneOff:
    customer: Customer = values["customer"]
    seller: BillingEntity = values["billing_entity"] or customer.billing_entity
    zone = dates.zone(customer.timezone or seller.timezone)
    sections = values["sections_chosen"]
    return OneOff(
        key=values["once"],
        external_customer_id=customer.external_id,
        currency=values["currency"],
        billing_entity_code=seller.code,
        net_payment_term=values["net_payment_term"],
        purchase_order_number=values["purchase_order_number"],
        custom_section_codes=[section.code for section in sections] or None,
        fees=[_fee(values, number, zone) for number in values["lines"]],
    )


def _fee(values: Mapping[str, Any], number: int, zone: ZoneInfo) -> OneOffFee:
    units = values[f"units_{number}"]
    plain: dict[str, Any] = {} if units is None else {"units": units}
    first: date | None = values[f"from_{number}"]
    last: date | None = values[f"to_{number}"]
    return OneOffFee(
        add_on_code=values[f"add_on_{number}"].code,
        unit_amount=values[f"price_{number}"],
        invoice_display_name=values[f"label_{number}"],
        description=values[f"description_{number}"] or None,
        tax_codes=[tax.code for tax in values[f"taxes_{number}"]],
        from_at=None if first is None else dates.start_of_day(first, zone),
        to_at=None if last is None else dates.start_of_day(last + timedelta(days=1), zone) - _LAST_SECOND,
        **plain,
    )
