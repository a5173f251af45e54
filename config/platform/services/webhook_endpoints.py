"""Webhook endpoints: making, changing, pausing, resuming and deleting the addresses that are told of events."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction

from config.kernel import db, errors, jobs
from config.kernel.actors import Actor
from config.platform.models import WebhookDelivery, WebhookEndpoint
from config.platform.queries import webhooks
from config.platform.services import audit, installation, outbox, uniqueness

MOST = 10
ALL = "*"
LONGEST_URL, LONGEST_NAME = 2048, 255


class EndpointValues(TypedDict, total=False):
    """What an endpoint is made of. ``event_types`` None, or one that is ``*``, is all of them."""

    webhook_url: str
    signature_algo: str | None
    name: str
    event_types: Sequence[str] | None


@transaction.atomic
def create(*, values: EndpointValues, actor: Actor, at: datetime) -> WebhookEndpoint:
    """Make an endpoint; it is told of what happens from now on. At most ten. Raises Invalid with codes per field."""
    content = _checked({"webhook_url": "", **values})
    installation.ensure(at=at)
    db.advisory_lock("webhook_endpoints")
    if webhooks.endpoints().count() >= MOST:
        message = f"There can be {MOST} webhook endpoints at most."
        raise errors.Invalid("webhook_endpoints_limit_reached", message, {"base": ["exceeded_limit"]})
    endpoint = WebhookEndpoint(**content, created_at=at, updated_at=at)
    with uniqueness.told(platform_webhookendpoint_url="webhook_url"):
        endpoint.save(force_insert=True)
    audit.record(actor=actor, at=at, verb="create", instance=endpoint, new=content)
    return endpoint


@transaction.atomic
def update(*, endpoint_id: int, values: EndpointValues, actor: Actor, at: datetime) -> WebhookEndpoint:
    """Change what ``values`` holds. What waits is sent to the new address, at once if the old one did not answer.

    Raises NotFound, Invalid with codes per field.
    """
    endpoint = _locked(endpoint_id)
    content = _checked(values)
    old = {name: getattr(endpoint, name) for name, value in content.items() if getattr(endpoint, name) != value}
    new = {name: content[name] for name in old}
    if not new:
        return endpoint
    for name, value in new.items():
        setattr(endpoint, name, value)
    fields = [*new, "updated_at"]
    if "webhook_url" in new:
        fields += _well(endpoint)
    endpoint.updated_at = at
    with uniqueness.told(platform_webhookendpoint_url="webhook_url"):
        endpoint.save(update_fields=fields)
    audit.record(actor=actor, at=at, verb="update", instance=endpoint, old=old, new=new)
    if "webhook_url" in new:
        _wake(endpoint, at)
    return endpoint


@transaction.atomic
def name_first(*, webhook_url: str, actor: Actor, at: datetime) -> WebhookEndpoint:
    """Make this the address of the oldest endpoint, or of a new one where there is none. Raises as `create` does."""
    first = webhooks.endpoints().order_by("created_at", "id").first()
    if first is None:
        return create(values={"webhook_url": webhook_url}, actor=actor, at=at)
    return update(endpoint_id=first.pk, values={"webhook_url": webhook_url}, actor=actor, at=at)


@transaction.atomic
def delete(*, endpoint_id: int, actor: Actor, at: datetime, reason: str = "") -> WebhookEndpoint:
    """Tell an endpoint nothing more. What waits for it is dropped; what was told stays in the log. Raises NotFound."""
    endpoint = _locked(endpoint_id)
    endpoint.deleted_at = endpoint.updated_at = at
    endpoint.save(update_fields=["deleted_at", "updated_at"])
    dropped = _drop(endpoint)
    audit.record(actor=actor, at=at, verb="delete", instance=endpoint, new={"dropped": dropped}, reason=reason)
    return endpoint


@transaction.atomic
def pause(*, endpoint_id: int, actor: Actor, at: datetime, reason: str = "") -> WebhookEndpoint:
    """Send an endpoint nothing until it is resumed: what waits and what happens meanwhile is kept for it.

    Raises NotFound, NotAllowed where it is paused.
    """
    endpoint = _locked(endpoint_id)
    demand_active(endpoint)
    endpoint.disabled_at = endpoint.updated_at = at
    endpoint.save(update_fields=["disabled_at", "updated_at"])
    audit.record(actor=actor, at=at, verb="pause", instance=endpoint, reason=reason)
    return endpoint


@transaction.atomic
def resume(*, endpoint_id: int, actor: Actor, at: datetime, reason: str = "") -> WebhookEndpoint:
    """Send a paused endpoint what waits for it, in order, and what happens from now on.

    Raises NotFound, NotAllowed where it is not paused.
    """
    endpoint = _locked(endpoint_id)
    demand_paused(endpoint)
    endpoint.disabled_at, endpoint.updated_at = None, at
    endpoint.save(update_fields=["disabled_at", "updated_at", *_well(endpoint)])
    audit.record(actor=actor, at=at, verb="resume", instance=endpoint, reason=reason)
    _wake(endpoint, at)
    return endpoint


@transaction.atomic
def drop_waiting(*, endpoint_id: int, actor: Actor, at: datetime, reason: str = "") -> int:
    """Drop what waits for an endpoint, paused or not, and return how many that are. They stay in the log.

    What happens afterwards it is told as before. Raises NotFound.
    """
    endpoint = _locked(endpoint_id)
    dropped = _drop(endpoint)
    audit.record(actor=actor, at=at, verb="drop waiting", instance=endpoint, new={"dropped": dropped}, reason=reason)
    return dropped


@transaction.atomic
def note_keys_shown(*, actor: Actor, at: datetime) -> None:
    """Keep in the audit trail that somebody looked at the keys that sign webhooks."""
    audit.record(actor=actor, at=at, verb="show webhook keys", instance=installation.ensure(at=at))


def demand_active(endpoint: WebhookEndpoint) -> None:
    """Refuse an endpoint that is paused or deleted. Raises NotAllowed."""
    if endpoint.deleted_at is not None:
        raise errors.NotAllowed("webhook_endpoint_deleted", "The endpoint was deleted.")
    if endpoint.disabled_at is not None:
        raise errors.NotAllowed("webhook_endpoint_paused", "The endpoint is paused.")


def demand_paused(endpoint: WebhookEndpoint) -> None:
    """Refuse an endpoint that is not paused. Raises NotAllowed."""
    if endpoint.deleted_at is not None or endpoint.disabled_at is None:
        raise errors.NotAllowed("webhook_endpoint_not_paused", "The endpoint is not paused.")


def _locked(endpoint_id: int) -> WebhookEndpoint:
    try:
        return db.lock_one(webhooks.endpoints().filter(pk=endpoint_id))
    except WebhookEndpoint.DoesNotExist as error:
        raise errors.NotFound("webhook_endpoint_not_found") from error


def _well(endpoint: WebhookEndpoint) -> list[str]:
    """Forget that an endpoint did not answer, and return the fields that say so."""
    endpoint.failures, endpoint.resting_until, endpoint.failing_since = 0, None, None
    return ["failures", "resting_until", "failing_since"]


def _waiting(endpoint: WebhookEndpoint) -> Any:
    return WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.PENDING)


def _drop(endpoint: WebhookEndpoint) -> int:
    return int(_waiting(endpoint).update(state=WebhookDelivery.State.DROPPED, claimed_until=None))


def _wake(endpoint: WebhookEndpoint, at: datetime) -> None:
    if _waiting(endpoint).update(next_attempt_at=at):
        jobs.enqueue("config.platform.tasks.deliver_webhooks")


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as they are stored. Raises Invalid with codes per field."""
    content, refused = dict(values), dict[str, list[str]]()
    if "webhook_url" in content:
        content["webhook_url"] = (content["webhook_url"] or "").strip()
        if code := _refused_url(content["webhook_url"]):
            refused["webhook_url"] = [code]
    if "signature_algo" in content:
        content["signature_algo"] = content["signature_algo"] or WebhookEndpoint.SignatureAlgorithm.JWT.value
        if content["signature_algo"] not in WebhookEndpoint.SignatureAlgorithm.values:
            refused["signature_algo"] = ["value_is_invalid"]
    if "name" in content:
        content["name"] = content["name"] or ""
        if len(content["name"]) > LONGEST_NAME:
            refused["name"] = ["value_is_too_long"]
    if "event_types" in content:
        content["event_types"] = _types(content["event_types"])
        if not set(content["event_types"] or ()) <= outbox.event_types().keys():
            refused["event_types"] = ["invalid_types"]
    if refused:
        raise errors.Invalid("validation_errors", "", refused)
    return content


def _types(wanted: Sequence[str] | None) -> list[str] | None:
    """Return the types in order, None for all of them."""
    return None if not wanted or ALL in wanted else sorted(set(wanted))


def _refused_url(url: str) -> str | None:
    if not url:
        return "value_is_mandatory"
    if len(url.encode("utf-8", "replace")) > LONGEST_URL:  # bytes: addresses are unique by an index
        return "value_is_too_long"
    try:
        parts = urllib.parse.urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return "url_is_invalid"
    is_plain = url.isprintable() and " " not in url and "\\" not in url
    return None if parts.scheme in ("http", "https") and parts.hostname and is_plain else "url_is_invalid"
