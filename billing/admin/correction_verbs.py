"""Correcting an invoice, on its page: what is right about its lines, its customer, its taxes or its usage. What would
come of it is played first, by the same code that does it then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from moneyed import Money

from billing.admin import correction_blocks
from billing.domain.event_corrections import Action, CorrectionIn
from billing.models import BilledPeriod, EventKey
from billing.services import invoice_corrections
from billing.services.invoice_corrections import Asked
from catalog.queries import taxes
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, pages, theme
from config.platform.admin.blocks import Block, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from customers.services.customers import CustomerValues
from invoicing.domain import correction_effects
from invoicing.domain import corrections as rules
from invoicing.domain.corrections import Fix
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries import corrections as known
from invoicing.services.corrections import Outdated

MOST_LINES = 100
_OPEN_LINES = 4
_UNITS, _PRICE, _AMOUNT, _GONE, _TAXES = "units_", "price_", "amount_", "gone_", "taxes_"
_PARTICULARS = {
    "legal_name": "Legal name",
    "tax_identification_number": "VAT id",
    "address_line1": "Street",
    "address_line2": "Further address",
    "zipcode": "Postal code",
    "city": "City",
    "country": "Country",
}
_STATES = (Invoice.Status.DRAFT, Invoice.Status.FINALIZED)


class CorrectionForm(ReasonForm):
    """Why, how the difference is settled, and what else is wrong than the lines."""

    aliases = {"events": "withdrawn", "base": "reason"}

    owed_by = forms.ChoiceField(
        label="What was too little",
        required=False,
        choices=[
            ("", "On the next invoice, where one comes"),
            (rules.NEXT_INVOICE, "On the next invoice"),
            (rules.OWN_INVOICE, "On an invoice of its own, now"),
        ],
    )
    given_back_by = forms.ChoiceField(
        label="What was too much and is paid",
        required=False,
        choices=[
            ("", "As credit: it lowers later invoices"),
            (rules.REFUND, "As a refund: the money is paid back"),
        ],
        help_text="What is still due is lowered first.",
    )
    document_is_wrong = forms.BooleanField(
        label="The document is wrong",
        required=False,
        help_text="It shows a customer or taxes that were corrected since. A new one is issued in its place.",
    )
    withdrawn = forms.CharField(
        label="Events that did not happen",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Transaction ids, one in a line. They are withdrawn and the usage is billed again without them.",
    )
    state = forms.CharField(required=False, widget=forms.HiddenInput)


class Correct(ObjectVerb):
    """Say what is right about an invoice, and have the fewest documents made that make it so."""

    name = "correct"
    label = "Correct"
    icon = "healing"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.add_correction"
    explanation = (
        "Say what is right; what is left empty stays. The assistant finds the fewest documents that make it so: a "
        "credit note for what was too much, a line on the next invoice for what was too little, another invoice in "
        "the place of this one where the document itself is wrong. You see all of it before anything is written."
    )
    confirm = "Correct the invoice"
    weigh_label = "Show what would be made"
    weighs = True

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Drafts and documents are corrected; what is voided, closed or waits is not."""
        if instance.status not in _STATES:
            raise errors.NotAllowed("not_correctable", f"An invoice that is {instance.status} is not corrected.")

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> CorrectionForm:
        """A few fields for each line, folded where there are many, and the customer's particulars."""
        lines = _lines(instance)
        fields: dict[str, Any] = {"state": forms.CharField(required=False, widget=forms.HiddenInput)}
        fields["state"].initial = known.fingerprint(instance)
        choices = [(tax.code, str(tax)) for tax in taxes.listed().order_by("code")[:MOST_LINES]]
        sections: list[tuple[str, tuple[str, ...]]] = []
        for line in lines:
            own = _fields(line, choices if instance.status == Invoice.Status.FINALIZED else [])
            fields |= own
            sections.append((f"{line.position}. {line.label}: {cells.money_text(line.agreed_amount)}", tuple(own)))
        folded = {title for title, _ in sections[_OPEN_LINES:]}
        particulars = {
            f"customer_{name}": forms.CharField(label=label, required=False, max_length=255)
            for name, label in _PARTICULARS.items()
        }
        title = "The customer, as it should be"
        sections.append((title, tuple(particulars)))
        sections.append(("Usage and document", ("withdrawn", "document_is_wrong")))
        folded |= {title, "Usage and document"}
        said = data or {}
        folded -= {title for title, names in sections if any(said.get(name) for name in names)}
        content = {**fields, **particulars, "sections": tuple(sections), "folded": frozenset(folded)}
        return type("CorrectInvoiceForm", (CorrectionForm,), content)(data)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """What was corrected before."""
        found: list[Block] = []
        if instance.lines.count() > MOST_LINES:
            text = f"Only the first {MOST_LINES} lines are shown: correct the others through the API."
            found.append(Note(text, Tone.WARN))
        done = known.of_invoice(instance).first()
        if done is not None:
            found.append(Note(f"It was corrected before, by {done.made_by}: {done.reason}", Tone.WARN))
        return found

    def weigh(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """The documents, the tax, the balances and the postings."""
        asked = _asked(instance, values)
        shown = invoice_corrections.preview(invoice_id=instance.pk, asked=asked, actor=actor, at=at)
        if values["state"] and values["state"] != shown.fingerprint:
            raise Outdated("correction_outdated", "The invoice has changed since this page was opened: open it again.")
        effect = correction_effects.told(shown.effect)
        for document in effect["documents"]:
            document["number"] = ""
        return correction_blocks.of_told(plan=shown.told, effect=effect, currency=instance.currency)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make them, once however often the button is pressed."""
        invoice_corrections.correct(
            invoice_id=instance.pk,
            asked=_asked(instance, values),
            fingerprint=values["state"],
            idempotency_key=f"admin:{values['once']}" if values["once"] else None,
            actor=actor,
            at=at,
        )
        return Outcome(f"Invoice {instance} was corrected.")


def _asked(invoice: Invoice, values: Mapping[str, Any]) -> Asked:
    found: Any = {
        name: values[f"customer_{name}"].strip() for name in _PARTICULARS if values[f"customer_{name}"].strip()
    }
    particulars: CustomerValues = found
    return Asked(
        reason=values["reason"],
        fixes=_fixes(invoice, values),
        particulars=particulars,
        document_is_wrong=values["document_is_wrong"],
        events=_withdrawals(invoice, values),
        owed_by=values["owed_by"],
        given_back_by=values["given_back_by"],
    )


def _fixes(invoice: Invoice, values: Mapping[str, Any]) -> tuple[Fix, ...]:
    codes = [code for name, chosen in values.items() if name.startswith(_TAXES) for code in chosen]
    tax_ids = {tax.code: tax.pk for tax in taxes.by_codes(codes=list(dict.fromkeys(codes)))}
    found = []
    for line in _lines(invoice):
        amount = values.get(f"{_AMOUNT}{line.pk}")
        chosen = values.get(f"{_TAXES}{line.pk}") or ()
        fix = Fix(
            line_id=line.pk,
            units=values.get(f"{_UNITS}{line.pk}"),
            unit_amount=values.get(f"{_PRICE}{line.pk}"),
            amount=None if amount is None else Money(amount, invoice.currency),
            not_owed=bool(values.get(f"{_GONE}{line.pk}")),
            tax_ids=tuple(tax_ids[code] for code in chosen) if chosen else None,
        )
        if fix.prices or fix.tax_ids is not None:
            found.append(fix)
    return tuple(found)


def _withdrawals(invoice: Invoice, values: Mapping[str, Any]) -> tuple[CorrectionIn, ...]:
    wanted = list(dict.fromkeys(name.strip() for name in values["withdrawn"].splitlines() if name.strip()))
    if not wanted:
        return ()
    billed = BilledPeriod.objects.filter(invoice=invoice).values_list("subscription__external_id", flat=True)
    rows = EventKey.objects.filter(external_subscription_id__in=set(billed), transaction_id__in=wanted)
    of = dict(rows.values_list("transaction_id", "external_subscription_id"))
    reason = values["reason"].strip()
    found = []
    for number, name in enumerate(wanted):
        if name not in of:
            message = f"The invoice bills no event {name}."
            raise rules.InvalidCorrection("event_not_found", message, {"events": ["event_not_found"]})
        found.append(
            CorrectionIn(
                transaction_id=f"withdrawal-{values['once']}-{number}",
                external_subscription_id=of[name],
                corrects=name,
                action=Action.WITHDRAW,
                reason=reason,
                sent={"corrects": name, "action": Action.WITHDRAW.value, "reason": reason},
            )
        )
    return tuple(found)


def _lines(invoice: Invoice) -> list[InvoiceLine]:
    return list(InvoiceLine.objects.filter(invoice=invoice).order_by("position")[:MOST_LINES])


def _fields(line: InvoiceLine, choices: Sequence[tuple[str, str]]) -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {
        f"{_UNITS}{line.pk}": forms.DecimalField(
            label="Units", required=False, min_value=0, help_text=f"{cells.number_text(line.units)} billed."
        ),
        f"{_PRICE}{line.pk}": forms.DecimalField(
            label="Unit price",
            required=False,
            min_value=0,
            help_text=f"{cells.unit_price_text(line.unit_amount, line.currency)} billed.",
        ),
        f"{_AMOUNT}{line.pk}": forms.DecimalField(
            label="Or the amount", required=False, min_value=0, decimal_places=4, help_text="As the price is agreed on."
        ),
        f"{_GONE}{line.pk}": forms.BooleanField(label="Or it should not have been billed", required=False),
    }
    if choices:
        found[f"{_TAXES}{line.pk}"] = forms.MultipleChoiceField(
            label="Taxes", required=False, choices=choices, help_text="None chosen: as they were."
        )
    return found


pages.extend(Invoice, Correct())
