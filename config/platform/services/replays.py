"""Sending webhooks again, and trying an endpoint out. Owns what may be sent again and to whom; sending is delivery's.

What is sent again is the same event with the same bytes and the same unique key, so a receiver that had it knows it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from config.kernel import db, errors, jobs
from config.kernel.actors import Actor
from config.platform.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from config.platform.queries import installation, webhooks
from config.platform.services import audit, delivery_sending, webhook_endpoints
from config.platform.services.delivery_sending import Attempt, Parcel, Target

PING = "webhook_endpoint.ping"
"""The type of the event that tries an endpoint out. No filter keeps it back, and nothing else causes it."""

TEST_SECONDS = 10
State = WebhookDelivery.State


@transaction.atomic
def event(*, event_id: int, actor: Actor, at: datetime, endpoint_id: int | None = None) -> WebhookEvent:
    """Send an event again to the endpoints it was for, or to the one named, even if it was never meant for that.

    What waits is sent at once. Paused and deleted endpoints are left out. Raises NotFound, NotAllowed where no
    endpoint is left.
    """
    found = WebhookEvent.objects.filter(pk=event_id).first()
    if found is None:
        raise errors.NotFound("webhook_event_not_found")
    meant_for = found.deliveries.values_list("endpoint_id", flat=True)
    wanted = list(meant_for) if endpoint_id is None else [endpoint_id]
    usable = [one for one in _locked(wanted) if one.disabled_at is None]
    if not usable:
        raise errors.NotAllowed("no_active_webhook_endpoint", "All endpoints it was for are paused or deleted.")
    known = set(found.deliveries.filter(endpoint__in=usable).values_list("endpoint_id", flat=True))
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(event=found, endpoint=one, object_key=found.object_key, next_attempt_at=at, created_at=at)
        for one in usable
        if one.pk not in known
    )
    _again(found.deliveries.filter(endpoint__in=usable), at)
    audit.record(
        actor=actor, at=at, verb="replay", instance=found, new={"endpoints": [one.webhook_url for one in usable]}
    )
    return webhooks.event(uuid=found.uuid)


@transaction.atomic
def delivery(*, delivery_id: int, actor: Actor, at: datetime) -> WebhookDelivery:
    """Send one delivery again. Raises NotFound, NotAllowed where its endpoint is paused or deleted."""
    found = WebhookDelivery.objects.filter(pk=delivery_id).select_related("endpoint", "event").first()
    if found is None:
        raise errors.NotFound("webhook_delivery_not_found")
    _locked([found.endpoint_id])
    found.endpoint.refresh_from_db()
    webhook_endpoints.demand_active(found.endpoint)
    _again(WebhookDelivery.objects.filter(pk=delivery_id), at)
    audit.record(
        actor=actor,
        at=at,
        verb="replay",
        instance=found.event,
        old={"state": found.state},
        new={"endpoints": [found.endpoint.webhook_url]},
    )
    found.refresh_from_db()
    return found


@transaction.atomic
def what_did_not_arrive(*, endpoint_id: int, since: datetime, actor: Actor, at: datetime) -> int:
    """Send again what an endpoint did not get of events since then, in order, and return how many they are.

    Raises NotFound, NotAllowed where it is paused or deleted.
    """
    locked = _locked([endpoint_id])
    if not locked:
        raise errors.NotFound("webhook_endpoint_not_found")
    webhook_endpoints.demand_active(locked[0])
    count = _again(webhooks.not_arrived(endpoint_id=endpoint_id, since=since), at)
    audit.record(actor=actor, at=at, verb="replay", instance=locked[0], new={"since": since, "events": count})
    return count


def test(*, endpoint_id: int, actor: Actor, at: datetime) -> Attempt:
    """Send an endpoint a ping, wait for the answer some seconds, and return how it went. It is in the log like others.

    Paused endpoints can be tried too. Call it outside of a transaction. Raises NotFound.
    """
    endpoint = webhooks.endpoints().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise errors.NotFound("webhook_endpoint_not_found")
    key = uuid4()
    body = _ping(endpoint)
    target = Target(endpoint.pk, endpoint.webhook_url, endpoint.signature_algo)
    attempt = delivery_sending.once(target, Parcel(0, 0, key, body), at=at, timeout=TEST_SECONDS)
    with transaction.atomic():
        made = WebhookEvent.objects.create(
            uuid=key,
            event_type=PING,
            object_type="webhook_endpoint",
            object_key=f"{endpoint._meta.label_lower}:{endpoint.uuid}",
            at=at,
            created_at=at,
            body=body,
        )
        over = attempt.at + timedelta(milliseconds=attempt.milliseconds)
        one = WebhookDelivery.objects.create(
            event=made,
            endpoint=endpoint,
            object_key=made.object_key,
            state=State.DELIVERED if attempt.is_delivered else State.FAILED,
            attempts=1,
            next_attempt_at=over,
            delivered_at=over if attempt.is_delivered else None,
            created_at=at,
        )
        WebhookAttempt.objects.create(
            delivery=one,
            at=attempt.at,
            created_at=attempt.at,
            milliseconds=attempt.milliseconds,
            status=attempt.status,
            error=attempt.error,
            answer=attempt.answer,
        )
        audit.record(actor=actor, at=at, verb="test", instance=endpoint, new={"status": attempt.status})
    return attempt


def _locked(endpoint_ids: Collection[int]) -> list[WebhookEndpoint]:
    return db.lock(webhooks.endpoints().filter(pk__in=endpoint_ids))


def _again(deliveries: models.QuerySet[WebhookDelivery], at: datetime) -> int:
    """Make deliveries wait anew. Those that wait already keep their count of attempts and whoever is sending them."""
    keys = list(deliveries.values_list("pk", flat=True))
    rows = WebhookDelivery.objects.filter(pk__in=keys)
    over = rows.exclude(state=State.PENDING).update(
        state=State.PENDING, attempts=0, next_attempt_at=at, delivered_at=None, claimed_until=None
    )
    waiting = rows.filter(state=State.PENDING).update(next_attempt_at=at)
    if over or waiting:
        jobs.enqueue("config.platform.tasks.deliver_webhooks")
    return waiting


def _ping(endpoint: WebhookEndpoint) -> str:
    organization = str(installation.current().uuid)
    told = {
        "webhook_type": PING,
        "object_type": "webhook_endpoint",
        "organization_id": organization,
        "webhook_endpoint": {
            "lago_id": endpoint.uuid,
            "lago_organization_id": organization,
            "webhook_url": endpoint.webhook_url,
            "signature_algo": endpoint.signature_algo,
            "name": endpoint.name or None,
            "event_types": endpoint.event_types,
        },
    }
    return json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
