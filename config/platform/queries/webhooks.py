"""Reading webhooks: endpoints and how they are, events with their deliveries, and how many were delivered when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models.functions import TruncHour

from config.kernel import db, errors
from config.platform.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

State = WebhookDelivery.State
NOT_ARRIVED = (State.FAILED, State.DROPPED)


def endpoints() -> models.QuerySet[WebhookEndpoint]:
    """The endpoints that were not deleted, the newest first."""
    return WebhookEndpoint.objects.filter(deleted_at__isnull=True)


def endpoint(*, uuid: UUID | None) -> WebhookEndpoint:
    """Return an endpoint by its public id. Raises NotFound."""
    found = None if uuid is None else endpoints().filter(uuid=uuid).first()
    if found is None:
        raise errors.NotFound("webhook_endpoint_not_found")
    return found


def urls() -> list[str]:
    """Return the addresses of all endpoints, the oldest first."""
    return list(endpoints().order_by("created_at", "id").values_list("webhook_url", flat=True))


def event(*, uuid: UUID | None) -> WebhookEvent:
    """Return an event with its deliveries by its public id. Raises NotFound."""
    found = None if uuid is None else events().filter(uuid=uuid).first()
    if found is None:
        raise errors.NotFound("webhook_event_not_found")
    return found


def events(
    *,
    types: Sequence[str] = (),
    object_types: Sequence[str] = (),
    object_id: UUID | None = None,
    states: Sequence[str] = (),
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> models.QuerySet[WebhookEvent]:
    """Events with their deliveries and endpoints, the newest first, narrowed by what is given.

    ``states`` are of any of its deliveries; the time is half-open.
    """
    found = WebhookEvent.objects.order_by("-id").prefetch_related(
        models.Prefetch("deliveries", WebhookDelivery.objects.select_related("endpoint").order_by("id"))
    )
    if types:
        found = found.filter(event_type__in=types)
    if object_types:
        found = found.filter(object_type__in=object_types)
    if object_id is not None:
        found = found.filter(object_key__in=_keys(object_id))
    if states:
        wanted = WebhookDelivery.objects.filter(event=models.OuterRef("pk"), state__in=states)
        found = found.filter(models.Exists(wanted))
    if from_at is not None:
        found = found.filter(at__gte=from_at)
    return found if to_at is None else found.filter(at__lt=to_at)


def not_arrived(*, endpoint_id: int, since: datetime) -> models.QuerySet[WebhookDelivery]:
    """What an endpoint should have got of events since then, and did not: given up, or dropped. Oldest first."""
    return WebhookDelivery.objects.filter(endpoint=endpoint_id, state__in=NOT_ARRIVED, event__at__gte=since).order_by(
        "id"
    )


def waiting(*, endpoint_ids: Sequence[int]) -> dict[int, int]:
    """Return how many deliveries wait, by endpoint. One query on an index of what waits."""
    rows = WebhookDelivery.objects.filter(endpoint__in=endpoint_ids, state=State.PENDING)
    counted = rows.order_by().values("endpoint").annotate(count=models.Count("pk"))
    return {row["endpoint"]: row["count"] for row in counted}


def oldest_waiting(*, endpoint_id: int) -> datetime | None:
    """Return when what waits for an endpoint began to, None where nothing does."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint_id, state=State.PENDING)
    return rows.aggregate(oldest=models.Min("created_at"))["oldest"]


def attempts_by_hour(*, endpoint_id: int, until: datetime, hours: int) -> dict[datetime, tuple[int, int]]:
    """Return how many attempts succeeded and failed, by the hour (UTC) in which they began, every hour included."""
    last = until.replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(hours=hours - 1)
    good = models.Q(status__gte=200, status__lt=300)
    rows = (
        WebhookAttempt.objects.filter(delivery__endpoint=endpoint_id, at__gte=first, at__lte=until)
        .order_by()
        .values(hour=TruncHour("at"))
        .annotate(good=models.Count("pk", filter=good), all=models.Count("pk"))
    )
    counted = {row["hour"]: (row["good"], row["all"] - row["good"]) for row in rows}
    return {hour: counted.get(hour, (0, 0)) for hour in (first + timedelta(hours=number) for number in range(hours))}


def _keys(object_id: UUID) -> list[str]:
    """The keys that objects of this public id may have: the index is by the whole key."""
    return [f"{model._meta.label_lower}:{object_id}" for model in apps.get_models() if issubclass(model, db.Base)]
