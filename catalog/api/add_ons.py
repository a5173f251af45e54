"""``/add_ons``."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.add_on_forms import AddOnAnswer, AddOnRequest
from catalog.models import AddOn as AddOnRow
from catalog.queries import add_ons as add_on_queries
from catalog.services import add_ons
from config.platform.api import pagination, params, representations, schema, views

ROOT, NAME = "add_on", "catalog.add_on"


class AddOns(views.ApiView):
    """All add-ons."""

    resource = "add_on"

    @extend_schema(parameters=schema.filters("search_term"), responses=schema.page("add_ons", AddOnAnswer))
    def get(self, request: Request) -> Response:
        """List the add-ons, newest first."""
        rows = add_on_queries.listed(search_term=params.text(request, "search_term"))
        return pagination.paginated(request, rows, "add_ons", lambda found: representations.represent(NAME, found))

    @extend_schema(request=schema.body(ROOT, AddOnRequest), responses=schema.answer(ROOT, AddOnAnswer))
    def post(self, request: Request) -> Response:
        """Make an add-on."""
        values = self.body(request, ROOT, AddOnRequest)
        return _answer(add_ons.create(values=values, actor=self.actor(request), at=self.at()))


class AddOn(views.ApiView):
    """One add-on, by its code."""

    resource = "add_on"
    is_conditional = True

    @extend_schema(responses=schema.answer(ROOT, AddOnAnswer))
    def get(self, request: Request, code: str) -> Response:
        """Show an add-on."""
        return _answer(add_on_queries.by_code(code=code))

    @extend_schema(request=schema.changes(ROOT, AddOnRequest), responses=schema.answer(ROOT, AddOnAnswer))
    def put(self, request: Request, code: str) -> Response:
        """Change an add-on. What plans ask for it stays as it is."""
        content = self.root(request, ROOT)
        add_on_queries.by_code(code=code)
        values = self.checked(content, AddOnRequest, partial=True)
        return _answer(add_ons.update(code=code, values=values, actor=self.actor(request), at=self.at()))

    @extend_schema(responses=schema.answer(ROOT, AddOnAnswer))
    def delete(self, request: Request, code: str) -> Response:
        """Retire an add-on. Plans that sell it keep it."""
        return _answer(add_ons.delete(code=code, actor=self.actor(request), at=self.at()))


def _answer(add_on: AddOnRow) -> Response:
    return Response({ROOT: representations.one(NAME, add_on)})
