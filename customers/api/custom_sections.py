"""``/invoice_custom_sections``."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import pagination, params, schema, views
from customers.api.section_forms import SectionAnswer, SectionRequest
from customers.models import InvoiceCustomSection
from customers.queries import custom_sections as known_sections
from customers.services import custom_sections

ROOT = "invoice_custom_section"


class Sections(views.ApiView):
    """All custom sections."""

    resource = "invoice_custom_section"

    @extend_schema(
        parameters=schema.filters("search_term"), responses=schema.page("invoice_custom_sections", SectionAnswer)
    )
    def get(self, request: Request) -> Response:
        """List the custom sections by name."""
        rows = known_sections.listed(search_term=params.text(request, "search_term"))
        return pagination.paginated(
            request, rows, "invoice_custom_sections", lambda found: SectionAnswer(found, many=True).data
        )

    @extend_schema(request=schema.body(ROOT, SectionRequest), responses=schema.answer(ROOT, SectionAnswer))
    def post(self, request: Request) -> Response:
        """Make a custom section."""
        values = self.body(request, ROOT, SectionRequest)
        return _answer(custom_sections.create(values=values, actor=self.actor(request), at=self.at()))


class Section(views.ApiView):
    """One custom section, by its code."""

    resource = "invoice_custom_section"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, SectionAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show a custom section."""
        return _answer(known_sections.by_code(code=code))

    @extend_schema(request=schema.changes(ROOT, SectionRequest), responses=schema.answer(ROOT, SectionAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change a custom section; issued documents keep their text."""
        content = self.root(request, ROOT)
        known_sections.by_code(code=code)
        values = self.checked(content, SectionRequest, partial=True)
        return _answer(custom_sections.update(code=code, values=values, actor=self.actor(request), at=self.at()))

    @extend_schema(responses=schema.answer(ROOT, SectionAnswer))
    def delete(self, request: Request, code: str) -> Response:
        """Retire a custom section and take it off every customer and billing entity."""
        return _answer(custom_sections.delete(code=code, actor=self.actor(request), at=self.at()))


def _answer(section: InvoiceCustomSection) -> Response:
    return Response({ROOT: SectionAnswer(section, context={}).data})
