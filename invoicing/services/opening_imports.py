"""Opening balances from a table, by their number in the former system. Owns the columns; booking is
`opening_balances`'.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from moneyed import Money

from config.kernel import dates, errors, money
from config.platform.services import approvals, import_kinds
from config.platform.services.import_cells import CellKind
from config.platform.services.import_kinds import Effect, ImportColumn, ImportKind, ImportOption, Task, Total, Values
from customers.models import BillingEntity, Customer
from customers.queries import billing_entities
from customers.queries import customers as known
from invoicing.models import OpeningBalance
from invoicing.services import approval_actions, opening_balances
from invoicing.services.opening_balances import OpeningValues

COLUMNS = (
    ImportColumn(
        "customer",
        "Customer",
        synonyms=("external id", "customer id", "customer number", "customer no", "external customer id"),
        is_needed=True,
        help="Its external id.",
    ),
    ImportColumn("kind", "Kind", synonyms=("type",), is_needed=True, help="owed or credit"),
    ImportColumn(
        "reference",
        "Reference",
        synonyms=("number", "invoice", "invoice number", "invoice no", "document"),
        is_needed=True,
        help="Its number in the former system.",
    ),
    ImportColumn(
        "issuing_date", "Date", CellKind.DAY, synonyms=("issuing date", "invoice date", "issued"), is_needed=True
    ),
    ImportColumn("due_date", "Due date", CellKind.DAY, synonyms=("due",), help="Needed for what is owed."),
    ImportColumn("currency", "Currency", is_needed=True, help="ISO 4217, such as EUR."),
    ImportColumn(
        "original_amount",
        "Total",
        CellKind.NUMBER,
        synonyms=("total amount", "invoice amount", "gross"),
        help="With tax.",
    ),
    ImportColumn(
        "amount",
        "Open",
        CellKind.NUMBER,
        synonyms=("open amount", "balance", "due amount", "remaining"),
        is_needed=True,
    ),
    ImportColumn(
        "billing_entity_code",
        "Billing entity",
        synonyms=("seller", "entity"),
        help="Its code; empty is the customer's.",
    ),
)


def apply(task: Task) -> Effect:
    """Book the balance of a row; one that is booked with the same figures is left alone.

    Raises what `opening_balances.record` raises, and RowRefused.
    """
    (row,) = task.rows
    customer = _customer(row)
    seller = _seller(row, customer)
    values = _values(row)
    opening, is_new = opening_balances.record(
        billing_entity=seller,
        customer=customer,
        values=values,
        accounting_date=_day(task.options, seller, task.at),
        actor=task.actor,
        at=task.at,
    )
    if not is_new:
        return Effect(opening)
    figure = f"{money.rounded(values.amount).amount} {values.amount.currency.code}"
    shown = (
        (OpeningBalance.Kind(values.kind).label.capitalize(), "", figure),
        ("Due", "", values.due_date.isoformat()),
        ("Customer", "", customer.display_name),
        ("Billing entity", "", seller.name),
    )
    return Effect(opening, is_new=True, changes=shown, warnings=_doubts(values, customer))


def totals(task: Task) -> list[Total]:
    """Return what is owed and had, by billing entity and currency, of rows whose cells can be read. Two queries."""
    names = dict(BillingEntity.objects.values_list("code", "name"))
    wanted = {row["customer"] for row in task.rows if "billing_entity_code" not in row}
    sellers = dict(known.listed().filter(external_id__in=wanted).values_list("external_id", "billing_entity__name"))
    found: dict[tuple[str, str, str], list[Money]] = {}
    for row in task.rows:
        values = _values(row)
        code = row.get("billing_entity_code")
        seller = sellers.get(row["customer"], "") if code is None else names.get(code, code)
        found.setdefault((seller, values.amount.currency.code, values.kind), []).append(values.amount)
    return [
        Total(f"{seller}: {kind}, {currency}", len(parts), sum(parts, money.zero(currency)))
        for (seller, currency, kind), parts in sorted(found.items(), key=_in_order)
    ]


def _in_order(found: tuple[tuple[str, str, str], list[Money]]) -> tuple[str, str, bool]:
    """By billing entity and currency; what is owed before credit."""
    (seller, currency, kind), _ = found
    return seller, currency, kind != OpeningBalance.Kind.OWED


def _doubts(values: OpeningValues, customer: Customer) -> tuple[str, ...]:
    currency = values.amount.currency.code
    if not customer.currency or customer.currency == currency:
        return ()
    return (f"It is in {currency}, and the customer is billed in {customer.currency}.",)


def demand_second(task: Task) -> None:
    """Ask for the second person that booking all of them by hand needs: in each currency what is owed or the credit,
    whichever is more. Raises ApprovalRequired, for the largest figure first.
    """
    sums: dict[tuple[str, str], Money] = {}
    for row in task.rows:
        values = _values(row)
        which = values.amount.currency.code, values.kind
        sums[which] = sums.get(which, money.zero(which[0])) + values.amount
    most: dict[str, Money] = {}
    for (code, _), amount in sums.items():
        most[code] = max(most.get(code, amount), amount)
    for amount in sorted(most.values(), key=lambda amount: (-amount.amount, amount.currency.code)):
        approvals.demand(action=approval_actions.MANUAL_ENTRY, amount=amount, actor=task.actor)


def _customer(row: Values) -> Customer:
    try:
        return known.by_external_id(external_id=row["customer"])
    except errors.NotFound as refusal:
        raise import_kinds.refused("customer", f"There is no customer {row['customer']}.") from refusal


def _seller(row: Values, customer: Customer) -> BillingEntity:
    if "billing_entity_code" not in row:
        return customer.billing_entity
    try:
        return billing_entities.by_code(code=row["billing_entity_code"])
    except errors.NotFound as refusal:
        words = f"There is no billing entity {row['billing_entity_code']}."
        raise import_kinds.refused("billing_entity_code", words) from refusal


def _values(row: Values) -> OpeningValues:
    kind = row["kind"].lower()
    if kind not in OpeningBalance.Kind.values:
        raise import_kinds.refused("kind", "It is owed or credit.")
    currency = row["currency"].upper()
    if not money.known(currency):
        raise import_kinds.refused("currency", f"{row['currency'][:40]} is not a currency: ISO 4217 such as EUR.")
    if kind == OpeningBalance.Kind.OWED and "due_date" not in row:
        raise import_kinds.refused("due_date", "What is owed has a day on which it is due.")
    amount = _amount(row["amount"], currency, "amount")
    total = _amount(row["original_amount"], currency, "original_amount") if "original_amount" in row else amount
    if total < amount:
        raise import_kinds.refused("amount", "More is open than the total.")
    due = row.get("due_date", row["issuing_date"])
    if due < row["issuing_date"]:
        raise import_kinds.refused("due_date", "It is due before its date.")
    return OpeningValues(kind, row["reference"], row["issuing_date"], due, total, amount)


def _amount(value: Decimal, currency: str, column: str) -> Money:
    if value <= 0:
        raise import_kinds.refused(column, "It is more than nothing; a credit is a row of its own kind.")
    if money.quantize(value, currency=currency) != value:
        words = f"{value} has more decimals than {currency} has ({money.exponent(currency)})."
        raise import_kinds.refused(column, words)
    return Money(value, currency)


def _day(options: import_kinds.Values, seller: BillingEntity, at: datetime) -> date:
    chosen = options.get("accounting_date", "")
    return date.fromisoformat(chosen) if chosen else dates.local_date(at, dates.zone(seller.timezone))


KIND = ImportKind(
    code="opening_balances",
    label="Opening balances",
    about="Books what customers owed or had with a former system: open invoices and credit.",
    permissions=("platform.import_opening_balances", "invoicing.add_manualentry"),
    columns=COLUMNS,
    key=("billing_entity_code", "customer", "kind", "reference"),
    apply=apply,
    demand=demand_second,
    totals=totals,
    options=(ImportOption("accounting_date", "Day of the books", help="Empty: today, where the seller is."),),
    samples=(
        {
            "customer": "C-1001",
            "kind": "owed",
            "reference": "2025-0815",
            "issuing_date": "2025-12-01",
            "due_date": "2025-12-15",
            "currency": "EUR",
            "original_amount": "1190.00",
            "amount": "690.00",
        },
        {
            "customer": "C-1001",
            "kind": "credit",
            "reference": "CN-77",
            "issuing_date": "2025-12-20",
            "currency": "EUR",
            "amount": "25.00",
        },
    ),
)

import_kinds.register(KIND)
