"""``/taxes``. It is here because a tax can be the default one of the installation's seller."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Tax as TaxRow
from catalog.queries import taxes
from config.platform.api import pagination, params, representations, schema, views
from config.platform.api.serializers import Flag, Rate, RequestSerializer, Text
from customers.services import default_taxes

ROOT = "tax"
TaxAnswer = representations.serializer("catalog.tax")


class TaxRequest(RequestSerializer):
    """A tax as it comes in; ``rate`` is in percent."""

    name = Text(required=True)
    code = Text(required=True)
    rate = Rate()
    description = Text(max_length=10_000)
    legal_note = Text(max_length=2_000, help_text="An addition: printed on documents on which the tax stands.")
    applied_to_organization = Flag(allow_null=True)


class Taxes(views.ApiView):
    """All taxes."""

    resource = "tax"

    @extend_schema(parameters=schema.filters("search_term"), responses=schema.page("taxes", TaxAnswer))
    def get(self, request: Request) -> Response:
        """List the taxes, newest first."""
        rows = taxes.listed(search_term=params.text(request, "search_term"))
        return pagination.paginated(
            request, rows, "taxes", lambda found: representations.represent("catalog.tax", found)
        )

    @extend_schema(request=schema.body(ROOT, TaxRequest), responses=schema.answer(ROOT, TaxAnswer))
    def post(self, request: Request) -> Response:
        """Make a tax."""
        values, applied = _split(self.body(request, ROOT, TaxRequest))
        made = default_taxes.create(values=values, applied=applied, actor=self.actor(request), at=self.at())
        return _answer(made)


class Tax(views.ApiView):
    """One tax, by its code."""

    resource = "tax"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, TaxAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show a tax."""
        return _answer(taxes.by_code(code=code))

    @extend_schema(request=schema.changes(ROOT, TaxRequest), responses=schema.answer(ROOT, TaxAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change a tax; issued documents keep their rate."""
        content = self.root(request, ROOT)
        taxes.by_code(code=code)
        values, applied = _split(self.checked(content, TaxRequest, partial=True))
        changed = default_taxes.update(
            code=code, values=values, applied=applied, actor=self.actor(request), at=self.at()
        )
        return _answer(changed)

    @extend_schema(responses=schema.answer(ROOT, TaxAnswer))
    def delete(self, request: Request, code: str) -> Response:
        """Retire a tax and take it off everything that is yet to be billed."""
        return _answer(default_taxes.delete(code=code, actor=self.actor(request), at=self.at()))


def _split(values: dict[str, Any]) -> tuple[Any, bool | None]:
    return values, values.pop("applied_to_organization", None)


def _answer(tax: TaxRow) -> Response:
    return Response({ROOT: representations.one("catalog.tax", tax)})
