"""Pages of long lists without counting them: beyond a bound a list is just "more than" that.

Counting a million rows to print a number that nobody reads costs more than the page itself.
"""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.utils.functional import cached_property

from config.platform.admin import theme
from config.platform.queries import saved_filters

BOUND = 10_000

FEW = BOUND
"""So many rows are sorted in no time."""


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

    def page(self, number: Any) -> Page:
        """The rows of a page. Few rows are found and sorted, and the list is not read in its order until enough of them
        came by: the database thinks that they lie anywhere in it, while what one looks for is often all at its far end.
        """
        found = super().page(number)
        if isinstance(found.object_list, QuerySet) and self._seen <= FEW:
            first = (found.number - 1) * self.per_page
            found.object_list = self._sorted()[first : min(first + self.per_page, self.count)]
        return found

    def _sorted(self) -> QuerySet[Any]:
        """The rows in their order, which is told such that no index has it."""
        first, *others = self.object_list.query.order_by or ("",)
        if (
            isinstance(first, OrderBy)
            and isinstance(first.expression, F)
            and not (first.nulls_first or first.nulls_last)
        ):
            first = f"{'-' if first.descending else ''}{first.expression.name}"
        name = first.removeprefix("-") if isinstance(first, str) else ""
        if name not in {field.name for field in self.object_list.model._meta.concrete_fields if not field.is_relation}:
            return self.object_list
        column = Greatest(F(name), F(name))
        return self.object_list.order_by(column.desc() if first.startswith("-") else column.asc(), *others)


class KeyedPaginator(BoundedPaginator):
    """Finds the keys of a page before it reads its rows: what is sorted then is narrow, and often an index has all.

    For models whose primary key has an index.
    """

    def page(self, number: Any) -> Page:
        """The rows of a page. Two queries."""
        found = super().page(number)
        if isinstance(found.object_list, QuerySet):
            # Read by themselves: within the other statement the database may begin at the wrong end again.
            keys = found.object_list.select_related(None).prefetch_related(None).values_list("pk", flat=True)
            found.object_list = self.object_list.filter(pk__in=list(keys))
        return found


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
