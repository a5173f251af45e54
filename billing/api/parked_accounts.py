"""``/parked_accounts``: customers whom no billing run bills for a while. A parking is released by deleting it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import rehearsal_shapes as shapes
from billing.models import ParkedAccount
from billing.queries import parked_accounts as known
from billing.services import parked_accounts
from config.kernel import errors
from config.platform.api import pagination, params, schema, views
from config.platform.api.serializers import RequestSerializer, Text
from customers.queries import customers

ROOT, LIST = "parked_account", "parked_accounts"


class ParkRequest(RequestSerializer):
    """What is asked for."""

    external_customer_id = Text(required=True)
    reason = Text(required=True, max_length=2000)
    until = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Local day on which it is released by itself."
    )


class ParkedAccounts(views.ApiView):
    """All parked accounts."""

    resource = "parked_account"

    @extend_schema(
        parameters=schema.filters("external_customer_id", "released"),
        responses=schema.page(LIST, shapes.ParkedAccountAnswer),
    )
    def get(self, request: Request) -> Response:
        """List accounts that are parked, newest first; those that were released too with `released`."""
        rows = known.parked(released=bool(params.flag(request, "released")))
        customer = params.text(request, "external_customer_id")
        if customer is not None:
            rows = rows.filter(customer__external_id=customer)
        return pagination.paginated(request, rows, LIST, shapes.parked)

    @extend_schema(request=schema.body(ROOT, ParkRequest), responses=schema.answer(ROOT, shapes.ParkedAccountAnswer))
    def post(self, request: Request) -> Response:
        """Park an account, with a reason."""
        content = self.body(request, ROOT, ParkRequest)
        customer = customers.by_external_id(external_id=content["external_customer_id"])
        row = parked_accounts.park(
            customer_id=customer.pk,
            reason=content["reason"],
            until=content["until"],
            actor=self.actor(request),
            at=self.at(),
        )
        return Response({ROOT: shapes.parked([row])[0]})


class OneParkedAccount(views.ApiView):
    """One parked account."""

    resource = "parked_account"

    @extend_schema(responses=schema.answer(ROOT, shapes.ParkedAccountAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show a parked account."""
        return Response({ROOT: shapes.parked([_found(lago_id)])[0]})

    @extend_schema(responses=schema.answer(ROOT, shapes.ParkedAccountAnswer))
    def delete(self, request: Request, lago_id: str) -> Response:
        """Release a parked account: billing goes on."""
        row = parked_accounts.release(parked_id=_found(lago_id).pk, actor=self.actor(request), at=self.at())
        return Response({ROOT: shapes.parked([row])[0]})


def _found(lago_id: str) -> ParkedAccount:
    uuid = params.uuid(lago_id)
    row = None if uuid is None else known.parked(released=True).filter(uuid=uuid).first()
    if row is None:
        raise errors.NotFound("parked_account_not_found", "There is no such parked account.")
    return row
