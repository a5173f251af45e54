"""``/billing_entities`` and ``/organizations``."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import access, representations, schema, views
from config.platform.queries import installation, webhooks
from config.platform.services import rights
from customers.api.entity_forms import (
    EntityAnswer,
    EntityRequest,
    EntitySummaryAnswer,
    OrganizationAnswer,
    OrganizationRequest,
)
from customers.models import BillingEntity
from customers.queries import billing_entities as entity_queries
from customers.services import billing_entities

ROOT, ORGANIZATION = "billing_entity", "organization"


class Entities(views.ApiView):
    """All billing entities."""

    resource = "billing_entity"

    @extend_schema(responses=schema.page("billing_entities", EntitySummaryAnswer, meta=False))
    def get(self, request: Request) -> Response:
        """List the billing entities, the default one first."""
        return Response({"billing_entities": EntitySummaryAnswer(entity_queries.listed(), many=True).data})

    @extend_schema(request=schema.body(ROOT, EntityRequest), responses=schema.answer(ROOT, EntityAnswer))
    def post(self, request: Request) -> Response:
        """Make a billing entity."""
        values = self.body(request, ROOT, EntityRequest)
        return _answer(billing_entities.create(values=values, actor=self.actor(request), at=self.at()))


class Entity(views.ApiView):
    """One billing entity, by its code."""

    resource = "billing_entity"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, EntityAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show a billing entity."""
        return _answer(entity_queries.by_code(code=code))

    @extend_schema(request=schema.changes(ROOT, EntityRequest), responses=schema.answer(ROOT, EntityAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change a billing entity; issued documents keep what they say."""
        content = self.root(request, ROOT)
        entity_queries.by_code(code=code)
        values = self.checked(content, EntityRequest, partial=True)
        return _answer(billing_entities.update(code=code, values=values, actor=self.actor(request), at=self.at()))


class Organization(views.ApiView):
    """The organization: the installation with its default billing entity."""

    resource = "organization"
    is_conditional = True

    @extend_schema(responses=schema.answer(ORGANIZATION, OrganizationAnswer))
    def get(self, request: Request) -> Response:
        """Show the organization."""
        return self._answer(entity_queries.default())

    @extend_schema(
        request=schema.body(ORGANIZATION, OrganizationRequest),
        responses=schema.answer(ORGANIZATION, OrganizationAnswer),
    )
    def put(self, request: Request) -> Response:
        """Change the default billing entity. ``webhook_url`` is that of the oldest webhook endpoint or a new one."""
        values = self.body(request, ORGANIZATION, OrganizationRequest)
        url = values.pop("webhook_url", "")
        if url:  # where all events go is not for who may only change the organization
            access.demand(request, resource="webhook_endpoint", action=rights.WRITE)
        changed = billing_entities.update_default(
            values=values, webhook_url=url, actor=self.actor(request), at=self.at()
        )
        return self._answer(changed)

    def _answer(self, entity: BillingEntity) -> Response:
        context = {"installation": installation.current(), "webhook_urls": webhooks.urls()}
        return Response({ORGANIZATION: OrganizationAnswer(entity, context=context).data})


def _answer(entity: BillingEntity) -> Response:
    return Response({ROOT: representations.one("customers.billing_entity", entity)})
