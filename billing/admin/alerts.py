"""Alerts in the admin: one alert with what it told, and the list of all that alerts told."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from billing.admin import alert_blocks
from billing.admin.alert_verbs import ChangeAlert, DeleteAlert
from billing.models import TriggeredAlert, UsageAlert
from billing.queries import alerts as known
from config.platform.admin import cells, filters, pages, theme, verbs
from config.platform.admin.blocks import Block, Fact, Facts, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone

_FIRINGS = 100


@pages.register(UsageAlert)
class UsageAlertAdmin(pages.PageAdmin):
    """Alerts that were agreed."""

    list_display = ("alert", "customer_named", "watches", "state", "looked_at")
    list_filter = (
        ("alert_type", theme.ChoicesDropdownFilter),
        ("customer", theme.AutocompleteSelectFilter),
    )
    list_select_related = ("customer", "metric")
    search_fields = ("code", "name", "external_subscription_id", "customer__name", "customer__external_id")
    search_help_text = "Alert, subscription or customer"
    ordering = ("-created_at", "-id")
    verbs = (ChangeAlert(), DeleteAlert())
    empty_title = "No alerts"
    empty_text = "An alert tells when the usage of a subscription reaches a value. Add one on its page, or by the API."

    @theme.display(description="Alert", ordering="code")
    def alert(self, row: UsageAlert) -> str:
        """Name and code."""
        return cells.stack(str(row), row.code if row.name else "")

    @theme.display(description="Customer")
    def customer_named(self, row: UsageAlert) -> str:
        """Whose it is."""
        return cells.stack(row.customer.display_name, row.external_subscription_id)

    @theme.display(description="Watches", ordering="alert_type")
    def watches(self, row: UsageAlert) -> str:
        """What of the usage."""
        return alert_blocks.watched(row)

    @theme.display(description="State")
    def state(self, row: UsageAlert) -> str:
        """Whether it watches, and how often it told."""
        return _state(row)

    @theme.display(description="Looked at", ordering="last_processed_at")
    def looked_at(self, row: UsageAlert) -> str:
        """When its usage was looked at last."""
        return cells.instant(row.last_processed_at)

    def links(self, request: HttpRequest, instance: UsageAlert) -> tuple[dict[str, Any], ...]:
        """Its subscription."""
        found = known.subscription_of(instance)
        return () if found is None else (verbs.link("Subscription", cells.page_url(found), "autorenew"),)

    def page(self, request: HttpRequest, instance: UsageAlert) -> Page:
        """What it watches, and what it told."""
        rows = list(known.triggered().filter(alert=instance)[:_FIRINGS])
        return Page(top=(_facts(instance),), tabs=(Tab("Told", (alert_blocks.firings(rows),), len(rows)),))


@pages.register(TriggeredAlert)
class TriggeredAlertAdmin(pages.PageAdmin):
    """What alerts told."""

    list_display = ("alert_named", "customer_named", "crossed_values", "value_now", "when")
    list_filter = (
        ("alert_type", theme.ChoicesDropdownFilter),
        ("subscription__customer", theme.AutocompleteSelectFilter),
        ("triggered_at", filters.DayRangeFilter),
    )
    search_fields = ("alert_code", "alert_name", "subscription__external_id", "subscription__customer__name")
    search_help_text = "Alert, subscription or customer"
    ordering = ("-triggered_at", "-id")
    list_before_template = "admin/platform/list_blocks.html"
    empty_title = "No alert has fired"
    empty_text = "When the usage of a subscription reaches a value that an alert watches for, it is shown here."

    def get_queryset(self, request: HttpRequest) -> QuerySet[TriggeredAlert]:
        """Firings with all that a row tells of them."""
        return known.triggered()

    def list_links(self, request: HttpRequest) -> tuple[dict[str, Any], ...]:
        """The alerts themselves."""
        return (verbs.link("Alerts", _alerts_url(), "notifications"),)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what could not be looked at."""
        return super().changelist_view(request, {"list_blocks": _failed(), **(extra_context or {})})

    @theme.display(description="Alert", ordering="alert_code")
    def alert_named(self, row: TriggeredAlert) -> str:
        """Name, and what it watches."""
        kind = row.get_alert_type_display()
        return cells.stack(str(row), f"{kind}: {row.metric_code}" if row.metric_code else kind)

    @theme.display(description="Customer")
    def customer_named(self, row: TriggeredAlert) -> str:
        """Whose usage it is."""
        return cells.stack(row.subscription.customer.display_name, row.subscription.external_id)

    @theme.display(description="Crossed")
    def crossed_values(self, row: TriggeredAlert) -> str:
        """The values that were reached."""
        return alert_blocks.crossed(row)

    @theme.display(description="Usage", ordering="current_value")
    def value_now(self, row: TriggeredAlert) -> str:
        """What there was, and what there is now."""
        before = alert_blocks.value(row.previous_value, row.alert_type, row.currency)
        now = alert_blocks.value(row.current_value, row.alert_type, row.currency)
        return cells.stack(now, f"{before} before")

    @theme.display(description="When", ordering="triggered_at")
    def when(self, row: TriggeredAlert) -> str:
        """When it fired."""
        return cells.instant(row.triggered_at)

    def page(self, request: HttpRequest, instance: TriggeredAlert) -> Page:
        """The firing as it was."""
        zone = instance.subscription.customer.applicable_timezone
        return Page(
            top=(
                Facts(
                    "Alert",
                    (
                        Fact("Alert", cells.to(instance.alert, str(instance))),
                        Fact("Watches", instance.get_alert_type_display()),
                        Fact("Metric", instance.metric_code or cells.EMPTY),
                        Fact("Subscription", cells.to(instance.subscription)),
                        Fact("Fired", cells.instant(instance.triggered_at)),
                        Fact("Crossed", alert_blocks.crossed(instance)),
                        Fact("Period", cells.period_text(instance.period_from_at, instance.period_to_at, zone)),
                        Fact("Public id", cells.code(instance.uuid)),
                    ),
                ),
                alert_blocks.firings([instance]),
            )
        )


def _alerts_url() -> str:
    return reverse("admin:billing_usagealert_changelist")


def _state(alert: UsageAlert) -> str:
    if alert.deleted_at is not None:
        return cells.badge("deleted", Tone.NEUTRAL)
    return cells.badge(f"fired {alert.firings} times" if alert.firings else "watches", Tone.INFO)


def _facts(alert: UsageAlert) -> Facts:
    found = known.subscription_of(alert)
    currency = "" if found is None else found.plan_version.currency
    return Facts(
        "Alert",
        (
            Fact("Code", cells.code(alert.code)),
            Fact("Name", alert.name or cells.EMPTY),
            Fact("Watches", alert_blocks.watched(alert)),
            Fact("Values", alert_blocks.thresholds(alert, currency) if currency else cells.EMPTY),
            Fact("State", _state(alert)),
            Fact("Customer", cells.to(alert.customer, alert.customer.display_name)),
            Fact("Subscription", cells.EMPTY if found is None else cells.to(found)),
            Fact("Looked at", cells.instant(alert.last_processed_at)),
            Fact("Made", cells.instant(alert.created_at)),
            Fact("Public id", cells.code(alert.uuid)),
        ),
    )


def _failed() -> list[Block]:
    rows = tuple(Row((cells.to(one.subscription), one.error)) for one in known.failed()[:20])
    return [Table("Could not be looked at", columns("Subscription", "Why"), rows)] if rows else []
