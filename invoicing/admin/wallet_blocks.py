"""How wallets are told on pages: their figures, what came in, what went out, and how the balance moved."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate

from django.db.models import Q
from moneyed import Money

from config.platform.admin import cells
from config.platform.admin.blocks import Chart, Fact, Facts, Figure, Figures, Row, Series, Table, columns
from config.platform.admin.cells import Tone
from customers.models import Customer, InvoiceCustomSection
from invoicing.admin import shown
from invoicing.models import LedgerEntry, Wallet, WalletTransaction

MOST = 200
"""As many transactions as a page shows."""

STATUS = {
    WalletTransaction.Status.PENDING: Tone.WARN,
    WalletTransaction.Status.SETTLED: Tone.GOOD,
    WalletTransaction.Status.FAILED: Tone.BAD,
}


def status(wallet: Wallet) -> str:
    """The state of a wallet."""
    is_active = wallet.status == Wallet.Status.ACTIVE
    return cells.badge(wallet.get_status_display(), Tone.GOOD if is_active else Tone.NEUTRAL)


def balance(wallet: Wallet) -> str:
    """What is left, in money and credits."""
    return cells.stack(cells.money(wallet.balance_amount), f"{cells.number_text(wallet.credits_balance)} credits")


def pays(wallet: Wallet) -> str:
    """What it pays."""
    named = [*wallet.fee_types, *(metric.code for metric in wallet.billable_metrics.all())]
    return ", ".join(named).replace("_", " ") if named else "everything"


def figures(wallet: Wallet, pending: Money) -> Figures:
    """The numbers that matter most."""
    worth = f"a credit is worth {cells.unit_price_text(wallet.rate_amount, wallet.currency)}"
    return Figures(
        (
            Figure("Status", status(wallet), _until(wallet)),
            Figure("Customer", cells.to(wallet.customer, wallet.customer.display_name), wallet.billing_entity.name),
            Figure(
                "Balance", cells.money_text(wallet.balance_amount),
                f"{cells.number_text(wallet.credits_balance)} credits; {worth}",
            ),
            Figure(
                "Ongoing balance", cells.money_text(wallet.ongoing_balance_amount),
                f"{cells.money_text(wallet.ongoing_usage_amount)} of current usage",
                Tone.BAD if wallet.ongoing_balance_amount.amount < 0 else Tone.NEUTRAL,
            ),
            Figure("Used", cells.money_text(wallet.consumed_amount), _last_use(wallet)),
            Figure("Waits for payment", cells.money_text(pending), "bought, not paid yet"),
        )
    )  # fmt: skip


def terms(wallet: Wallet) -> Facts:
    """What was agreed."""
    least, most = wallet.paid_top_up_min_amount, wallet.paid_top_up_max_amount
    return Facts(
        "Terms",
        (
            Fact("Code", cells.code(wallet.code)),
            Fact("Pays", pays(wallet)),
            Fact("Priority", cells.number(wallet.priority)),
            Fact("One credit", cells.unit_price(wallet.rate_amount, wallet.currency)),
            Fact("Ends", cells.instant(wallet.expiration_at)),
            Fact("Smallest purchase", cells.money(least)),
            Fact("Largest purchase", cells.money(most)),
            Fact("Purchases are issued", "once paid" if wallet.invoice_requires_successful_payment else "at once"),
            Fact("Purchase order", wallet.purchase_order_number or cells.EMPTY),
            Fact("Custom sections", _sections(wallet)),
            Fact("Notes", ", ".join(f"{key}: {value}" for key, value in wallet.metadata.items()) or cells.EMPTY),
            Fact("Public id", cells.code(wallet.uuid)),
        ),
    )  # fmt: skip


def moved(wallet: Wallet, rows: Sequence[WalletTransaction]) -> Chart:
    """The balance after each settled transaction, the oldest on the left."""
    settled = sorted(
        (row for row in rows if row.settled_at is not None), key=lambda row: (row.settled_at or row.created_at, row.pk)
    )
    steps = [_signed(row) for row in settled]
    before = wallet.balance_amount.amount - sum(steps, Decimal(0))
    values = list(accumulate(steps, initial=before))[1:]
    return Chart(
        "Balance",
        tuple(cells.day_of(row.settled_at or row.created_at, wallet.customer.applicable_timezone) for row in settled),
        (Series("Balance", tuple(values)),),
        kind="steps",
        currency=wallet.currency,
        height=200,
        empty="Nothing came in yet.",
    )


def grants(rows: Sequence[WalletTransaction]) -> Table:
    """What came in, in the order in which it is used, with what remains."""
    found = [row for row in rows if row.transaction_type == WalletTransaction.Type.INBOUND]
    found.sort(key=lambda row: (row.priority, row.transaction_status == "purchased", row.created_at, row.pk))
    return Table(
        "Credits that came in",
        columns("", "State", "On", "Invoice", "Priority#", "Credits#", "Amount#", "Remaining credits#", "Remaining#"),
        tuple(
            Row(
                (
                    _named(row),
                    cells.badge(row.get_status_display(), STATUS[WalletTransaction.Status(row.status)]),
                    cells.instant(row.settled_at or row.failed_at or row.created_at),
                    cells.to(row.invoice or row.voided_invoice),
                    cells.number(row.priority),
                    cells.number(row.credit_amount),
                    cells.money(row.amount),
                    cells.number(row.remaining_credit_amount),
                    cells.money(row.remaining_amount),
                )
            )
            for row in found
        ),
        empty="No credits yet. Top it up, or give some.",
        note="In the order in which they are used: by priority, given before bought, then the oldest.",
    )


def uses(rows: Sequence[WalletTransaction]) -> Table:
    """What went out, newest first; a row opens to the credits that it used."""
    found = [row for row in rows if row.transaction_type == WalletTransaction.Type.OUTBOUND]
    return Table(
        "Credits that went out",
        columns("", "On", "Invoice", "Credits#", "Amount#", "Of it paid for#"),
        tuple(
            Row(
                (
                    _named(row),
                    cells.instant(row.settled_at),
                    cells.to(row.invoice or row.voided_invoice or row.credit_note),
                    cells.number(row.credit_amount),
                    cells.money(row.amount),
                    cells.money(row.purchased_amount),
                ),
                details=(_fundings(row),),
            )
            for row in found
        ),
        empty="Nothing of it was used yet. Invoices use it when they are issued.",
    )


def ledger(wallet: Wallet, rows: Sequence[WalletTransaction]) -> Table:
    """What is booked of its transactions. The sale itself is booked with its invoice."""
    sources = Q(source_type="invoicing.wallettransaction", source_id__in=[row.pk for row in rows])
    sold = [row.invoice_id for row in rows if row.transaction_status == WalletTransaction.Kind.PURCHASED]
    sources |= Q(source_type="invoicing.invoice", source_id__in=[pk for pk in sold if pk])
    entries = LedgerEntry.objects.filter(sources).prefetch_related("postings__account").order_by("booked_at", "pk")
    return shown.bookings(entries, title="Ledger")


def of_customer(customer: Customer, *, most: int) -> tuple[Table, ...]:
    """The wallets of a customer, where there are some."""
    rows = Wallet.objects.filter(customer=customer).prefetch_related("billable_metrics").order_by("status", "priority")
    found = list(rows[:most])
    if not found:
        return ()
    return (
        Table(
            "Wallets",
            columns("Wallet", "Ends", "Ongoing#", "Balance#"),
            tuple(
                Row(
                    (
                        cells.stack(cells.to(row), f"{row.get_status_display()}, pays {pays(row)}"),
                        cells.instant(row.expiration_at),
                        cells.money(row.ongoing_balance_amount),
                        balance(row),
                    )
                )
                for row in found
            ),
        ),
    )


def _fundings(row: WalletTransaction) -> Table:
    return Table(
        "Used",
        columns("", "Came in", "Credits#", "Amount#", "Of it paid for#"),
        tuple(
            Row(
                (
                    _named(part.inbound),
                    cells.instant(part.inbound.settled_at),
                    cells.number(part.credit_amount),
                    cells.money(part.amount),
                    cells.money(part.purchased_amount),
                )
            )
            for part in row.fundings.all()
        ),
    )


def _named(row: WalletTransaction) -> str:
    about = row.name or ("" if row.source == WalletTransaction.Source.MANUAL else f"by {row.get_source_display()}")
    return cells.stack(row.get_transaction_status_display().capitalize(), about)


def _signed(row: WalletTransaction) -> Decimal:
    amount: Decimal = row.amount.amount
    return amount if row.transaction_type == WalletTransaction.Type.INBOUND else -amount


def _until(wallet: Wallet) -> str:
    if wallet.terminated_at is not None:
        return f"since {cells.instant_text(wallet.terminated_at)}"
    return f"until {cells.instant_text(wallet.expiration_at)}" if wallet.expiration_at else "without end"


def _last_use(wallet: Wallet) -> str:
    at = wallet.last_consumed_credit_at
    return f"last on {cells.instant_text(at)}" if at else "never"


def _sections(wallet: Wallet) -> object:
    """The texts of invoices of purchases."""
    if not wallet.custom_section_ids:
        return "the customer's" if wallet.custom_section_ids is None else "none"
    rows = InvoiceCustomSection.objects.filter(pk__in=wallet.custom_section_ids).order_by("name")
    return ", ".join(rows.values_list("name", flat=True))
