"""The log of webhooks in the admin: each event for each endpoint, with its bytes and every attempt."""

from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldError, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch

from config.platform.admin import cells, filters, pages, theme, webhook_cells, webhook_verbs
from config.platform.admin.blocks import Custom, Fact, Facts, Page, Tab
from config.platform.admin.bulk import BulkVerb
from config.platform.models import WebhookDelivery, WebhookEvent
from config.platform.services import outbox, replays

TEXT_TEMPLATE = "admin/platform/code_text.html"
LONGEST_SHOWN = 200_000


class EventTypeFilter(theme.DropdownFilter):
    """Deliveries of one kind of event. The index by kind serves it."""

    title = "event"
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The kinds that are known."""
        return [(name, name) for name in (*outbox.event_types(), replays.PING)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        """Narrow to the kind."""
        return queryset.filter(event__event_type=self.value()) if self.value() else queryset


class ObjectFilter(theme.TextFilter):
    """Deliveries about one object, by its public id."""

    title = "object id"
    parameter_name = "object_id"

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        """Narrow to the object."""
        given = (self.value() or "").strip()
        keys = [f"{model._meta.label_lower}:{given}" for model in apps.get_models()]
        return queryset.filter(object_key__in=keys) if given and "\x00" not in given else queryset


@pages.register(WebhookDelivery)
class WebhookDeliveryAdmin(pages.PageAdmin):
    """What was told to whom."""

    list_display = ("kind", "about", "happened", "endpoint_cell", "state_cell", "attempts_cell", "next_cell")
    list_filter = (
        ("endpoint", theme.RelatedDropdownFilter),
        ("state", theme.ChoicesDropdownFilter),
        EventTypeFilter,
        ObjectFilter,
        ("event__at", filters.DayRangeFilter),
    )
    list_select_related = ("event", "endpoint")
    ordering = ("-id",)
    verbs = (webhook_verbs.Replay(),)
    bulk_verbs = (BulkVerb(webhook_verbs.Replay(), "Send again"),)
    rows_name = "deliveries"
    empty_title = "Nothing was told yet"
    empty_text = "Once there is an endpoint, everything that happens is listed here with what became of it."

    @theme.display(description="Event")
    def kind(self, delivery: WebhookDelivery) -> str:
        """What happened."""
        return cells.code(delivery.event.event_type)

    @theme.display(description="Object")
    def about(self, delivery: WebhookDelivery) -> str:
        """To what."""
        return _about(delivery.event)

    @theme.display(description="Happened")
    def happened(self, delivery: WebhookDelivery) -> str:
        """When."""
        return cells.instant(delivery.event.at)

    @theme.display(description="Endpoint")
    def endpoint_cell(self, delivery: WebhookDelivery) -> str:
        """Who is told."""
        return delivery.endpoint.name or webhook_cells.address(delivery.endpoint.webhook_url, most=36)

    @theme.display(description="State")
    def state_cell(self, delivery: WebhookDelivery) -> str:
        """How it stands."""
        return webhook_cells.state(delivery)

    @theme.display(description="Attempts")
    def attempts_cell(self, delivery: WebhookDelivery) -> str:
        """How often it was tried."""
        return cells.number(delivery.attempts)

    @theme.display(description="Delivered, or next attempt")
    def next_cell(self, delivery: WebhookDelivery) -> str:
        """When it arrived, or is tried again."""
        if delivery.state == WebhookDelivery.State.PENDING:
            return cells.stack(cells.instant(delivery.next_attempt_at), "next attempt")
        return cells.instant(delivery.delivered_at)

    def page(self, request: HttpRequest, instance: WebhookDelivery) -> Page:
        """The delivery, its attempts, and exactly what is sent."""
        attempts = webhook_cells.attempts(tuple(instance.attempt_log.order_by("-id")[:100]))
        sent = (_headers(instance), *_body(instance.event))
        return Page(tabs=(Tab("Delivery", (_facts(instance), attempts)), Tab("Request", sent)))


def _facts(delivery: WebhookDelivery) -> Facts:
    waits = delivery.state == WebhookDelivery.State.PENDING
    return Facts(
        "Delivery",
        (
            Fact("Event", cells.code(delivery.event.event_type)),
            Fact("Object", _about_whole(delivery.event)),
            Fact("Happened", cells.instant(delivery.event.at)),
            Fact("Endpoint", cells.to(delivery.endpoint)),
            Fact("State", webhook_cells.state(delivery)),
            Fact("Attempts", delivery.attempts),
            Fact("Next attempt", cells.instant(delivery.next_attempt_at) if waits else cells.EMPTY),
            Fact("Delivered", cells.instant(delivery.delivered_at)),
        ),
    )


def _headers(delivery: WebhookDelivery) -> Facts:
    """The headers that stay the same; signatures are made anew for every attempt."""
    headers = {
        "Content-Type": "application/json",
        "X-Lago-Signature-Algorithm": delivery.endpoint.signature_algo,
        "X-Lago-Unique-Key": delivery.event.uuid,
    }
    return Facts("Headers", tuple(Fact(name, cells.code(value)) for name, value in headers.items()))


def _body(event: WebhookEvent) -> tuple[Custom, Custom]:
    pretty = json.dumps(json.loads(event.body), indent=2, ensure_ascii=False)
    size = len(event.body.encode())
    return (
        Custom("Body, to be read", TEXT_TEMPLATE, {"text": pretty[:LONGEST_SHOWN]}),
        Custom(f"Body, exactly as it is sent ({size:,} bytes)", TEXT_TEMPLATE, {"text": event.body[:LONGEST_SHOWN]}),
    )


def _about(event: WebhookEvent) -> str:
    """What it happened to, short enough for a list; the whole id shows on pointing."""
    public_id = event.object_key.rpartition(":")[2]
    return cells.stack(_kind(event), cells.hinted(cells.nowrap(f"{public_id[:8]}…"), public_id))


def _about_whole(event: WebhookEvent) -> str:
    """What it happened to, with the way to its page."""
    label, _, public_id = event.object_key.rpartition(":")
    found = _found(label, public_id)
    return cells.stack(_kind(event) if found is None else cells.link(_kind(event), found), public_id)


def _kind(event: WebhookEvent) -> str:
    return event.object_type.replace("_", " ")


def _found(label: str, public_id: str) -> str | None:
    """The address of an object's page, None where it has none or is no more."""
    try:
        found = apps.get_model(label)._default_manager.filter(uuid=public_id).only("pk").first()
        return None if found is None else cells.page_url(found)
    except (LookupError, ValueError, ValidationError, FieldError, NoReverseMatch):
        return None
