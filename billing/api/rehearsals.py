"""``/rehearsals``: billing runs that are looked at before they bill. Signing one off needs a person, in the admin."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import rehearsal_shapes as shapes
from billing.domain.bill_differences import Cause
from billing.models import Rehearsal
from billing.queries import rehearsals as known
from billing.services import rehearsal_billing, rehearsals
from config.kernel import errors
from config.platform.api import pagination, params, schema, views
from config.platform.api.serializers import Instant, RequestSerializer, Text

ROOT, LIST, INVOICES = "rehearsal", "rehearsals", "rehearsed_invoices"


class RehearsalRequest(RequestSerializer):
    """What is asked for."""

    as_of = Instant(required=False, allow_null=True, help_text="The clock of the run; now unless told otherwise.")
    reason = Text(required=False, default="", max_length=2000)


class ReasonRequest(RequestSerializer):
    """Why it is dropped."""

    reason = Text(required=False, default="", max_length=2000)


class Rehearsals(views.ApiView):
    """All rehearsals."""

    resource = "rehearsal"

    @extend_schema(parameters=schema.filters(many=("state",)), responses=schema.page(LIST, shapes.RehearsalAnswer))
    def get(self, request: Request) -> Response:
        """List rehearsals, newest first."""
        rows = known.rehearsals()
        states = params.texts(request, "state", allowed=Rehearsal.State.values)
        if states:
            rows = rows.filter(state__in=states)
        return pagination.paginated(request, rows, LIST, lambda found: shapes.RehearsalAnswer(found, many=True).data)

    @extend_schema(request=schema.body(ROOT, RehearsalRequest), responses=schema.answer(ROOT, shapes.RehearsalDetail))
    def post(self, request: Request) -> Response:
        """Ask for a rehearsal. It is computed in the background; nothing is billed."""
        content = self.body(request, ROOT, RehearsalRequest)
        at = self.at()
        row = rehearsals.request(
            as_of=content.get("as_of") or at, reason=content["reason"], actor=self.actor(request), at=at
        )
        return _answer(row)


class OneRehearsal(views.ApiView):
    """One rehearsal."""

    resource = "rehearsal"

    @extend_schema(responses=schema.answer(ROOT, shapes.RehearsalDetail))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show a rehearsal with what it comes to by currency."""
        return _answer(_found(lago_id))


class RehearsalInvoices(views.ApiView):
    """The invoices of a rehearsal."""

    resource = "rehearsal"

    @extend_schema(
        parameters=schema.filters("cause", "external_customer_id", "flagged"),
        responses=schema.page(INVOICES, shapes.RehearsedInvoiceAnswer),
    )
    def get(self, request: Request, lago_id: str) -> Response:
        """List the invoices that the run would make, with their differences; failures and parked accounts too."""
        rows = known.everything(rehearsal_id=_found(lago_id).pk)
        flagged = params.flag(request, "flagged")
        if flagged is not None:
            rows = rows.filter(is_flagged=flagged)
        causes = params.texts(request, "cause", allowed=shapes.CAUSES)
        for cause in causes:
            rows = known.with_cause(rows, cause=Cause(cause))
        customer = params.text(request, "external_customer_id")
        if customer is not None:
            rows = rows.filter(customer__external_id=customer)
        return pagination.paginated(
            request, rows, INVOICES, lambda found: shapes.RehearsedInvoiceAnswer(found, many=True).data
        )


class RehearsalDrop(views.ApiView):
    """Dropping a rehearsal."""

    resource = "rehearsal"

    @extend_schema(request=schema.body(ROOT, ReasonRequest), responses=schema.answer(ROOT, shapes.RehearsalDetail))
    def post(self, request: Request, lago_id: str) -> Response:
        """Drop a rehearsal: nobody bills it."""
        row = _found(lago_id)
        content = self.body(request, ROOT, ReasonRequest) if request.data else {"reason": ""}
        rehearsals.drop(rehearsal_id=row.pk, reason=content["reason"], actor=self.actor(request), at=self.at())
        return _answer(_found(lago_id))


class RehearsalSignOff(views.ApiView):
    """Signing a rehearsal off, which a key cannot."""

    resource = "rehearsal"

    @extend_schema(request=None, responses=schema.answer(ROOT, shapes.RehearsalDetail))
    def post(self, request: Request, lago_id: str) -> Response:
        """Is refused with 403 `person_required`: a second person signs off, in the admin."""
        row = _found(lago_id)
        rehearsals.sign_off(
            rehearsal_id=row.pk, acknowledged=row.flagged_count, actor=self.actor(request), at=self.at()
        )
        return _answer(_found(lago_id))


class RehearsalBill(views.ApiView):
    """Billing what was signed off."""

    resource = "rehearsal"

    @extend_schema(request=None, responses=schema.answer(ROOT, shapes.RehearsalDetail))
    def post(self, request: Request, lago_id: str) -> Response:
        """Have what was signed off billed, in the background. Invoices whose inputs changed since are refused."""
        row = _found(lago_id)
        rehearsal_billing.ask(rehearsal_id=row.pk, actor=self.actor(request), at=self.at())
        return _answer(_found(lago_id))


def _found(lago_id: str) -> Rehearsal:
    uuid = params.uuid(lago_id)
    if uuid is None:
        raise errors.NotFound("rehearsal_not_found", "There is no such rehearsal.")
    return known.by_uuid(uuid)


def _answer(row: Rehearsal) -> Response:
    shown: dict[str, Any] = shapes.RehearsalDetail(row).data
    return Response({ROOT: shown})
