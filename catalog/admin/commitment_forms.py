"""The fields of a plan's minimum commitment in forms, and what they mean to the catalogue's services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from moneyed import Money

from catalog.models import PlanVersion
from catalog.queries import taxes as known_taxes
from catalog.services.commitment_input import CommitmentValues
from config.kernel import errors, money
from config.platform.admin.forms import VerbForm, told

FIELDS = ("commitment_amount", "commitment_name", "commitment_taxes")
SECTION = ("Minimum commitment", FIELDS)
ALIASES = {"minimum_commitment.amount_cents": "commitment_amount"}


class CommitmentFields(forms.Form):
    """Fields to be inherited; `check` adds ``commitment``, the amount as money, to what is cleaned."""

    commitment_amount = forms.DecimalField(
        label="Minimum of an interval",
        min_value=0,
        max_digits=18,
        decimal_places=4,
        required=False,
        help_text="What fee, usage and fixed charges of an interval lack to it is billed with its last invoice. "
        "Empty: no minimum.",
    )
    commitment_name = forms.CharField(
        label="Its name on invoices",
        max_length=255,
        required=False,
        help_text="Empty: Minimum commitment – True-up.",
    )
    commitment_taxes = forms.ModelMultipleChoiceField(
        known_taxes.choices(),
        label="Its taxes",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Empty: the plan's.",
    )


def check(form: VerbForm, cleaned: dict[str, Any], *, currency: str) -> None:
    """Refuse digits that the currency does not have."""
    amount = cleaned.get("commitment_amount")
    if not amount or not currency:
        return
    cleaned["commitment"] = Money(amount, currency)
    try:
        money.to_minor(cleaned["commitment"])
    except errors.Invalid as refusal:
        form.add_error("commitment_amount", told(refusal))


def initial(version: PlanVersion) -> dict[str, Any]:
    """Return what the fields show of a version."""
    row = version.commitment
    if row is None:
        return {}
    return {
        "commitment_amount": money.from_minor(row.amount_cents, version.currency).amount,
        "commitment_name": row.invoice_display_name,
        "commitment_taxes": list(row.taxes.all()),
    }


def values(cleaned: Mapping[str, Any]) -> CommitmentValues:
    """Return the commitment that was filled in; an empty one where there is no amount."""
    if "commitment" not in cleaned:
        return CommitmentValues()
    return CommitmentValues(
        amount_cents=money.to_minor(cleaned["commitment"]),
        invoice_display_name=cleaned["commitment_name"],
        tax_codes=[tax.code for tax in cleaned["commitment_taxes"]],
    )
