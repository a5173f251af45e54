"""Reading the log of requests and the security log. Owns their filters; what is in them is written by services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import models

from config.kernel import errors
from config.platform.models import RequestLog, SecurityLog

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class RequestFilter:
    """Which requests are wanted: those since one instant (included) and until another (not), of these kinds."""

    since: datetime | None = None
    until: datetime | None = None
    methods: Sequence[str] = ()
    statuses: Sequence[int] = ()
    is_refused: bool | None = None
    paths: Sequence[str] = ()
    clients: Sequence[str] = ()


@dataclass(frozen=True)
class SecurityFilter:
    """Which security entries are wanted."""

    since: datetime | None = None
    until: datetime | None = None
    user_ids: Sequence[int] = ()
    api_key_ids: Sequence[UUID] = ()
    kinds: Sequence[str] = ()
    events: Sequence[str] = ()


def requests(wanted: RequestFilter) -> models.QuerySet[RequestLog]:
    """Return requests, newest first. A path ending in ``*`` stands for all that begin like it."""
    rows = _within(RequestLog.objects.order_by("-at", "-id"), wanted.since, wanted.until)
    if wanted.methods:
        rows = rows.filter(method__in=wanted.methods)
    outcomes = models.Q(status__in=wanted.statuses)
    if wanted.is_refused is not None:
        outcomes |= models.Q(status__gte=400) if wanted.is_refused else models.Q(status__lt=400)
    if wanted.statuses or wanted.is_refused is not None:
        rows = rows.filter(outcomes)
    if wanted.paths:
        rows = rows.filter(_paths(wanted.paths))
    if wanted.clients:
        rows = rows.filter(client__in=wanted.clients)
    return rows


def request(request_id: str) -> RequestLog:
    """Return a request by its id, the newest where a client used one again. Raises NotFound (`api_log_not_found`)."""
    found = RequestLog.objects.filter(request_id=request_id).order_by("-at", "-id").first()
    if found is None:
        raise errors.NotFound("api_log_not_found", "There is no such request.")
    return found


def security(wanted: SecurityFilter) -> models.QuerySet[SecurityLog]:
    """Return security entries, newest first."""
    rows = SecurityLog.objects.select_related("api_key").order_by("-at", "-id")
    rows = _within(rows, wanted.since, wanted.until)
    if wanted.user_ids:
        rows = rows.filter(user_id__in=wanted.user_ids)
    if wanted.api_key_ids:
        rows = rows.filter(api_key__uuid__in=wanted.api_key_ids)
    if wanted.kinds:
        rows = rows.filter(kind__in=wanted.kinds)
    if wanted.events:
        rows = rows.filter(event__in=wanted.events)
    return rows


def security_entry(log_id: UUID | None) -> SecurityLog:
    """Return a security entry. Raises NotFound (`security_log_not_found`)."""
    rows = SecurityLog.objects.select_related("api_key")
    found = rows.filter(uuid=log_id).first() if log_id is not None else None
    if found is None:
        raise errors.NotFound("security_log_not_found", "There is no such entry.")
    return found


def _paths(paths: Sequence[str]) -> models.Q:
    wanted = models.Q()
    for path in paths:
        wanted |= models.Q(path__startswith=path[:-1]) if path.endswith("*") else models.Q(path=path)
    return wanted


def _within(rows: models.QuerySet[Row], since: datetime | None, until: datetime | None) -> models.QuerySet[Row]:
    if since is not None:
        rows = rows.filter(at__gte=since)
    return rows if until is None else rows.filter(at__lt=until)
