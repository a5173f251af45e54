"""``/subscriptions/:external_id/timeline`` and ``…/upcoming_invoices``: what happened to a subscription, what is agreed
to come, and what its next invoices will be. Additions to the reference; nothing is stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.change_previews import PreviewedCreditNote, PreviewedFee, PreviewedInvoice
from billing.api.subscriptions import SubscriptionView
from billing.domain.timelines import Group
from billing.models import Subscription
from billing.queries import forecast_usage, timeline_plans, timelines
from billing.queries import subscriptions as known
from billing.queries.forecast_usage import UsageFigures
from billing.services import forecasts
from billing.services.forecasts import BillingDay, UsageState
from config.kernel import errors
from config.platform.api import params, schema
from config.platform.api.serializers import Instant, MinorUnits, TextOrNull

TIMELINE, UPCOMING = "timeline", "upcoming_invoices"
MOST_PERIODS = 12
_STATUS = OpenApiParameter("status", OpenApiTypes.STR, description="Of several under the external id, one with it.")


class TimelineEntry(serializers.Serializer):  # type: ignore[type-arg]
    """One thing that happened, or is agreed to come. What it says of amounts is a price or the total of a document."""

    kind = serializers.CharField()
    group = serializers.CharField()
    at = Instant()
    name = TextOrNull()
    previous_name = TextOrNull(source="before")
    amount_cents = MinorUnits(source="amount", allow_null=True)
    previous_amount_cents = MinorUnits(source="amount_before", allow_null=True)
    currency = serializers.SerializerMethodField()
    state = TextOrNull()
    made_by = TextOrNull(source="by")
    reason = TextOrNull()
    resource_type = TextOrNull(source="subject.model", default=None)
    lago_resource_id = TextOrNull(source="subject.uuid", default=None)

    def get_currency(self, entry: Any) -> str | None:
        """Return the currency of the amount."""
        return None if entry.amount is None else str(entry.amount.currency.code)


class UpcomingDay(serializers.Serializer):  # type: ignore[type-arg]
    """What a billing day would bill. ``fees`` are the subscription's own; invoices may have those of others too.

    ``usage`` says what the usage in it is: "none", "counted", "so_far" or "to_come".
    """

    billing_date = serializers.DateField(source="day")
    usage = serializers.CharField()
    projected_usage_amount_cents = MinorUnits(source="projected", allow_null=True)
    last_usage_amount_cents = MinorUnits(source="last", allow_null=True)
    fees = PreviewedFee(many=True, source="lines")
    invoices = PreviewedInvoice(many=True)
    credit_notes = PreviewedCreditNote(many=True)


class Timeline(SubscriptionView):
    """The time line of a subscription."""

    @extend_schema(
        parameters=[
            _STATUS,
            *schema.filters(many=("group",), paged=False),
            OpenApiParameter("page", OpenApiTypes.INT, description="From 1 on; 50 entries each."),
        ],
        responses=inline_serializer(
            "TimelineAnswer",
            {
                TIMELINE: TimelineEntry(many=True),
                "scheduled": TimelineEntry(many=True),
                "meta": inline_serializer(
                    "TimelineMeta",
                    {
                        "current_page": serializers.IntegerField(),
                        "next_page": serializers.IntegerField(allow_null=True),
                    },
                ),
            },
        ),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Show what happened through all changes of its plan, newest first, and what is agreed to come, soonest first.

        Ended subscriptions have theirs too.
        """
        at = self.at()
        groups = [Group(one) for one in params.texts(request, "group", allowed=list(Group))]
        number = max(1, params.whole(request, "page") or 1)
        rows = timelines.chain(_newest(self, request, external_id))
        found = timelines.read(rows=rows, at=at, number=number, groups=groups)
        planned = [
            one for one in timeline_plans.read(rows=rows, at=at) if number == 1 and (not groups or one.group in groups)
        ]
        return Response(
            {
                TIMELINE: TimelineEntry(found.entries, many=True).data,
                "scheduled": TimelineEntry(planned, many=True).data,
                "meta": {"current_page": number, "next_page": number + 1 if found.has_older else None},
            }
        )


class UpcomingInvoices(SubscriptionView):
    """The next invoices of a subscription."""

    @extend_schema(
        parameters=[
            _STATUS,
            OpenApiParameter("periods", OpenApiTypes.INT, description="Billing days: 3 unless given, 12 at most."),
        ],
        responses=schema.page(UPCOMING, UpcomingDay, meta=False),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Show what the next billing days will bill, as the code that bills computes it now. Nothing is stored.

        Fees and fixed charges are exact; usage is what is known, with a projection of the running period and the amount
        of the last one beside it.
        """
        at = self.at()
        wanted = params.whole(request, "periods")
        count = forecasts.PERIODS if wanted is None else wanted
        if not 1 <= count <= MOST_PERIODS:
            message = f"periods is a number from 1 to {MOST_PERIODS}."
            raise errors.Invalid("validation_errors", message, {"periods": ["value_is_out_of_range"]})
        subscription = _newest(self, request, external_id)
        found = forecasts.of(subscription=subscription, at=at, periods_count=count)
        figures = forecast_usage.read(rows=timelines.chain(subscription), at=at)
        days = [_shown(day, figures, at) for day in found.days]
        return Response({UPCOMING: UpcomingDay(days, many=True).data})


def _newest(view: SubscriptionView, request: Request, external_id: str) -> Subscription:
    """Return the subscription with the status asked for; else the newest under the external id, whatever it is."""
    if params.text(request, "status") is not None:
        return view.subscription(request, external_id)
    rows = known.with_contract(Subscription.objects.filter(external_id=external_id))
    found = rows.order_by("-created_at", "-pk").first()
    if found is None:
        raise known.SubscriptionNotFound("subscription_not_found", f"There is no subscription {external_id}.")
    return found


def _shown(day: BillingDay, figures: UsageFigures, at: datetime) -> dict[str, Any]:
    state = day.usage_state(at=at)
    is_whole = day.usage is not None and day.usage[1] == figures.ends_at
    return {
        "day": day.day,
        "usage": state.value,
        "projected": figures.projected if state is UsageState.SO_FAR and is_whole else None,
        "last": figures.last if state is not UsageState.NONE else None,
        "lines": day.lines,
        "invoices": day.invoices,
        "credit_notes": day.credit_notes,
    }
