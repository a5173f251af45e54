"""``/late_usage``: the inbox of what came after its time was billed, and deciding about it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.domain.late_usage import Decision
from billing.models import LateUsage
from billing.queries import late_usage as known
from billing.services import late_usage
from config.kernel import errors, money
from config.platform.api import pagination, params, schema, views
from config.platform.api import serializers as fields

ROOT, LIST = "late_usage", "late_usage"


class LateUsageAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An entry as answers show it. Amounts are net, in minor units; less than nothing is the customer's."""

    lago_id = serializers.UUIDField(source="uuid")
    state = serializers.SerializerMethodField(
        help_text="held, to_bill (waits for an invoice to be issued), billed, corrected, waived or no_effect."
    )
    external_customer_id = serializers.CharField(source="subscription.customer.external_id")
    external_subscription_id = serializers.CharField(source="subscription.external_id")
    lago_subscription_id = serializers.UUIDField(source="subscription.uuid")
    lago_invoice_id = serializers.SerializerMethodField(
        help_text="The invoice that billed the time; null where nothing was to be billed."
    )
    from_datetime = fields.Instant(source="period.charges_from_at")
    to_datetime = fields.Instant(source="period.charges_to_at", help_text="The end, which is not part of it.")
    billable_metric_code = serializers.CharField(source="charge.metric.code")
    charge_code = serializers.CharField(source="charge.code")
    lago_charge_id = serializers.UUIDField(source="charge.key")
    filters = serializers.SerializerMethodField()
    grouped_by = serializers.DictField(source="group")
    is_true_up = serializers.BooleanField()
    events_count = serializers.IntegerField(help_text="More events than were counted before; fewer where less than 0.")
    first_received_at = fields.Instant(allow_null=True)
    last_received_at = fields.Instant(allow_null=True)
    settled_units = fields.DecimalString()
    total_units = fields.DecimalString()
    amount_currency = serializers.CharField(source="currency")
    settled_amount_cents = serializers.SerializerMethodField()
    total_amount_cents = serializers.SerializerMethodField()
    amount_cents = serializers.SerializerMethodField()
    note = serializers.CharField(help_text="Why the policy could not be followed.")
    reason = serializers.CharField()
    decided_by = serializers.CharField()
    decided_at = fields.Instant(allow_null=True)
    lago_fee_id = serializers.SerializerMethodField()
    trace = serializers.DictField()
    created_at = fields.Instant()

    def get_state(self, row: LateUsage) -> str:
        """Return where it is."""
        return known.state(row)

    def get_lago_invoice_id(self, row: LateUsage) -> str | None:
        """Return the invoice that billed the time."""
        return None if row.period.invoice is None else str(row.period.invoice.uuid)

    def get_filters(self, row: LateUsage) -> dict[str, list[str]] | None:
        """Return the values of the filter."""
        return None if row.charge_filter is None else row.charge_filter.values

    def get_settled_amount_cents(self, row: LateUsage) -> int:
        """Return what was billed or decided before."""
        return money.to_minor(row.settled_amount)

    def get_total_amount_cents(self, row: LateUsage) -> int:
        """Return what all usage of the time comes to."""
        return money.to_minor(row.total_amount)

    def get_amount_cents(self, row: LateUsage) -> int:
        """Return what is open, or was decided about."""
        return money.to_minor(row.amount)

    def get_lago_fee_id(self, row: LateUsage) -> str | None:
        """Return the line that bills it."""
        return None if row.line is None else str(row.line.uuid)


class DecisionRequest(serializers.Serializer):  # type: ignore[type-arg]
    """A decision about an entry."""

    decision = serializers.ChoiceField([one.value for one in Decision])
    reason = serializers.CharField(max_length=1000)


class PolicyRequest(serializers.Serializer):  # type: ignore[type-arg]
    """What happens to late usage by itself."""

    late_usage_policy = serializers.ChoiceField(["", "hold", "bill", "correct", "waive"], allow_blank=True)
    late_usage_waive_below = serializers.DecimalField(
        max_digits=20, decimal_places=4, required=False, allow_null=True, help_text="In the plan's currency."
    )


class PolicyAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The policy of a subscription."""

    external_subscription_id = serializers.CharField(source="external_id")
    late_usage_policy = serializers.CharField(help_text="Empty: the installation's.")
    late_usage_waive_below = fields.DecimalString(allow_null=True)


class LateUsageEntries(views.ApiView):
    """The inbox."""

    resource = "late_usage"

    @extend_schema(
        parameters=schema.filters("state", "external_customer_id", "external_subscription_id", "created_from"),
        responses=schema.page(LIST, LateUsageAnswer),
    )
    def get(self, request: Request) -> Response:
        """List entries, newest first."""
        state = params.text(request, "state")
        if state is not None and state not in known.STATES:
            raise errors.Invalid("validation_errors", "There is no such state.", {"state": ["value_is_invalid"]})
        rows = known.listed(
            state=state,
            external_customer_id=params.text(request, "external_customer_id"),
            external_subscription_id=params.text(request, "external_subscription_id"),
            created_from=params.instant(request, "created_from"),
        )
        return pagination.paginated(request, rows, LIST, _shown)


class LateUsageDecision(views.ApiView):
    """Deciding about one entry."""

    resource = "late_usage"

    @extend_schema(request=schema.body(ROOT, DecisionRequest), responses=schema.answer(ROOT, LateUsageAnswer))
    def post(self, request: Request, lago_id: str) -> Response:
        """Bill with the next invoice, correct now, or waive; once. What is decided already is refused with 405."""
        content = self.body(request, ROOT, DecisionRequest)
        row = known.find(params.uuid(lago_id))
        late_usage.decide(
            entry_id=row.pk,
            decision=Decision(content["decision"]),
            reason=content["reason"],
            actor=self.actor(request),
            at=self.at(),
        )
        return Response({ROOT: _shown([known.find(row.uuid)])[0]})


class LateUsagePolicy(views.ApiView):
    """The policy of one subscription."""

    resource = "late_usage"

    @extend_schema(request=schema.body(ROOT, PolicyRequest), responses=schema.answer(ROOT, PolicyAnswer))
    def put(self, request: Request, external_id: str) -> Response:
        """Agree on what happens to late usage of the subscription that runs, or ran last, under this id."""
        content = self.body(request, ROOT, PolicyRequest)
        subscription = late_usage.set_policy(
            subscription_id=known.subscription(external_id).pk,
            policy=content["late_usage_policy"],
            waive_below=content.get("late_usage_waive_below"),
            actor=self.actor(request),
            at=self.at(),
        )
        return Response({ROOT: PolicyAnswer(subscription).data})


def _shown(rows: list[LateUsage]) -> list[dict[str, Any]]:
    return list(LateUsageAnswer(rows, many=True).data)
