"""The taxes of a customer in the admin: which apply and why, earlier decisions, and exempting it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Beside, Block, Fact, Facts, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from customers.admin import vat_checks
from customers.models import Customer, TaxDecision, TaxExemption
from customers.services import customers

_FIELDS = ("reason", "legal_note", "certificate_number", "valid_until")


class ExemptionForm(VerbForm):
    """Why a customer pays no tax."""

    aliases = {f"tax_exemption.{field}": field for field in _FIELDS}

    reason = forms.ChoiceField(choices=[("", "–"), *TaxExemption.Reason.choices])
    certificate_number = forms.CharField(max_length=255, required=False)
    valid_until = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="The last day. Empty: for good."
    )
    legal_note = forms.CharField(
        label="Text on documents",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Empty: the usual words with the reason and the certificate.",
    )


class Exempt(ObjectVerb):
    """Exempt a customer from tax."""

    name = "exempt"
    label = "Exempt from tax"
    icon = "money_off"
    permission = "customers.change_customer"
    explanation = "No tax is charged on what is billed from now on, and documents say why. Issued documents stay."
    confirm = "Save"
    form_class = ExemptionForm

    def initial(self, *, instance: Customer, at: datetime) -> Mapping[str, Any]:
        """The exemption as it is."""
        row = getattr(instance, "tax_exemption", None)
        return {} if row is None else {field: getattr(row, field) for field in _FIELDS}

    def perform(self, *, instance: Customer, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Exempt it."""
        _save(instance, {field: values[field] for field in _FIELDS}, actor, at)
        return Outcome("The customer is exempt from tax.")


class EndExemption(ObjectVerb):
    """End the exemption of a customer."""

    name = "end_exemption"
    label = "End exemption"
    icon = "attach_money"
    permission = "customers.change_customer"
    explanation = "Tax is charged on what is billed from now on. Issued documents stay."
    confirm = "End the exemption"

    def check(self, *, instance: Customer, at: datetime) -> None:
        """There has to be one."""
        if getattr(instance, "tax_exemption", None) is None:
            raise errors.NotAllowed("not_exempt", "The customer is not exempt from tax.")

    def perform(self, *, instance: Customer, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """End it."""
        _save(instance, None, actor, at)
        return Outcome("The exemption has ended.")


def blocks(customer: Customer) -> tuple[Block, ...]:
    """Which taxes apply and why, the check of the VAT number, the exemption, and earlier decisions."""
    decisions = list(customer.tax_decisions.all()[:20])
    return (
        *_notes(customer),
        Beside((_applied(customer, decisions), _exemption(customer))),
        Table(
            "Decisions",
            columns("When", "Rule", "Tax", "Decided from"),
            tuple(
                Row(
                    (
                        cells.instant(row.created_at),
                        cells.stack(row.get_basis_display(), "provisional" if row.is_provisional else ""),
                        cells.code(row.tax_code) if row.tax_code else cells.EMPTY,
                        ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in row.facts.items() if value),
                    )
                )
                for row in decisions
            ),
            empty="Nobody decides the taxes of this customer: its own apply, else those of the billing entity.",
        ),
    )


def _notes(customer: Customer) -> tuple[Block, ...]:
    if not customer.awaits_tax_decision:
        return ()
    return (Note("The VAT number is still to be checked: invoices wait, and the taxes are provisional.", Tone.WARN),)


def _applied(customer: Customer, decisions: list[TaxDecision]) -> Facts:
    own = ", ".join(f"{tax} ({cells.percent_text(tax.rate)})" for tax in customer.taxes.all())
    seller = ", ".join(str(tax) for tax in customer.billing_entity.taxes.all()) or "none"
    check = customer.vat_check
    return Facts(
        "Taxes",
        (
            Fact("Apply", own or f"those of the billing entity: {seller}"),
            Fact("Why", decisions[0].get_basis_display() if decisions else cells.EMPTY),
            Fact("VAT id", customer.tax_identification_number or cells.EMPTY),
            Fact("Check", cells.EMPTY if check is None else cells.to(check, check.get_status_display())),
            Fact("Registered as", (check.name if check else "") or cells.EMPTY),
            Fact("State of the check", cells.EMPTY if check is None else vat_checks.status(check)),
        ),
    )


def _exemption(customer: Customer) -> Facts:
    row = getattr(customer, "tax_exemption", None)
    if row is None:
        return Facts("Exemption", (Fact("Exempt", "no"),))
    return Facts(
        "Exemption",
        (
            Fact("Exempt", row.get_reason_display()),
            Fact("Certificate", row.certificate_number or cells.EMPTY),
            Fact("Valid until", cells.day_text(row.valid_until) if row.valid_until else "for good"),
            Fact("Text on documents", row.legal_note or cells.muted("the usual words")),
        ),
    )


def _save(customer: Customer, values: Any, actor: Actor, at: datetime) -> None:
    customers.upsert(values={"external_id": customer.external_id, "tax_exemption": values}, actor=actor, at=at)
