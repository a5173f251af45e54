"""How contracts look in answers. Amounts are minor units, days are local to the customer, rates are percent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from moneyed import Money
from rest_framework import serializers

from billing.domain import renewals
from billing.models import Contract, ContractAmendment, ContractCommitment, ContractItem, ContractPhase
from billing.queries import prepaid_commitments, sold_contracts
from billing.services import contract_commitments
from billing.services.contract_endings import Preview
from config.kernel import money
from config.platform.api import rendering
from config.platform.api.serializers import Instant, MinorUnits, Rate


class ContractPhaseAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A phase. ``scheduled`` says that a subscription has its terms, or waits for them."""

    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    plan_code = serializers.CharField(source="plan_version.plan.code")
    plan_version = serializers.IntegerField(source="plan_version.number")
    plan_overrides = serializers.DictField(source="overrides")
    scheduled = serializers.SerializerMethodField()

    def get_scheduled(self, phase: ContractPhase) -> bool:
        """Say whether it was scheduled."""
        return phase.scheduled_at is not None


class ContractItemAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A product with its phases."""

    lago_id = serializers.UUIDField(source="uuid")
    external_id = serializers.CharField()
    name = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    phases = ContractPhaseAnswer(many=True)


class ContractTermAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A term: the first one, or a renewal with its uplift."""

    number = serializers.IntegerField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    uplift_rate = Rate()


class DrawdownAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """How far a prepaid commitment is. ``closed`` expired at the end, or went on in the one that follows."""

    invoiced_cents = MinorUnits(source="invoiced")
    granted_cents = MinorUnits(source="granted")
    used_cents = MinorUnits(source="used")
    closed_cents = MinorUnits(source="closed")
    left_cents = MinorUnits(source="left")


class PrepaidAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A prepaid commitment: its terms, and how far it is (null in a list)."""

    instalments = serializers.CharField(source="commitment.instalments")
    grant_on = serializers.CharField(source="commitment.grant_on")
    rolls_over = serializers.BooleanField(source="commitment.rolls_over")
    drawdown = DrawdownAnswer(allow_null=True)


class ContractCommitmentAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A commitment; over the term with how far it is, where the context asks for it."""

    lago_id = serializers.UUIDField(source="uuid")
    kind = serializers.CharField()
    external_id = serializers.SerializerMethodField()
    invoice_display_name = serializers.CharField(source="invoice_name")
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    starts_on = serializers.DateField()
    ends_on = serializers.SerializerMethodField()
    renews = serializers.BooleanField()
    tax_codes = serializers.SerializerMethodField()
    settled_at = Instant(allow_null=True)
    lago_fee_id = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    prepaid = serializers.SerializerMethodField()

    def get_external_id(self, row: ContractCommitment) -> str | None:
        """Return the product of one for each period."""
        return None if row.item is None else row.item.external_id

    def get_ends_on(self, row: ContractCommitment) -> str:
        """Return its last day: an early one where the contract ended early."""
        return (row.cut_on or row.ends_on).isoformat()

    def get_tax_codes(self, row: ContractCommitment) -> list[str]:
        """Return its taxes."""
        return [tax.code for tax in row.taxes.all()]

    def get_lago_fee_id(self, row: ContractCommitment) -> str | None:
        """Return the line that bills what was missing."""
        return None if row.line is None else str(row.line.uuid)

    def get_progress(self, row: ContractCommitment) -> dict[str, int] | None:
        """Return what is owed, billed and to be expected by its end; null in a list, and for one of each period."""
        if not self.context.get("with_progress") or row.kind != ContractCommitment.Kind.TERM:
            return None
        found = self.context["progress"][row.pk]
        figures = {
            "due_cents": found.due,
            "billed_cents": found.billed,
            "forecast_cents": found.forecast,
            "missing_cents": found.missing,
        }
        return {name: money.to_minor(Money(figure, row.currency)) for name, figure in figures.items()}

    @extend_schema_field(PrepaidAnswer(allow_null=True))
    def get_prepaid(self, row: ContractCommitment) -> dict[str, Any] | None:
        """Return how a prepaid commitment is invoiced, and how far it is drawn down; null for the others."""
        if row.kind != ContractCommitment.Kind.PREPAID:
            return None
        found = self.context["drawdowns"][row.pk] if self.context.get("with_progress") else None
        return dict(PrepaidAnswer({"commitment": row, "drawdown": found}).data)


class ContractAmendmentAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A change of a contract, with what it was before and after."""

    lago_id = serializers.UUIDField(source="uuid")
    number = serializers.IntegerField()
    kind = serializers.CharField()
    effective_on = serializers.DateField()
    made_by = serializers.CharField()
    reason = serializers.CharField()
    before = serializers.DictField()
    after = serializers.DictField()
    created_at = Instant()


class SoldContractAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A contract with all that belongs to it."""

    lago_id = serializers.UUIDField(source="uuid")
    number = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField()
    external_customer_id = serializers.CharField(source="customer.external_id")
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    currency = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last day of the last term so far.")
    term_months = serializers.IntegerField()
    renewal = serializers.CharField()
    renewal_months = serializers.IntegerField()
    notice_days = serializers.IntegerField()
    notice_by = serializers.SerializerMethodField(help_text="The last day on which notice can be given.")
    notice_given_on = serializers.SerializerMethodField()
    uplift_rate = Rate()
    uplift_scope = serializers.CharField()
    billing_time = serializers.CharField()
    purchase_order_number = serializers.CharField()
    terms_text = serializers.CharField()
    terms = ContractTermAnswer(many=True)
    items = ContractItemAnswer(many=True)
    commitments = serializers.SerializerMethodField()
    amendments = ContractAmendmentAnswer(many=True)
    activated_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    canceled_at = Instant(allow_null=True)
    created_at = Instant()

    def get_notice_by(self, contract: Contract) -> str | None:
        """Return the deadline; null where nothing is renewed."""
        if contract.renewal != Contract.Renewal.AUTOMATIC:
            return None
        return renewals.notice_deadline(ends_on=contract.ends_on, notice_days=contract.notice_days).isoformat()

    def get_notice_given_on(self, contract: Contract) -> str | None:
        """Return when notice was given, where it stands."""
        notice = sold_contracts.notice(contract)
        return None if notice is None else notice.given_on.isoformat()

    def get_commitments(self, contract: Contract) -> list[dict[str, Any]]:
        """Return its commitments."""
        every = contract.commitments.all()
        context: dict[str, Any] = {"with_progress": self.context.get("with_progress", False)}
        if context["with_progress"]:
            terms = [row for row in every if row.kind == ContractCommitment.Kind.TERM]
            prepaid = [row for row in every if row.kind == ContractCommitment.Kind.PREPAID]
            context["progress"] = contract_commitments.progress(contract=contract, commitments=terms)
            context["drawdowns"] = prepaid_commitments.drawdowns(prepaid)
        rows = ContractCommitmentAnswer(every, many=True, context=context).data
        return [dict(row) for row in rows]


class PreviewLine(serializers.Serializer):  # type: ignore[type-arg]
    """A line that would be billed."""

    label = serializers.CharField()
    amount_cents = MinorUnits(source="amount")
    from_datetime = Instant(source="from_at")
    to_datetime = Instant(source="to_at")


class PreviewInvoice(serializers.Serializer):  # type: ignore[type-arg]
    """An invoice that would be made."""

    issuing_date = serializers.DateField()
    fees_amount_cents = MinorUnits(source="fees_amount")
    total_amount_cents = MinorUnits(source="total_amount")
    fees = PreviewLine(source="lines", many=True)


class PreviewPhase(serializers.Serializer):  # type: ignore[type-arg]
    """A phase as it would be."""

    product = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    plan = serializers.CharField()
    amount_cents = MinorUnits(source="fee")


class ContractPreviewAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What would be, and what would be billed by the day of the change."""

    ends_on = serializers.DateField(source="contract.ends_on")
    phases = PreviewPhase(many=True)
    invoices = PreviewInvoice(many=True)
    credit_notes_amount_cents = serializers.SerializerMethodField()

    def get_credit_notes_amount_cents(self, preview: Preview) -> int:
        """Return what would be credited, with tax."""
        return sum(money.to_minor(note.total_amount) for note in preview.credit_notes)


def listed(found: Sequence[Contract]) -> list[dict[str, Any]]:
    """Return contracts without the progress of their commitments."""
    return rendering.render(SoldContractAnswer, found)


def full(found: Contract) -> dict[str, Any]:
    """Return a contract with the progress of its commitments."""
    return dict(SoldContractAnswer(found, context={"with_progress": True}).data)


def products(found: Sequence[ContractItem]) -> list[dict[str, Any]]:
    """Return products with their phases."""
    return [dict(row) for row in ContractItemAnswer(found, many=True).data]


def amendment(found: ContractAmendment) -> dict[str, Any]:
    """Return an amendment."""
    return dict(ContractAmendmentAnswer(found).data)


def preview(found: Preview) -> dict[str, Any]:
    """Return what would happen."""
    return dict(ContractPreviewAnswer(found).data)
