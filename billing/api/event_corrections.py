"""``/events/corrections``: taking usage events back, or replacing them. Answers come after the commit."""

from __future__ import annotations

from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import event_payload
from billing.api.event_forms import Timestamp
from billing.domain import event_corrections as corrections
from billing.domain.event_corrections import CorrectionIn
from billing.models import EventCorrection
from billing.queries import event_corrections as known
from billing.services import event_corrections
from config.kernel import errors
from config.platform.api import pagination, params, schema, views
from config.platform.api import serializers as fields

ROOT, LIST = "event", "events"
ANSWER, ANSWERS = "event_correction", "event_corrections"
MOST = 100


class CorrectionRequest(serializers.Serializer):  # type: ignore[type-arg]
    """A correction as clients send it. Read by a decoder of its own; this describes it."""

    transaction_id = serializers.CharField(max_length=255, help_text="Its own, unique in the subscription.")
    corrects = serializers.CharField(max_length=255, help_text="Transaction id of the event, or of a withdrawal.")
    external_subscription_id = serializers.CharField(max_length=255)
    action = serializers.ChoiceField(["withdraw", "amend"])
    reason = serializers.CharField(max_length=corrections.MAX_REASON)
    code = serializers.CharField(required=False, max_length=255, help_text="Amend only; what is not sent stays.")
    timestamp = Timestamp(required=False)
    properties = serializers.DictField(required=False)
    precise_total_amount_cents = fields.DecimalString(required=False, allow_null=True)


class CorrectionAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A correction as answers show it."""

    lago_id = serializers.UUIDField(source="uuid")
    transaction_id = serializers.CharField()
    external_subscription_id = serializers.CharField()
    corrects = serializers.CharField()
    action = serializers.CharField()
    reason = serializers.CharField()
    made_by = serializers.CharField()
    undone_at = fields.Instant(allow_null=True, help_text="When a correction of this one undid it.")
    lago_fee_ids = serializers.SerializerMethodField(
        help_text="Fees that billed the corrected event in advance: they stand until somebody credits them."
    )
    created_at = fields.Instant()

    def get_lago_fee_ids(self, row: EventCorrection) -> list[str]:
        """Return the fees of the corrected event."""
        lines = self.context["fees"].get((row.external_subscription_id, row.event_transaction_id), ())
        return [str(line.uuid) for line in lines]


class EventCorrections(views.ApiView):
    """Corrections of events."""

    resource = "event"

    @extend_schema(
        parameters=schema.filters("external_subscription_id", "corrects"),
        responses=schema.page(ANSWERS, CorrectionAnswer),
    )
    def get(self, request: Request) -> Response:
        """List corrections, newest first; of one event with ``corrects``."""
        rows = known.listed(
            external_subscription_id=params.text(request, "external_subscription_id"),
            corrects=params.text(request, "corrects"),
        )
        return pagination.paginated(request, rows, ANSWERS, _shown)

    @extend_schema(
        request=schema.either(
            "CorrectionOrCorrectionsBody",
            schema.body(ROOT, CorrectionRequest),
            schema.body("events", CorrectionRequest, many=True),
        ),
        responses=schema.one_or_many(ANSWER, ANSWERS, CorrectionAnswer),
    )
    def post(self, request: Request) -> Response:
        """Correct one event under ``event``, or up to 100 under ``events``, all or none. A repeat changes nothing."""
        at = self.at()
        keys = event_payload.root(request.body)
        if "events" in keys:
            raws = event_payload.listed(keys["events"], most=MOST)
            stored = event_corrections.correct(corrections=_read(raws, at), actor=self.actor(request), at=at)
            return Response({ANSWERS: _shown(stored)})
        raw = keys.get(ROOT)
        if raw is None:
            raise errors.BadRequest(
                "bad_request", f"BadRequest: param is missing or the value is empty or invalid: {ROOT}"
            )
        found = corrections.examine(raw, received_at=at)
        if not isinstance(found, CorrectionIn):
            raise errors.Invalid("validation_errors", "The correction is not valid.", found)
        (row,) = event_corrections.correct(corrections=[found], actor=self.actor(request), at=at)
        return Response({ANSWER: _shown([row])[0]})


def _read(raws: list[msgspec.Raw], at: Any) -> list[CorrectionIn]:
    found, refused = [], {}
    for position, raw in enumerate(raws):
        one = corrections.examine(raw, received_at=at)
        if isinstance(one, CorrectionIn):
            found.append(one)
        else:
            refused |= {f"{position}.{name}": codes for name, codes in one.items()}
    if refused:
        raise errors.Invalid("validation_errors", "Some corrections are not valid.", refused)
    return found


def _shown(rows: list[EventCorrection]) -> list[dict[str, Any]]:
    found = known.fees(events={(row.external_subscription_id, row.event_transaction_id) for row in rows})
    return list(CorrectionAnswer(rows, many=True, context={"fees": found}).data)
