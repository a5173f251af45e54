"""``/subscriptions/:external_id/change_preview`` and ``…/termination_preview``: what a change of plan or an end would
bill and credit at the time that was chosen for it. An addition to the reference; nothing is stored.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.chosen_time_forms import ChosenTimeField
from billing.api.subscriptions import SubscriptionView
from billing.domain import chosen_times
from billing.models import Subscription
from billing.services import change_previews, plan_changes, subscription_plans, terminations
from billing.services.change_previews import Played
from config.platform.api import schema
from config.platform.api.serializers import Instant, MinorUnits, RequestSerializer, Text, TextOrNull

CHANGE, END = "change_preview", "termination_preview"


class ChangePreviewRequest(RequestSerializer):
    """The change in question. Without ``change_at`` the prices decide when."""

    plan_code = Text(required=True)
    change_at = ChosenTimeField(field="change_at")


class EndPreviewRequest(RequestSerializer):
    """The end in question: now, unless ``terminate_at`` says otherwise."""

    terminate_at = ChosenTimeField(field="terminate_at")
    on_termination_invoice = serializers.ChoiceField(choices=Subscription.OnTermination.values, required=False)
    on_termination_credit_note = serializers.ChoiceField(choices=Subscription.UnusedTime.values, required=False)


class PreviewedFee(serializers.Serializer):  # type: ignore[type-arg]
    """A line of an invoice that would be made."""

    item_type = serializers.CharField(source="kind")
    item_code = serializers.CharField()
    invoice_display_name = serializers.CharField(source="label")
    external_subscription_id = TextOrNull(source="group_key")
    units = serializers.CharField()
    amount_cents = MinorUnits(source="amount")
    taxes_amount_cents = MinorUnits(source="taxes_amount")
    from_datetime = Instant(source="from_at")
    to_datetime = Instant(source="to_at")


class PreviewedInvoice(serializers.Serializer):  # type: ignore[type-arg]
    """An invoice that would be made. It has no number, and never gets one."""

    status = serializers.CharField()
    currency = serializers.CharField()
    issuing_date = serializers.DateField()
    payment_due_date = serializers.DateField()
    purchase_order_number = TextOrNull()
    fees_amount_cents = MinorUnits(source="fees_amount")
    taxes_amount_cents = MinorUnits(source="taxes_amount")
    progressive_billing_credit_amount_cents = MinorUnits(source="progressive_billing_credit_amount")
    coupons_amount_cents = MinorUnits(source="coupons_amount")
    credit_notes_amount_cents = MinorUnits(source="credit_notes_amount")
    prepaid_credit_amount_cents = MinorUnits(source="prepaid_credit_amount")
    total_amount_cents = MinorUnits(source="total_amount")
    fees = PreviewedFee(many=True, source="lines.all")


class PreviewedCreditNote(serializers.Serializer):  # type: ignore[type-arg]
    """A credit note that would be made."""

    reason = serializers.CharField()
    currency = serializers.CharField()
    sub_total_excluding_taxes_amount_cents = MinorUnits(source="sub_total_amount")
    taxes_amount_cents = MinorUnits(source="taxes_amount")
    total_amount_cents = MinorUnits(source="total_amount")
    credit_amount_cents = MinorUnits(source="credit_amount")
    refund_amount_cents = MinorUnits(source="refund_amount")
    offset_amount_cents = MinorUnits(source="offset_amount")


class ChangePreviewAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What would be made at the change, and on the first billing day after it, with the usage that is known now."""

    plan_code = serializers.CharField(source="subscription.plan_version.plan.code")
    takes_effect_at = Instant()
    takes_effect_on = serializers.DateField()
    invoices = PreviewedInvoice(many=True)
    credit_notes = PreviewedCreditNote(many=True)
    next_billing_date = serializers.DateField(source="billed_next_on", allow_null=True)
    next_invoices = PreviewedInvoice(many=True)


class EndPreviewAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What the end would make."""

    takes_effect_at = Instant()
    takes_effect_on = serializers.DateField()
    invoices = PreviewedInvoice(many=True)
    credit_notes = PreviewedCreditNote(many=True)


class ChangePreview(SubscriptionView):
    """What a change of plan would bill."""

    reads = ("post",)

    @extend_schema(
        operation_id="previewPlanChange",
        request=schema.body(CHANGE, ChangePreviewRequest),
        responses=schema.answer(CHANGE, ChangePreviewAnswer),
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Show what a change of plan would bill and credit, and the first invoice after it. Nothing is stored.

        The same plan again changes nothing and is told so: it takes effect now, with what its next billing day bills.
        """
        at = self.at()
        values = self.body(request, CHANGE, ChangePreviewRequest)
        found = self.subscription(request, external_id)
        played = change_previews.of_change(
            subscription=found,
            at=at,
            verb=functools.partial(
                subscription_plans.change_plan,
                subscription_id=found.pk,
                plan_code=values["plan_code"],
                change_at=values.get("change_at"),
                seen=plan_changes.state_of(found),
                actor=self.actor(request),
                at=at,
            ),
        )
        return _answer(CHANGE, ChangePreviewAnswer, played)


class TerminationPreview(SubscriptionView):
    """What an end would bill."""

    reads = ("post",)

    @extend_schema(
        operation_id="previewTermination",
        request=schema.body(END, EndPreviewRequest),
        responses=schema.answer(END, EndPreviewAnswer),
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Show what the end of a subscription would bill and credit. Nothing is stored."""
        at: datetime = self.at()
        given = request.data.get(END) if isinstance(request.data, Mapping) else None
        values = self.checked(given if isinstance(given, Mapping) else {}, EndPreviewRequest)
        found = self.subscription(request, external_id)
        played = change_previews.of_end(
            subscription=found,
            at=at,
            verb=functools.partial(
                terminations.schedule,
                subscription_id=found.pk,
                when=values.get("terminate_at") or chosen_times.NOW,
                on_termination_invoice=values.get("on_termination_invoice"),
                on_termination_credit_note=values.get("on_termination_credit_note"),
                actor=self.actor(request),
                at=at,
            ),
        )
        return _answer(END, EndPreviewAnswer, played)


def _answer(root: str, form: type[serializers.Serializer[Any]], played: Played) -> Response:
    return Response({root: form(played).data})
