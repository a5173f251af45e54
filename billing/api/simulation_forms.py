"""How simulations look in the API, in and out. Owns the form; what it asks for is read by the service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from billing.domain import simulation
from billing.domain.simulation_comparison import Bucket
from billing.domain.simulation_usage import Supposed
from billing.queries.simulation_contracts import Subject
from billing.services import simulation_offers
from billing.services.simulation_offers import Offer
from billing.services.simulations import Wanted
from config.kernel import errors
from config.platform.api.serializers import DecimalString, MinorUnits, RequestSerializer, Rows, Text, Whole

MAX_METRICS = 100
HUNDRED = Decimal(100)


class StrictRequest(RequestSerializer):
    """A request without keys that are not known: the answer to a typo would look like the answer to the question."""

    def to_internal_value(self, data: Any) -> Any:
        """Check, and refuse keys that are not known by their names."""
        unknown = [str(key) for key in data if key not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({key: ["There is no such key."] for key in unknown}, code="unknown_key")
        return super().to_internal_value(data)


class OfferRequest(StrictRequest):
    """A plan: the code of one, with a version that is not the current one, or a draft."""

    plan_code = Text()
    plan_version = Whole(allow_null=True, min_value=1)
    plan = serializers.DictField(
        required=False, allow_null=True, help_text="A draft, as a plan is made with; charges may name metrics by code."
    )


class SupposedRequest(StrictRequest):
    """The units of a metric in the first month, and how they change."""

    billable_metric_code = Text(required=True)
    units = DecimalString()
    growth_rate = DecimalString(required=False, allow_null=True, help_text="Percent a month; below zero it shrinks.")
    season_rate = DecimalString(required=False, allow_null=True, help_text="Percent more in the peak month.")
    peak_month = Whole(allow_null=True, min_value=1, max_value=12, help_text="12 unless given.")
    events_count = DecimalString(required=False, allow_null=True, help_text="Events in the first month.")
    amount = DecimalString(required=False, allow_null=True, help_text="What they carry, for dynamic prices.")


class SimulationRequest(StrictRequest):
    """Whose contracts, when, compared with what, on which usage."""

    external_customer_id = Text()
    external_subscription_id = Text()
    plan_code = Text(help_text="All contracts on a plan; with synthetic usage one that does not exist.")
    plan_version = Whole(allow_null=True, min_value=1, help_text="Of a contract that does not exist.")
    months = Whole(allow_null=True, min_value=1, max_value=simulation.MAX_MONTHS)
    from_date = serializers.DateField(required=False, allow_null=True)
    to_date = serializers.DateField(required=False, allow_null=True, help_text="The day after the last one.")
    compare_with = OfferRequest(required=False, allow_null=True)
    synthetic_usage = Rows(SupposedRequest, max_length=MAX_METRICS)


class LineAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A line that an invoice would have."""

    kind = serializers.ChoiceField(choices=["subscription", "usage", "fixed_charge", "true_up", "commitment"])
    code = serializers.CharField()
    metric_code = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    filter = serializers.CharField(allow_null=True)
    group = serializers.DictField(allow_null=True)
    units = serializers.CharField()
    events_count = serializers.IntegerField()
    amount_cents = MinorUnits()


class PeriodAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A period by its local days, both included."""

    first_day = serializers.DateField()
    last_day = serializers.DateField()
    fee_cents = MinorUnits()
    amount_cents = MinorUnits()
    lines = LineAnswer(many=True)


class AmountsAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What something comes to; the last two only where plans are compared."""

    amount_cents = MinorUnits()
    compared_amount_cents = MinorUnits(required=False)
    difference_cents = serializers.IntegerField(required=False)


class ContractHeadAnswer(AmountsAnswer):
    """A contract; `left_out` says why it cannot be compared."""

    external_customer_id = serializers.CharField(allow_null=True)
    external_subscription_id = serializers.CharField(allow_null=True)
    plan = serializers.CharField()
    currency = serializers.CharField()
    left_out = serializers.CharField(allow_null=True)


