"""Plans from a table, by their code: fee, interval, terms. Owns the columns and what a row changes; charges are
`price_imports`', writing is `plans`'.
"""

from __future__ import annotations

import re
from typing import Any

from moneyed import Money

from catalog.domain.intervals import Interval
from catalog.models import Plan, PlanVersion
from catalog.queries import plans as known
from catalog.queries import taxes
from catalog.services import import_publishing, plans
from catalog.services.plans import PlanValues
from config.kernel import errors, money
from config.platform.services import import_kinds
from config.platform.services.import_cells import CellKind
from config.platform.services.import_kinds import Effect, ImportColumn, ImportKind, Task

_SEPARATED = re.compile(r"[,;|\s]+")
_FIXED = (
    "interval",
    "currency",
    "pay_in_advance",
    "trial_period",
    "bill_charges_monthly",
    "bill_fixed_charges_monthly",
)
"""What cannot change while somebody has the plan."""

COLUMNS = (
    ImportColumn(
        "code", "Code", synonyms=("plan", "plan code"), is_needed=True, help="The plan that the row is about."
    ),
    ImportColumn("name", "Name", synonyms=("plan name",)),
    ImportColumn("description", "Description", most=2000),
    ImportColumn("invoice_display_name", "Name on invoices", synonyms=("invoice display name",)),
    ImportColumn("interval", "Interval", help=f"One of {', '.join(Interval)}. Needed for a new plan."),
    ImportColumn(
        "currency", "Currency", synonyms=("amount currency",), help="ISO 4217, such as EUR. Needed for a new plan."
    ),
    ImportColumn(
        "amount",
        "Fee",
        CellKind.NUMBER,
        synonyms=("price", "amount", "base fee", "subscription fee"),
        help="For an interval, such as 49.00. Needed for a new plan.",
    ),
    ImportColumn("pay_in_advance", "In advance", CellKind.YES_NO, synonyms=("pay in advance",)),
    ImportColumn("trial_period", "Trial (days)", CellKind.NUMBER, synonyms=("trial", "trial period")),
    ImportColumn("bill_charges_monthly", "Charges monthly", CellKind.YES_NO, synonyms=("bill charges monthly",)),
    ImportColumn(
        "bill_fixed_charges_monthly",
        "Fixed charges monthly",
        CellKind.YES_NO,
        synonyms=("bill fixed charges monthly",),
    ),
    ImportColumn("tax_inclusive", "With tax", CellKind.YES_NO, synonyms=("tax inclusive", "gross")),
    ImportColumn("tax_codes", "Taxes", synonyms=("tax", "tax code"), help="Codes with commas between; replaces all."),
)
_LABELS = {column.name: column.label for column in COLUMNS}


def apply(task: Task) -> Effect:
    """Make or change the plan of a row; what is empty stays as it is. The same row again changes nothing.

    A fee is exact in minor units of the currency. Refuses what cannot change while the plan is in use. Raises what
    `plans.create` and `plans.update` raise, and RowRefused.
    """
    (row,) = task.rows
    plan = Plan.objects.filter(code=row["code"], deleted_at__isnull=True).first()
    if plan is None:
        made = plans.create(values=_values(row, None), actor=task.actor, at=task.at)
        shown = _shown(made)
        return Effect(made.plan, is_new=True, changes=tuple((_LABELS[name], "", shown[name]) for name in row))
    version = known.by_code(code=row["code"])
    before = _shown(version)
    values = _values(row, version)
    publication = import_publishing.publication(task.options, at=task.at)
    if known.in_use(plan):
        _demand_kept(row, version, values)
    old, new = plans.proposed(code=plan.code, values=values, at=task.at)
    after = plans.update(
        code=plan.code, values=values, actor=task.actor, at=task.at, publication=publication, seen=version.pk
    )
    shown = _shown(after)
    if old != new and not publication.moves_existing and publication.waits(at=task.at):
        # The version is sold later: what was asked for is told, for the one that is sold has it not yet.
        shown |= {name: _written(row[name]) for name in row if name in {"amount", "tax_inclusive", "tax_codes"}}
    changed = tuple((_LABELS[name], before[name], shown[name]) for name in row if shown[name] != before[name])
    return Effect(plan, changes=changed)


