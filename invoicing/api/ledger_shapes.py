"""The shapes of the ledger: accounts, entries, trial balance, statements, ageing, exports. Amounts are minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moneyed import Money
from rest_framework import serializers

from config.platform.api.serializers import Instant, MinorUnits
from invoicing.models import JournalExport, LedgerEntry, LedgerPosting
from invoicing.queries.account_statements import Statement
from invoicing.queries.customer_statements import CustomerStatement


class AccountShape(serializers.Serializer):  # type: ignore[type-arg]
    """An account of a billing entity. ``role`` is empty for one that takes manual entries alone."""

    code = serializers.CharField()
    name = serializers.CharField()
    type = serializers.CharField()
    role = serializers.CharField()
    active = serializers.BooleanField(source="is_active")
    billing_entity_code = serializers.CharField(source="billing_entity.code")


class PostingShape(serializers.Serializer):  # type: ignore[type-arg]
    """One side of an entry: either ``debit_cents`` or ``credit_cents`` is not zero."""

    account_code = serializers.CharField(source="account.code")
    account_name = serializers.CharField(source="account.name")
    currency = serializers.CharField()
    debit_cents = serializers.SerializerMethodField()
    credit_cents = serializers.SerializerMethodField()
    lago_invoice_id = serializers.UUIDField(source="invoice.uuid", allow_null=True, default=None)

    def get_debit_cents(self, posting: LedgerPosting) -> int:
        """Return the debit, or nothing."""
        return _cents(posting.amount) if posting.amount.amount > 0 else 0

    def get_credit_cents(self, posting: LedgerPosting) -> int:
        """Return the credit, or nothing."""
        return _cents(-posting.amount) if posting.amount.amount < 0 else 0


class EntryShape(serializers.Serializer):  # type: ignore[type-arg]
    """A booking with its source."""

    lago_id = serializers.UUIDField(source="uuid")
    sequence = serializers.IntegerField(source="pk")
    fact = serializers.CharField()
    description = serializers.CharField()
    accounting_date = serializers.DateField()
    booked_at = Instant()
    source_type = serializers.CharField()
    source_id = serializers.IntegerField()
    billing_entity_code = serializers.CharField(source="billing_entity.code")
    external_customer_id = serializers.CharField(source="customer.external_id", default=None)
    postings = PostingShape(source="postings.all", many=True)


class BalanceShape(serializers.Serializer):  # type: ignore[type-arg]
    """An account over days in one currency. Balances are debits less credits."""

    code = serializers.CharField()
    name = serializers.CharField()
    type = serializers.CharField()
    role = serializers.CharField()
    currency = serializers.CharField()
    opening_cents = MinorUnits(source="opening")
    debits_cents = MinorUnits(source="debits")
    credits_cents = MinorUnits(source="credits")
    closing_cents = MinorUnits(source="closing")


class StatementLineShape(serializers.Serializer):  # type: ignore[type-arg]
    """A posting with the balance after it."""

    accounting_date = serializers.DateField(source="posting.entry.accounting_date")
    booked_at = Instant(source="posting.entry.booked_at")
    lago_entry_id = serializers.UUIDField(source="posting.entry.uuid")
    fact = serializers.CharField(source="posting.entry.fact")
    description = serializers.CharField(source="posting.entry.description")
    external_customer_id = serializers.CharField(source="posting.entry.customer.external_id", default=None)
    amount_cents = MinorUnits(source="posting.amount")
    balance_cents = MinorUnits(source="balance")


class AccountStatementShape(serializers.Serializer):  # type: ignore[type-arg]
    """A page of an account. ``next_after`` asks for the page that follows; null on the last one."""

    account = AccountShape()
    currency = serializers.CharField()
    opening_cents = MinorUnits(source="opening")
    lines = StatementLineShape(many=True)
    closing_cents = MinorUnits(source="closing")
    next_after = serializers.SerializerMethodField()

    def get_next_after(self, statement: Statement) -> str | None:
        """Return the cursor of the next page."""
        return None if statement.next_cursor is None else str(statement.next_cursor)


class MovementShape(serializers.Serializer):  # type: ignore[type-arg]
    """What changed what a customer owes."""

    accounting_date = serializers.DateField(source="entry.accounting_date")
    booked_at = Instant(source="entry.booked_at")
    fact = serializers.CharField(source="entry.fact")
    description = serializers.CharField(source="entry.description")
    amount_cents = MinorUnits(source="amount")
    balance_cents = MinorUnits(source="balance")


class OpenItemShape(serializers.Serializer):  # type: ignore[type-arg]
    """What is open of an invoice, of a fee that stands alone, or of other bookings."""

    description = serializers.CharField()
    issued_on = serializers.DateField()
    due_on = serializers.DateField()
    amount_cents = MinorUnits(source="amount")
    disputed_cents = MinorUnits(source="disputed")


class CustomerStatementShape(serializers.Serializer):  # type: ignore[type-arg]
    """A customer's account with one billing entity in one currency."""

    billing_entity_code = serializers.CharField(source="billing_entity.code")
    currency = serializers.CharField()
    from_date = serializers.DateField(source="since", allow_null=True)
    to_date = serializers.DateField(source="until")
    opening_cents = MinorUnits(source="opening")
    movements = MovementShape(many=True)
    closing_cents = MinorUnits(source="closing")
    open_items = OpenItemShape(source="items", many=True)
    ages = serializers.SerializerMethodField()
    disputed_cents = MinorUnits(source="disputed")
    credit_cents = MinorUnits(source="credit")
    prepaid_cents = MinorUnits(source="prepaid")

    def get_ages(self, statement: CustomerStatement) -> dict[str, int]:
        """Return what is open by days since it was due."""
        return ages(statement.ages)


class MonthShape(serializers.Serializer):  # type: ignore[type-arg]
    """A month of the books in one currency."""

    month = serializers.DateField()
    currency = serializers.CharField()
    revenue_cents = MinorUnits(source="revenue")
    promotion_cents = MinorUnits(source="promotion")
    tax_cents = MinorUnits(source="tax")
    received_cents = MinorUnits(source="received")


class ExportShape(serializers.Serializer):  # type: ignore[type-arg]
    """An export with its control totals, which are decimals in text by currency."""

    lago_id = serializers.UUIDField(source="uuid")
    number = serializers.IntegerField()
    billing_entity_code = serializers.CharField(source="billing_entity.code")
    from_date = serializers.DateField(source="since_date", allow_null=True)
    to_date = serializers.DateField(source="until_date")
    entries_count = serializers.IntegerField()
    late_entries_count = serializers.IntegerField(source="late_count")
    first_entry_sequence = serializers.IntegerField(source="first_entry_id")
    last_entry_sequence = serializers.IntegerField(source="last_entry_id")
    totals = serializers.JSONField()
    csv_sha256 = serializers.CharField()
    json_sha256 = serializers.CharField()
    created_at = Instant()


def entries(rows: Sequence[LedgerEntry]) -> list[dict[str, Any]]:
    """Return the shapes of entries; the rows bring postings, accounts and invoices along."""
    return [dict(content) for content in EntryShape(rows, many=True).data]


def exports(rows: Sequence[JournalExport]) -> list[dict[str, Any]]:
    """Return the shapes of exports; the rows bring their billing entities along."""
    return [dict(content) for content in ExportShape(rows, many=True).data]


def ages(buckets: Mapping[str, Money]) -> dict[str, int]:
    """Return buckets of ages in minor units."""
    return {name: _cents(amount) for name, amount in buckets.items()}


def _cents(amount: Money) -> int:
    return MinorUnits().to_representation(amount)
