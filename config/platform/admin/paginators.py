"""Pages of long lists without counting them: beyond a bound a list is just "more than" that.

Counting a million rows to print a number that nobody reads costs more than the page itself.
"""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from config.platform.admin import theme

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

    def get_results(self, request: HttpRequest) -> None:
        """Take the number that was counted for the number of all."""
        super().get_results(request)
        self.full_result_count = self.result_count
