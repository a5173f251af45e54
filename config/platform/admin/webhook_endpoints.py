"""Webhook endpoints in the admin: how each is, what it gets, and everything that can be done with one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.platform.admin import cells, filters, history, pages, theme, webhook_cells, webhook_verbs
from config.platform.admin.blocks import (
    Block,
    Chart,
    Fact,
    Facts,
    Figure,
    Figures,
    Note,
    Page,
    Row,
    Series,
    Tab,
    Table,
    columns,
)
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import changelist_url, link
from config.platform.models import WebhookDelivery, WebhookEndpoint
from config.platform.queries import webhooks

HOURS = 48
LATEST = 10


@pages.register(WebhookEndpoint)
class WebhookEndpointAdmin(pages.PageAdmin):
    """Webhook endpoints."""

    list_display = ("endpoint", "told", "health", "last_delivered", "waiting", "failing")
    list_filter = (filters.RetiredFilter,)
    search_fields = ("webhook_url", "name")
    ordering = ("-created_at", "-id")
    list_verbs = (webhook_verbs.MakeEndpoint(), webhook_verbs.ShowKeys())
    verbs = (
        webhook_verbs.ChangeEndpoint(),
        webhook_verbs.TestEndpoint(),
        webhook_verbs.SendAgain(),
        webhook_verbs.PauseEndpoint(),
        webhook_verbs.ResumeEndpoint(),
        webhook_verbs.DropWaiting(),
        webhook_verbs.DeleteEndpoint(),
    )
    prominent = ("change_endpoint", "test", "send_again")
    panels = "platform.webhookendpoint"
    empty_title = "No webhook endpoint yet"
    empty_text = "An endpoint is an address of yours that is told of what happens here, as it happens."

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        """All endpoints. There are few, and each shows how much waits for it."""
        self.counted = webhooks.waiting(endpoint_ids=list(webhooks.endpoints().values_list("pk", flat=True)))
        return super().get_queryset(request)

    def list_links(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """The log."""
        return (link("Deliveries", changelist_url(WebhookDelivery), "receipt"),)

    @theme.display(description="Endpoint")
    def endpoint(self, endpoint: WebhookEndpoint) -> str:
        """Its name and address."""
        shown = webhook_cells.address(endpoint.webhook_url)
        return cells.stack(endpoint.name, shown) if endpoint.name else cells.stack(shown, "")

    @theme.display(description="Is told of")
    def told(self, endpoint: WebhookEndpoint) -> str:
        """Which events."""
        return webhook_cells.types(endpoint)

    @theme.display(description="State")
    def health(self, endpoint: WebhookEndpoint) -> str:
        """How it is."""
        return webhook_cells.health(endpoint, at=timezone.now())

    @theme.display(description="Last success")
    def last_delivered(self, endpoint: WebhookEndpoint) -> str:
        """When it last took something."""
        return cells.instant(endpoint.last_delivered_at)

    @theme.display(description="Waiting")
    def waiting(self, endpoint: WebhookEndpoint) -> str:
        """How many deliveries wait for it."""
        return cells.number(self.counted.get(endpoint.pk, 0))

    @theme.display(description="Failing since")
    def failing(self, endpoint: WebhookEndpoint) -> str:
        """Since when nothing arrived that was sent."""
        return cells.instant(endpoint.failing_since)

    def links(self, request: HttpRequest, instance: WebhookEndpoint) -> Sequence[dict[str, Any]]:
        """Its part of the log."""
        return (link("Deliveries", deliveries_url(instance), "receipt"),)

    def page(self, request: HttpRequest, instance: WebhookEndpoint) -> Page:
        """How it is, the last days as a chart, the latest deliveries, its settings and its history."""
        at = timezone.now()
        overview = (_figures(instance, at), *_warnings(instance), _chart(instance, at), _latest(instance))
        settings = (_facts(instance, at), history.recent(instance, self.url("history", instance.pk)))
        return Page(tabs=(Tab("Deliveries", overview), Tab("Settings", settings)))


def deliveries_url(endpoint: WebhookEndpoint) -> str:
    """The address of the deliveries to an endpoint."""
    return f"{changelist_url(WebhookDelivery)}?endpoint__id__exact={endpoint.pk}"


def _figures(endpoint: WebhookEndpoint, at: datetime) -> Figures:
    waiting = webhooks.waiting(endpoint_ids=[endpoint.pk]).get(endpoint.pk, 0)
    oldest = webhooks.oldest_waiting(endpoint_id=endpoint.pk)
    return Figures(
        (
            Figure("State", webhook_cells.health(endpoint, at=at)),
            Figure(
                "Waiting",
                waiting,
                hint=f"the oldest since {cells.instant_text(oldest)}" if oldest else "",
                tone=Tone.WARN if waiting else Tone.NEUTRAL,
                url=f"{deliveries_url(endpoint)}&state__exact=pending",
            ),
            Figure("Last success", cells.instant(endpoint.last_delivered_at)),
            Figure("Failing since", cells.instant(endpoint.failing_since)),
        )
    )


def _warnings(endpoint: WebhookEndpoint) -> Sequence[Block]:
    if endpoint.deleted_at is not None:
        return (Note("It was deleted and is told nothing more.", Tone.WARN),)
    if endpoint.disabled_at is not None:
        return (Note("It is paused: what happens meanwhile waits until it is resumed.", Tone.WARN),)
    if endpoint.failures and endpoint.resting_until is not None:
        again = cells.instant_text(endpoint.resting_until)
        return (Note(f"It does not answer. After {again} it is tried with one delivery.", Tone.BAD),)
    return ()


def _chart(endpoint: WebhookEndpoint, at: datetime) -> Chart:
    hours = webhooks.attempts_by_hour(endpoint_id=endpoint.pk, until=at, hours=HOURS)
    return Chart(
        f"Attempts in the last {HOURS} hours",
        tuple(f"{timezone.localtime(hour):%d %b %H:00}" for hour in hours),
        (
            Series("delivered", tuple(good for good, _ in hours.values()), tone="good"),
            Series("failed", tuple(bad for _, bad in hours.values()), tone="bad"),
        ),
        stacked=True,
        height=200,
        empty=f"Nothing was sent in the last {HOURS} hours.",
    )


def _latest(endpoint: WebhookEndpoint) -> Table:
    rows = endpoint.deliveries.select_related("event").order_by("-id")[:LATEST]
    return Table(
        "Latest deliveries",
        columns("Event", "Happened", "State", "Attempts#"),
        tuple(
            Row(
                (
                    cells.to(one, one.event.event_type),
                    cells.instant(one.event.at),
                    webhook_cells.state(one),
                    one.attempts,
                )
            )
            for one in rows
        ),
        empty="Nothing has happened yet that it is told of. A test shows whether it answers.",
        action=cells.link("All", deliveries_url(endpoint)),
    )


def _facts(endpoint: WebhookEndpoint, at: datetime) -> Facts:
    wanted = endpoint.event_types
    return Facts(
        "Endpoint",
        (
            Fact("Name", endpoint.name or cells.EMPTY),
            Fact("Address", cells.code(endpoint.webhook_url)),
            Fact("Signed as", endpoint.get_signature_algo_display()),
            Fact("Is told of", "all events" if wanted is None else ", ".join(wanted)),
            Fact("State", webhook_cells.health(endpoint, at=at)),
            Fact("Made", cells.instant(endpoint.created_at)),
            Fact("Changed", cells.instant(endpoint.updated_at)),
            Fact("Id", cells.code(endpoint.uuid)),
        ),
    )
