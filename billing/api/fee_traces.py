"""``/fees/:id/trace``: how the amount of a fee came about, and whether it still does."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from moneyed import Money
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.domain import verification
from billing.models import RatedCharge
from billing.queries import traces
from config.kernel import money
from config.platform.api import params, schema, views
from invoicing.models import InvoiceLine
from invoicing.queries import lines

ROOT = "fee_trace"


class SentenceAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A line of the worked sum. Figures are as exact as a person can follow; the exact ones are the trace's."""

    label = serializers.CharField(help_text="What the line is, in English.")
    subject = serializers.CharField(help_text="What it is about: a code, an aggregation, a range of units.")
    formula = serializers.CharField()
    result = serializers.CharField()


class VerificationAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Whether rating again from the stored inputs alone gives what was billed."""

    verified = serializers.BooleanField(help_text="The digest and the amount are right.")
    digest_matches = serializers.BooleanField()
    amount_matches = serializers.BooleanField()
    recomputed_amount_cents = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField(allow_null=True, help_text="Why the trace could not be computed again.")


class FeeTraceAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The stored calculation of a fee."""

    lago_fee_id = serializers.UUIDField()
    lago_subscription_id = serializers.UUIDField()
    external_subscription_id = serializers.CharField()
    amount_cents = serializers.IntegerField()
    amount_currency = serializers.CharField()
    worked_sum = SentenceAnswer(many=True)
    verification = VerificationAnswer()
    trace_sha256 = serializers.CharField(help_text="Digest of the trace as JSON with sorted keys and no blanks.")
    trace = serializers.DictField(help_text="Inputs, steps and rounding; decimals are text.")


class FeeTrace(views.ApiView):
    """The calculation of one fee."""

    resource = "fee"

    @extend_schema(operation_id="findFeeTrace", responses=schema.answer(ROOT, FeeTraceAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show how a fee came about, and compute it again. Fees that no price was applied for have no trace."""
        line = lines.find(params.uuid(lago_id))
        return Response({ROOT: _shown(line, traces.of_line(line))})


def _shown(line: InvoiceLine, rated: RatedCharge) -> dict[str, Any]:
    found = verification.verify(trace=rated.trace, sha256=rated.trace_sha256, amount=line.agreed_amount.amount)
    again = None if found.amount is None else money.to_minor(Money(found.amount, line.currency))
    shown = {
        "lago_fee_id": line.uuid,
        "lago_subscription_id": rated.subscription.uuid,
        "external_subscription_id": rated.subscription.external_id,
        "amount_cents": money.to_minor(line.amount),
        "amount_currency": line.currency,
        "worked_sum": found.sentences,
        "verification": {
            "verified": found.is_right,
            "digest_matches": found.is_digest_right,
            "amount_matches": found.is_amount_right,
            "recomputed_amount_cents": again,
            "problem": found.problem or None,
        },
        "trace_sha256": rated.trace_sha256,
        "trace": rated.trace,
    }
    return dict(FeeTraceAnswer(shown).data)
