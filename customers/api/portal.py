"""``/customers/:external_id/portal_url``: a link to the portal, to be shown to the customer it belongs to."""

from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import public, schema, views
from customers.queries import customers
from customers.services import portal_links

ROOT = "customer"


class PortalUrlAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Where the portal is."""

    portal_url = serializers.URLField(
        help_text="Opens the portal of this customer without an account, for the hours of `PORTAL_LINK_HOURS`."
    )


class PortalUrl(views.ApiView):
    """A link to the portal of a customer."""

    resource = "customer"
    guarded = ("get", "head")  # whoever opens the link may change the customer's billing details

    @extend_schema(operation_id="getCustomerPortalUrl", responses=schema.answer(ROOT, PortalUrlAnswer))
    def get(self, request: Request, external_id: str) -> Response:
        """Return a link to the customer's portal. Each call makes one of its own; nothing is stored of it."""
        link = portal_links.make(customer=customers.by_external_id(external_id=external_id), at=self.at())
        address = public.SITE.build_absolute_uri(reverse("portal-overview", kwargs={"token": link.token}))
        return Response({ROOT: {"portal_url": address}})
