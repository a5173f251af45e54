"""The fields of usage thresholds in forms: an amount on each line, with its name. Owns reading and writing the text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from django import forms
from moneyed import Money

from config.kernel import errors, money
from config.platform.admin.forms import VerbForm, told

ALIASES = {"usage_thresholds": "thresholds"}
_NAME_LENGTH = 255


class Row(Protocol):
    """A threshold as it is stored."""

    amount_cents: int
    recurring: bool
    name: str


class ThresholdFields(forms.Form):
    """Fields to be inherited; `check` reads them."""

    thresholds = forms.CharField(
        label="Amounts of usage",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One for each line: the amount, and a name for it if it has one. Once the usage since the first day "
        "passes it, what was used so far is billed at once.",
    )
    step = forms.CharField(
        label="And again every",
        required=False,
        help_text="An amount: the usage beyond the highest one is billed each time that it grows by so much.",
    )


def check(form: VerbForm, cleaned: dict[str, Any], *, currency: str) -> None:
    """Read the fields into ``threshold_values``, as services take them; what cannot be read is shown beside its field.

    Amounts are in major units of the currency, and no finer than it is.
    """
    found: list[dict[str, Any]] = []
    for line in str(cleaned.get("thresholds") or "").splitlines():
        amount, _, name = line.strip().partition(" ")
        if amount:
            cents = _cents(form, "thresholds", amount, currency)
            found.append({"amount_cents": cents, "threshold_display_name": name.strip()[:_NAME_LENGTH]})
    amount, _, name = str(cleaned.get("step") or "").strip().partition(" ")
    if amount:
        cents = _cents(form, "step", amount, currency)
        named = {"threshold_display_name": name.strip()[:_NAME_LENGTH]}
        found.append({"amount_cents": cents, "recurring": True, **named})
    cleaned["threshold_values"] = found


def initial(rows: Iterable[Row], *, currency: str) -> Mapping[str, str]:
    """Return what the fields show of thresholds."""
    lines = {False: [], True: []}  # type: dict[bool, list[str]]
    for row in rows:
        amount = money.from_minor(row.amount_cents, currency).amount
        lines[row.recurring].append(f"{amount:f} {row.name}".strip())
    return {"thresholds": "\n".join(lines[False]), "step": "\n".join(lines[True])}


def _cents(form: VerbForm, field: str, text: str, currency: str) -> int:
    try:
        amount = Decimal(text.replace(",", "."))
        if not 0 < amount < Decimal(10) ** 13:
            raise InvalidOperation
        return money.to_minor(Money(amount, currency))
    except InvalidOperation:
        form.add_error(field, f"{text} is no amount above nothing.")
    except errors.Invalid as refusal:
        form.add_error(field, told(refusal))
    return 0
