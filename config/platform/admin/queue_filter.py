"""The filter that narrows a list to what one of its work queues counts. Lists of models with a queue have it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.kernel import queues
from config.platform.admin import theme

PARAMETER = "queue"


class QueueFilter(theme.DropdownFilter):
    """The work queues of the list. What is no queue of it narrows nothing."""

    title = "work queue"
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The queues of this list."""
        return [(queue.code, queue.label) for queue in queues.of_model(model_admin.opts.label_lower)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to what waits now."""
        for queue in queues.of_model(queryset.model._meta.label_lower):
            if queue.code == self.value():
                return queryset.filter(pk__in=queue.rows(timezone.now()).order_by().values("pk"))
        return queryset
