"""``/activity_logs``, ``/api_logs`` and ``/security_logs``: who did what, and which requests came in."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.api import log_shapes, pagination, params, schema, views
from config.platform.models import SecurityLog
from config.platform.queries import activities, logs

_DAY = timedelta(days=1)
_METHODS = ("post", "put", "patch", "delete")
_OUTCOMES = {"succeeded": False, "failed": True}
_MOST = 100
"""How many values a filter may list."""


class ActivityLogs(views.ApiView):
    """What was done, to anything."""

    resource = "activity_log"

    @extend_schema(
        parameters=schema.filters(
            "from_date",
            "to_date",
            "external_customer_id",
            "external_subscription_id",
            many=("activity_types", "activity_sources", "user_emails", "resource_ids", "resource_types"),
        ),
        responses=schema.page("activity_logs", log_shapes.ActivityLogShape),
    )
    def get(self, request: Request) -> Response:
        """List activities, newest first. The days are of UTC, both included."""
        since, until = _time(request)
        wanted = activities.ActivityFilter(
            since=since,
            until=until,
            types=_some(request, "activity_types"),
            sources=params.texts(request, "activity_sources", allowed=tuple(activities.SOURCES)),
            user_emails=_some(request, "user_emails"),
            external_customer_id=params.text(request, "external_customer_id") or "",
            external_subscription_id=params.text(request, "external_subscription_id") or "",
            resource_ids=[_id(one, "resource_ids") for one in _some(request, "resource_ids")],
            resource_types=_some(request, "resource_types"),
        )
        return pagination.paginated(request, activities.search(wanted), "activity_logs", log_shapes.activity_logs)


class ActivityLog(views.ApiView):
    """One activity."""

    resource = "activity_log"

    @extend_schema(responses=schema.answer("activity_log", log_shapes.ActivityLogShape))
    def get(self, request: Request, activity_id: str) -> Response:
        """Show an activity."""
        (content,) = log_shapes.activity_logs([activities.find(params.uuid(activity_id))])
        return Response({"activity_log": content})


class ApiLogs(views.ApiView):
    """Requests that were to change something."""

    resource = "api_log"

    @extend_schema(
        parameters=schema.filters(
            "from_date",
            "to_date",
            "api_version",
            many=("http_methods", "http_statuses", "request_paths", "clients"),
        ),
        responses=schema.page("api_logs", log_shapes.ApiLogShape),
    )
    def get(self, request: Request) -> Response:
        """List requests, newest first. ``http_statuses`` are numbers, ``succeeded`` or ``failed``; a path that ends in
        ``*`` stands for all that begin like it. The days are of UTC, both included.
        """
        since, until = _time(request)
        statuses = _some(request, "http_statuses")
        outcomes = {_OUTCOMES[one] for one in statuses if one in _OUTCOMES}
        numbers = [one for one in statuses if one not in _OUTCOMES]
        if not all(one.isascii() and one.isdigit() and len(one) == 3 for one in numbers):
            raise _refused("http_statuses")
        version = params.text(request, "api_version") or log_shapes.API_VERSION
        wanted = logs.RequestFilter(
            since=since,
            until=until,
            methods=[one.upper() for one in params.texts(request, "http_methods", allowed=_either(_METHODS))],
            statuses=[int(one) for one in numbers],
            is_refused=outcomes.pop() if len(outcomes) == 1 else None,
            paths=_some(request, "request_paths"),
            clients=_some(request, "clients"),
        )
        rows = logs.requests(wanted)
        if version != log_shapes.API_VERSION:
            rows = rows.none()
        return pagination.paginated(request, rows, "api_logs", log_shapes.api_logs)


class ApiLog(views.ApiView):
    """One request."""

    resource = "api_log"

    @extend_schema(responses=schema.answer("api_log", log_shapes.ApiLogShape))
    def get(self, request: Request, request_id: str) -> Response:
        """Show a request by its id; the newest one, where a client gave several the same."""
        (content,) = log_shapes.api_logs([logs.request(request_id)])
        return Response({"api_log": content})


class SecurityLogs(views.ApiView):
    """What concerned keys, people and their rights."""

    resource = "security_log"

    @extend_schema(
        parameters=schema.filters("from_date", "to_date", many=("user_ids", "api_key_ids", "log_types", "log_events")),
        responses=schema.page("security_logs", log_shapes.SecurityLogShape),
    )
    def get(self, request: Request) -> Response:
        """List entries, newest first. The days are of UTC, both included."""
        since, until = _time(request)
        people = _some(request, "user_ids")
        if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in people):
            raise _refused("user_ids")
        wanted = logs.SecurityFilter(
            since=since,
            until=until,
            user_ids=[int(one) for one in people],
            api_key_ids=[_id(one, "api_key_ids") for one in _some(request, "api_key_ids")],
            kinds=params.texts(request, "log_types", allowed=SecurityLog.Kind.values),
            events=_some(request, "log_events"),
        )
        return pagination.paginated(request, logs.security(wanted), "security_logs", log_shapes.security_logs)


class OneSecurityLog(views.ApiView):
    """One entry."""

    resource = "security_log"

    @extend_schema(responses=schema.answer("security_log", log_shapes.SecurityLogShape))
    def get(self, request: Request, log_id: str) -> Response:
        """Show an entry."""
        (content,) = log_shapes.security_logs([logs.security_entry(params.uuid(log_id))])
        return Response({"security_log": content})


def _time(request: Request) -> tuple[datetime | None, datetime | None]:
    """Return the half-open time of ``from_date`` and ``to_date``; a day alone as the end is included."""
    since, until = params.instant(request, "from_date"), params.instant(request, "to_date")
    is_day = "T" not in (params.text(request, "to_date") or "T")
    return since, until + _DAY if until is not None and is_day else until


def _some(request: Request, name: str) -> list[str]:
    found = params.texts(request, name)
    if len(found) > _MOST:
        raise errors.Invalid("validation_errors", "This lists too many.", {name: ["invalid_count"]})
    return found


def _id(given: str, name: str) -> UUID:
    found = params.uuid(given)
    if found is None:
        raise _refused(name)
    return found


def _either(words: tuple[str, ...]) -> tuple[str, ...]:
    return (*words, *(word.upper() for word in words))


def _refused(name: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", f"The parameter {name} is not valid.", {name: ["value_is_invalid"]})