class ContractAnswer(ContractHeadAnswer):
    """A contract with its periods on its own plan, and on the other one."""

    periods = PeriodAnswer(many=True)
    compared_periods = PeriodAnswer(many=True, required=False)


class MonthAnswer(AmountsAnswer):
    """The periods that start in a month."""

    month = serializers.CharField(help_text="2026-05")


class ItemAnswer(AmountsAnswer):
    """A metric or a fixed charge over all contracts; plan fees together have no code."""

    kind = serializers.ChoiceField(choices=["subscription", "usage", "fixed_charge", "commitment"])
    code = serializers.CharField(allow_null=True)
    units = serializers.CharField()
    compared_units = serializers.CharField(required=False)


class CurrencyAnswer(AmountsAnswer):
    """All contracts in a currency."""

    currency = serializers.CharField()
    contracts_count = serializers.IntegerField()
    months = MonthAnswer(many=True)
    items = ItemAnswer(many=True)
    left_out_count = serializers.IntegerField(required=False)
    winners_count = serializers.IntegerField(required=False, help_text="Who would pay less.")
    losers_count = serializers.IntegerField(required=False, help_text="Who would pay more.")
    distribution = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text=f"Contracts by change: {', '.join(Bucket)}."
    )
    movers = ContractHeadAnswer(many=True, required=False)


class SimulationAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What contracts come to, without tax. `contracts` are the first 200."""

    from_date = serializers.DateField()
    to_date = serializers.DateField(help_text="The day after the last one.")
    compared_with = serializers.CharField(allow_null=True)
    contracts_count = serializers.IntegerField()
    remarks = serializers.ListField(child=serializers.CharField())
    currencies = CurrencyAnswer(many=True)
    contracts = ContractAnswer(many=True)


def wanted(content: Mapping[str, Any], *, at: datetime) -> Wanted:
    """Return what a checked request asks for. Raises Invalid and NotFound for what does not make sense or exist."""
    supposed = tuple(_supposed(row) for row in content.get("synthetic_usage") or ())
    frame = simulation.frame(
        today=at.date(),
        months=content.get("months"),
        first=content.get("from_date"),
        end=content.get("to_date"),
        ahead=bool(supposed),
    )
    other = _offer(content["compare_with"], at) if content.get("compare_with") else None
    subject = Subject(
        customer=content.get("external_customer_id", ""),
        subscription=content.get("external_subscription_id", ""),
        plan=content.get("plan_code", ""),
    )
    number = content.get("plan_version")
    if subject.plan and supposed:
        alone = simulation_offers.stored(code=subject.plan, number=number)
        return Wanted(frame=frame, alone=alone, other=other, supposed=supposed)
    if number is not None:
        raise errors.Invalid(
            "value_is_invalid",
            "A version is said of a plan that is simulated alone, with synthetic usage.",
            {"plan_version": ["value_is_invalid"]},
        )
    return Wanted(frame=frame, subject=subject, other=other, supposed=supposed)


def _offer(content: Mapping[str, Any], at: datetime) -> Offer:
    code, plan = content.get("plan_code"), content.get("plan")
    if bool(code) == bool(plan):
        raise errors.Invalid(
            "value_is_invalid",
            "Compare with the code of a plan, or with a draft.",
            {"compare_with": ["value_is_invalid"]},
        )
    if code:
        return simulation_offers.stored(code=code, number=content.get("plan_version"))
    return simulation_offers.draft(content=plan or {}, at=at)


def _supposed(row: Mapping[str, Any]) -> Supposed:
    return Supposed(
        metric_code=row["billable_metric_code"],
        units=row["units"],
        growth=(row.get("growth_rate") or Decimal(0)) / HUNDRED,
        season=(row.get("season_rate") or Decimal(0)) / HUNDRED,
        peak=row.get("peak_month") or 12,
        events=row.get("events_count"),
        amount=row.get("amount"),
    )
