"""How rehearsals of billing runs look to clients. Amounts are in minor units of their currency."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.domain.bill_differences import Cause
from billing.models import ParkedAccount, Rehearsal, RehearsedInvoice
from billing.queries import rehearsal_outlook as outlook
from billing.queries import rehearsals as known
from config.kernel import money
from config.platform.api.serializers import Instant


class CurrencySums(serializers.Serializer):  # type: ignore[type-arg]
    """What a rehearsal comes to in one currency. The causes sum to the difference of the totals."""

    currency = serializers.CharField()
    invoices_count = serializers.IntegerField()
    flagged_count = serializers.IntegerField()
    sub_total_excluding_taxes_amount_cents = serializers.IntegerField()
    taxes_amount_cents = serializers.IntegerField()
    total_amount_cents = serializers.IntegerField()
    total_due_amount_cents = serializers.IntegerField()
    previous_total_amount_cents = serializers.IntegerField(help_text="The invoices of the period before.")
    difference_amount_cents = serializers.IntegerField(help_text="The total less that of the period before.")
    expected_amount_cents = serializers.IntegerField(help_text="The agreed recurring value, before tax.")
    causes = serializers.DictField(child=serializers.IntegerField(), help_text="The difference by cause.")
    parked_since_invoices_count = serializers.IntegerField(
        help_text="Of these, invoices of accounts that were parked since: the run leaves them out. 0 once it is billed."
    )
    parked_since_amount_cents = serializers.IntegerField(help_text="What those come to, with tax.")


class RehearsalAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A rehearsal of a billing run."""

    lago_id = serializers.UUIDField(source="uuid")
    as_of = Instant(help_text="The clock of the run.")
    state = serializers.CharField(help_text="waiting, running, ready, failed, signed_off, billed or dropped.")
    reason = serializers.CharField()
    requested_by = serializers.CharField(source="requested_label")
    customers_total = serializers.IntegerField()
    customers_done = serializers.IntegerField()
    invoices_count = serializers.IntegerField()
    flagged_count = serializers.IntegerField()
    failures_count = serializers.IntegerField()
    parked_count = serializers.IntegerField()
    error = serializers.CharField()
    created_at = Instant()
    started_at = Instant(allow_null=True)
    finished_at = Instant(allow_null=True)
    signed_off_by = serializers.CharField(source="signed_off_by.get_username", default=None, allow_null=True)
    signed_off_at = Instant(allow_null=True)
    remark = serializers.CharField()
    billing_run_id = serializers.UUIDField(source="run.uuid", default=None, allow_null=True)
    billing_run_status = serializers.CharField(source="run.status", default=None, allow_null=True)


class RehearsalDetail(RehearsalAnswer):
    """A rehearsal with what it comes to."""

    totals = serializers.SerializerMethodField()

    @extend_schema_field(CurrencySums(many=True))
    def get_totals(self, row: Rehearsal) -> list[dict[str, Any]]:
        """Return the sums by currency."""
        since = {one.currency: one for one in outlook.parked_since(rehearsal_id=row.pk)}
        return [_sums(one, since.get(one.currency)) for one in known.sums(rehearsal_id=row.pk)]


class RehearsedFlag(serializers.Serializer):  # type: ignore[type-arg]
    """Why an invoice is conspicuous."""

    rule = serializers.CharField()
    kind = serializers.CharField()
    says = serializers.CharField()


class ComparedLine(serializers.Serializer):  # type: ignore[type-arg]
    """A line beside that of the period before. Amounts are before discount and tax; null where there is no line."""

    external_subscription_id = serializers.CharField()
    item_code = serializers.CharField()
    label = serializers.CharField()
    units = serializers.CharField(allow_null=True)
    amount_cents = serializers.IntegerField(allow_null=True)
    previous_units = serializers.CharField(allow_null=True, help_text="Units in the period before.")
    previous_amount_cents = serializers.IntegerField(allow_null=True, help_text="Amount in the period before.")
    causes = serializers.DictField(child=serializers.IntegerField(), help_text="The difference by cause.")


class RehearsedInvoiceAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An invoice that the run would make, or why there would be none."""

    lago_id = serializers.UUIDField(source="uuid")
    external_customer_id = serializers.CharField(source="customer.external_id")
    billing_entity_code = serializers.CharField(source="billing_entity.code", default=None, allow_null=True)
    billing_date = serializers.DateField(allow_null=True)
    purchase_order_number = serializers.CharField()
    currency = serializers.CharField()
    sub_total_excluding_taxes_amount_cents = serializers.SerializerMethodField()
    taxes_amount_cents = serializers.SerializerMethodField()
    total_amount_cents = serializers.SerializerMethodField()
    total_due_amount_cents = serializers.SerializerMethodField()
    previous_total_amount_cents = serializers.SerializerMethodField()
    expected_amount_cents = serializers.SerializerMethodField()
    difference_amount_cents = serializers.SerializerMethodField()
    previous_invoice_id = serializers.UUIDField(source="previous.uuid", default=None, allow_null=True)
    causes = serializers.DictField(child=serializers.IntegerField())
    flags = RehearsedFlag(many=True)
    lines = serializers.SerializerMethodField()
    error_code = serializers.CharField(help_text="Empty for an invoice; parked, nothing_to_bill or what failed.")
    error = serializers.CharField()

    def get_sub_total_excluding_taxes_amount_cents(self, row: RehearsedInvoice) -> int | None:
        """Return the amount before tax."""
        return _minor(row.subtotal_amount)

    def get_taxes_amount_cents(self, row: RehearsedInvoice) -> int | None:
        """Return the tax."""
        return _minor(row.tax_amount)

    def get_total_amount_cents(self, row: RehearsedInvoice) -> int | None:
        """Return the total."""
        return _minor(row.total_amount)

    def get_total_due_amount_cents(self, row: RehearsedInvoice) -> int | None:
        """Return what would be to be paid."""
        return _minor(row.due_amount)

    def get_previous_total_amount_cents(self, row: RehearsedInvoice) -> int | None:
        """Return the total of the period before."""
        return _minor(row.previous_amount)

    def get_expected_amount_cents(self, row: RehearsedInvoice) -> int | None:
        """Return the agreed recurring value."""
        return _minor(row.expected_amount)

    def get_difference_amount_cents(self, row: RehearsedInvoice) -> int | None:
        """Return the difference of the totals."""
        return _minor(row.difference_amount)

    @extend_schema_field(ComparedLine(many=True))
    def get_lines(self, row: RehearsedInvoice) -> list[dict[str, Any]]:
        """Return the lines side by side."""
        return [
            {
                "external_subscription_id": one.subscription,
                "item_code": one.item_code,
                "label": one.label,
                "units": None if pair.now is None else format(pair.now.units.normalize(), "f"),
                "amount_cents": None if pair.now is None else pair.now.amount_minor,
                "previous_units": None if pair.before is None else format(pair.before.units.normalize(), "f"),
                "previous_amount_cents": None if pair.before is None else pair.before.amount_minor,
                "causes": {cause.value: amount for cause, amount in pair.causes.items()},
            }
            for pair in known.lines(row)
            if (one := pair.now or pair.before) is not None
        ]


class ParkedAccountAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An account that billing runs leave out."""

    lago_id = serializers.UUIDField(source="uuid")
    external_customer_id = serializers.CharField(source="customer.external_id")
    reason = serializers.CharField()
    parked_by = serializers.CharField(source="parked_label")
    parked_at = Instant()
    until = serializers.DateField(allow_null=True, help_text="Released on this local day; null until somebody does.")
    released_at = Instant(allow_null=True)
    released_by = serializers.CharField(source="released_label")
    release_reason = serializers.CharField()


CAUSES = [cause.value for cause in Cause]


def parked(rows: list[ParkedAccount]) -> list[dict[str, Any]]:
    """Show parked accounts."""
    shown: list[dict[str, Any]] = ParkedAccountAnswer(rows, many=True).data
    return shown


def _minor(amount: Any) -> int | None:
    return None if amount is None else money.to_minor(amount)


def _sums(one: known.Sums, since: outlook.Since | None) -> dict[str, Any]:
    return {
        "currency": one.currency,
        "invoices_count": one.invoices_count,
        "flagged_count": one.flagged_count,
        "sub_total_excluding_taxes_amount_cents": money.to_minor(one.subtotal),
        "taxes_amount_cents": money.to_minor(one.tax),
        "total_amount_cents": money.to_minor(one.total),
        "total_due_amount_cents": money.to_minor(one.due),
        "previous_total_amount_cents": money.to_minor(one.previous),
        "difference_amount_cents": money.to_minor(one.difference),
        "expected_amount_cents": money.to_minor(one.expected),
        "causes": {cause.value: money.to_minor(amount) for cause, amount in one.causes.items()},
        "parked_since_invoices_count": 0 if since is None else since.invoices_count,
        "parked_since_amount_cents": 0 if since is None else money.to_minor(since.total),
    }