def _values(row: import_kinds.Values, version: PlanVersion | None) -> PlanValues:
    content: dict[str, Any] = {
        name: row[name]
        for name in (
            *("code", "name", "description", "invoice_display_name", "pay_in_advance", "trial_period"),
            *("bill_charges_monthly", "bill_fixed_charges_monthly", "tax_inclusive"),
        )
        if name in row
    }
    if version is None:
        for name in ("interval", "currency", "amount", "name"):
            if name not in row:
                raise import_kinds.refused(name, "A new plan needs it.")
    if "interval" in row:
        content["interval"] = _interval(row["interval"])
    if "currency" in row:
        content["amount_currency"] = row["currency"].upper()
        if not money.known(content["amount_currency"]):
            raise import_kinds.refused("currency", f"{row['currency'][:40]} is not a currency: ISO 4217 such as EUR.")
    if "amount" in row:
        currency = content.get("amount_currency") or (version.amount.currency.code if version else "")
        content["amount_cents"] = cents(row["amount"], currency, "amount")
    if "tax_codes" in row:
        content["tax_codes"] = tax_codes(row["tax_codes"])
    return PlanValues(**content)  # type: ignore[typeddict-item]


def cents(amount: Any, currency: str, column: str, place: int | None = None) -> int:
    """Return minor units of an amount. Raises RowRefused for one below nothing, or with more digits than these."""
    if amount < 0:
        raise import_kinds.refused(column, "It is below nothing.", place)
    try:
        return money.to_minor(Money(amount, currency))
    except errors.Invalid:
        words = f"{amount} has more decimals than {currency} has ({money.exponent(currency)})."
        raise import_kinds.refused(column, words, place) from None


def tax_codes(text: str, place: int | None = None) -> list[str]:
    """Return the codes of taxes in a cell. Raises RowRefused for one that does not exist."""
    codes = list(dict.fromkeys(code for code in _SEPARATED.split(text) if code))
    try:
        taxes.by_codes(codes=codes)
    except errors.NotFound as refusal:
        raise import_kinds.refused("tax_codes", refusal.message, place) from refusal
    return codes


def _interval(text: str) -> str:
    if text.lower() not in set(Interval):
        raise import_kinds.refused("interval", f"It is one of {', '.join(Interval)}.")
    return text.lower()


def _demand_kept(row: import_kinds.Values, version: PlanVersion, values: PlanValues) -> None:
    now = {
        "interval": version.interval,
        "currency": version.amount.currency.code,
        **{name: getattr(version, name) for name in _FIXED if name not in {"interval", "currency"}},
    }
    asked = {**values, "currency": values.get("amount_currency")}
    for name in _FIXED:
        if name in row and asked[name] != now[name]:
            raise import_kinds.refused(name, f"Somebody has the plan, so it stays {_written(now[name])}.")


def _shown(version: PlanVersion) -> dict[str, str]:
    """A plan as it is sold, by column, for people."""
    plan = version.plan
    return {
        **{name: str(getattr(plan, name)) for name in ("code", "name", "description", "invoice_display_name")},
        "interval": version.interval,
        "currency": version.amount.currency.code,
        "amount": _written(version.amount.amount),
        **{
            name: _written(getattr(version, name))
            for name in (
                *("pay_in_advance", "trial_period", "bill_charges_monthly", "bill_fixed_charges_monthly"),
                "tax_inclusive",
            )
        },
        "tax_codes": ", ".join(sorted(tax.code for tax in version.taxes.all())),
    }


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text and text.replace(".", "").lstrip("-").isdigit() else text


KIND = ImportKind(
    code="plans",
    label="Plans",
    about="Makes plans, or changes those of the same code: another fee is a new version.",
    permissions=("platform.import_plans", "catalog.add_plan", "catalog.change_plan"),
    columns=COLUMNS,
    key=("code",),
    apply=apply,
    demand=import_publishing.demand_second,
    options=import_publishing.OPTIONS,
    samples=(
        {
            "code": "team",
            "name": "Team",
            "interval": "monthly",
            "currency": "EUR",
            "amount": "49.00",
            "pay_in_advance": "yes",
        },
        {"code": "scale", "name": "Scale", "interval": "yearly", "currency": "EUR", "amount": "4990.00"},
    ),
)

import_kinds.register(KIND)
