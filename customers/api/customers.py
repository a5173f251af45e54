"""``/customers``."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import pagination, params, representations, schema, views
from customers.api.customer_forms import CustomerAnswer, CustomerDetailAnswer, CustomerRequest
from customers.models import Customer as CustomerRow
from customers.queries import customers as customer_queries
from customers.services import customers

ROOT = "customer"
LISTS = {
    "currencies": "currency",
    "countries": "country",
    "states": "state",
    "zipcodes": "zipcode",
    "billing_entity_codes": "billing_entity__code",
    "customer_type": "customer_type",
    "external_id": "external_id",
}


class Customers(views.ApiView):
    """All customers."""

    resource = "customer"

    @extend_schema(
        parameters=schema.filters(
            "search_term",
            "external_id",
            "customer_type",
            "has_customer_type",
            "has_tax_identification_number",
            "metadata[key]",
            many=("currencies", "countries", "states", "zipcodes", "billing_entity_codes", "account_type"),
        ),
        responses=schema.page("customers", CustomerAnswer),
    )
    def get(self, request: Request) -> Response:
        """List the customers, newest first."""
        wanted = {field: params.texts(request, name) for name, field in LISTS.items()}
        rows = customer_queries.matching(customer_queries.listed(), wanted=wanted)
        if params.texts(request, "account_type", allowed=["customer", "partner"]) == ["partner"]:
            rows = rows.none()  # every customer is one that buys
        for field in ("customer_type", "tax_identification_number"):
            rows = customer_queries.having(rows, field=field, present=params.flag(request, f"has_{field}"))
        rows = customer_queries.search(rows, term=params.text(request, "search_term"))
        rows = customer_queries.with_metadata(rows, pairs=params.pairs(request, "metadata"))
        return pagination.paginated(
            request, rows, "customers", lambda found: representations.represent("customers.customer", found)
        )

    @extend_schema(request=schema.body(ROOT, CustomerRequest), responses=schema.answer(ROOT, CustomerDetailAnswer))
    def post(self, request: Request) -> Response:
        """Make or change the customer of that external id."""
        values = self.body(request, ROOT, CustomerRequest)
        return _answer(customers.upsert(values=values, actor=self.actor(request), at=self.at()))


class Customer(views.ApiView):
    """One customer, by its external id."""

    resource = "customer"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, CustomerDetailAnswer))
    def get(self, request: Request, external_id: str) -> Response:
        """Show a customer."""
        return _answer(customer_queries.by_external_id(external_id=external_id))

    @extend_schema(responses=schema.answer(ROOT, CustomerDetailAnswer))
    def delete(self, request: Request, external_id: str) -> Response:
        """Retire a customer; its subscriptions end."""
        return _answer(customers.delete(external_id=external_id, actor=self.actor(request), at=self.at()))


def _answer(customer: CustomerRow) -> Response:
    return Response({ROOT: representations.one("customers.customer_detail", customer)})
