"""Own terms of a subscription as blocks of a page: what differs from the plan, the plan's and its own side by side, and
what they do to the next invoice. Never writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from billing.admin import price_text
from billing.models import Subscription
from billing.services import change_previews
from billing.services.change_previews import Played
from catalog.models import PlanVersion, Tax
from catalog.services import price_lists, private_terms, private_versions
from catalog.services.price_lists import ChargeContent, FixedChargeContent, PriceList
from config.kernel import money
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Note, Row, Table, columns

LABELS = {
    "name": "Name",
    "invoice_display_name": "Name on invoices",
    "description": "Description",
    "amount_cents": "Fee",
    "trial_period": "Trial",
    "tax_codes": "Taxes",
    "minimum_commitment": "Minimum",
    "usage_thresholds": "Usage thresholds",
    "min_amount_cents": "Least per period",
    "properties": "Price",
    "filters": "Prices of filters",
    "applied_pricing_unit": "Pricing unit",
    "units": "Units",
}
_MAX_FILTERS = 5


def table(version: PlanVersion) -> Table:
    """What a private version has for itself, beside what its plan has; nothing for one that is not private."""
    rows = () if version.base_id is None else tuple(_rows(version, private_versions.base_of(version)))
    return Table("Own terms", columns("Term", "Plan", "Own"), rows, empty="It has the plan's terms.")


def titles(version: PlanVersion) -> list[tuple[str, str]]:
    """The own terms of a version by the names under which `private_terms.without` ends them."""
    overrides = version.overrides
    found = [(name, LABELS[name]) for name in (*private_terms.NAMES, *private_terms.PLAN_TERMS) if name in overrides]
    return found + [
        (f"{name}.{row['id']}", f"{row.get('code', '')}: {', '.join(_labels(row, terms)).lower()}")
        for name, terms in private_terms.ROWS.items()
        for row in overrides.get(name, ())
    ]


def next_invoice(subscription: Subscription, *, verb: Callable[[], Subscription], at: datetime) -> tuple[Block, ...]:
    """What the next billing day would make of the usage that is there, as it is and after a verb: done and undone."""
    made: list[Table] = []

    def shown() -> Subscription:
        """Do it, and read its terms while they are there."""
        found = verb()
        made.append(table(found.plan_version))
        return found

    then = change_previews.of_change(subscription=subscription, verb=shown, at=at)
    if subscription.status != Subscription.Status.ACTIVE:
        return (made[0], Note("It does not run now: nothing is billed yet."))
    now = change_previews.of_change(subscription=subscription, verb=lambda: subscription, at=at)
    before, after = _amounts(now), _amounts(then)
    currency = subscription.plan_version.currency
    rows = [
        Row((label, *(cells.money(side.get(label)) if label in side else cells.EMPTY for side in (before, after))))
        for label in dict.fromkeys((*before, *after))
    ]
    totals = [cells.money(sum(side.values(), start=money.zero(currency))) for side in (before, after)]
    rows.append(Row(("Together, before tax", *totals), is_total=True))
    day = "" if then.billed_next_on is None else f" on {cells.day_text(then.billed_next_on)}"
    note = "By the usage that is there now. What is billed already stays as it is."
    return (
        made[0],
        Table(f"Next billing{day}", columns("Line", "As it is#", "With these terms#"), tuple(rows), note=note),
    )


def _amounts(played: Played) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for invoice in (*played.invoices, *played.next_invoices):
        for line in invoice.lines.all():
            found[line.label] = line.amount if line.label not in found else found[line.label] + line.amount
    return found


def _rows(own: PlanVersion, base: PlanVersion) -> Iterator[Row]:
    mine, theirs = price_lists.read(own), price_lists.read(base)
    taxes = {tax.pk: str(tax) for tax in Tax.objects.filter(pk__in=[*_tax_ids(mine), *_tax_ids(theirs)])}
    for name in private_terms.NAMES:
        if name in own.overrides:
            yield Row((LABELS[name], getattr(own.plan, name) or cells.EMPTY, own.overrides[name]))
    for term in private_terms.PLAN_TERMS:
        if term in own.overrides:
            yield Row((LABELS[term], *(_of_plan(term, content, taxes) for content in (theirs, mine))))
    for name, terms in private_terms.ROWS.items():
        pairs = [{str(row.key): row for row in getattr(content, name)} for content in (theirs, mine)]
        for row in own.overrides.get(name, ()):
            before, after = (side.get(row["id"]) for side in pairs)
            if before is None or after is None:
                continue
            yield Row((row.get("code", ""), "", ""), is_group=True)
            for term in terms:
                if term in row:
                    shown = (_of_row(term, side, own.currency, taxes) for side in (before, after))
                    yield Row((LABELS[term], *shown))


def _of_plan(term: str, content: PriceList, taxes: Mapping[int, str]) -> object:
    currency = content.amount.currency.code
    if term == "amount_cents":
        return cells.money_text(content.amount)
    if term == "trial_period":
        return f"{cells.number_text(content.trial_period)} days"
    if term == "tax_codes":
        return _taxes(content.tax_ids, taxes)
    if term == "minimum_commitment":
        found = content.minimum_commitment
        return cells.EMPTY if found is None else cells.money_text(money.from_minor(found.amount_cents, currency))
    amounts = (money.from_minor(one.amount_cents, currency) for one in content.usage_thresholds)
    return ", ".join(cells.money_text(amount) for amount in amounts) or cells.EMPTY


def _of_row(term: str, row: ChargeContent | FixedChargeContent, currency: str, taxes: Mapping[int, str]) -> object:
    if term == "properties":
        return price_text.write(row.charge_model, row.properties) or cells.EMPTY
    if term == "tax_codes":
        return _taxes(row.tax_ids, taxes)
    if term == "invoice_display_name":
        return row.invoice_display_name or cells.EMPTY
    if isinstance(row, FixedChargeContent):
        return cells.number_text(row.units)
    if term == "min_amount_cents":
        return cells.money_text(money.from_minor(row.min_amount_cents, currency))
    if term == "filters":
        return _filters(row)
    return cells.EMPTY if row.conversion_rate is None else cells.unit_price_text(row.conversion_rate, currency)


def _filters(row: ChargeContent) -> object:
    shown = [
        f"{', '.join('/'.join(map(str, values)) for values in part.values.values())}: "
        f"{price_text.write(row.charge_model, part.properties)}"
        for part in row.filters[:_MAX_FILTERS]
    ]
    more = len(row.filters) - len(shown)
    return "; ".join([*shown, *([f"{more} more"] if more else [])]) or cells.EMPTY


def _taxes(ids: Sequence[int], taxes: Mapping[int, str]) -> object:
    return ", ".join(taxes[pk] for pk in ids if pk in taxes) or cells.muted("none of its own")


def _tax_ids(content: PriceList) -> Iterator[int]:
    yield from content.tax_ids
    for row in (*content.charges, *content.fixed_charges):
        yield from row.tax_ids


def _labels(row: Mapping[str, Any], terms: Mapping[str, Any]) -> list[str]:
    return [LABELS[term] for term in terms if term in row]
