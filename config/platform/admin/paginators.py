"""Pages of long lists without counting them: beyond a bound a list is just "more than" that.

Counting a million rows to print a number that nobody reads costs more than the page itself.
"""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from config.platform.admin import theme
from config.platform.queries import saved_filters

BOUND = 10_000


class BoundedPaginator(Paginator):
    """Counts up to ten thousand rows. Whoever needs a row beyond that narrows the list down."""

    template_name = "admin/platform/pagination.html"

    @cached_property
    def count(self) -> int:
        """The number of rows, at most the bound. One query that stops there."""
        if not isinstance(self.object_list, QuerySet):
            return len(self.object_list)
        return min(self._seen, BOUND)

    @property
    def is_bounded(self) -> bool:
        """Say whether there are more rows than were counted."""
        return isinstance(self.object_list, QuerySet) and self._seen > BOUND

    @cached_property
    def _seen(self) -> int:
        rows = self.object_list.select_related(None).prefetch_related(None).order_by().values("pk")
        return rows[: BOUND + 1].count()


class QuietChangeList(theme.ChangeList):
    """A list that does not offer to count everything, and that gives up on addresses no database can read."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if any("\x00" in value for values in request.GET.lists() for value in (values[0], *values[1])):
            raise IncorrectLookupParameters("null bytes")
        super().__init__(request, *args, **kwargs)

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Leave out what asks for the list without the person's standard filter: it narrows nothing."""
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(saved_filters.SHOW, None)
        return found

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """The address of another view of the list; one of everything says so, as a plain one may open narrowed."""
        found = super().get_query_string(new_params, remove)
        return f"?{saved_filters.SHOW}=all" if found == "?" else str(found)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Sort what is equal in the chosen column in the same direction: one index then serves both directions."""
        found = list(super().get_ordering(request, queryset))
        chosen = str(self.params.get(ORDER_VAR) or "")
        if not chosen or "." in chosen or chosen.startswith("-") or not all(isinstance(one, str) for one in found):
            return found
        return [found[0], *(one.removeprefix("-") for one in found[1:])]

    def get_results(self, request: HttpRequest) -> None:
        """Take the number that was counted for the number of all."""
        super().get_results(request)
        self.full_result_count = self.result_count
