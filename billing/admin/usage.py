"""Usage events in the admin: the newest ones, by day, with what nobody counts marked and counted."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from billing.admin import usage_blocks, usage_events, usage_not_billable
from billing.models import EventCorrection, EventKey, Subscription, UsageEvent
from billing.queries import dashboard, usage_counts
from billing.queries import usage_not_billable as not_billable
from billing.queries.usage_counts import Days
from billing.queries.usage_not_billable import Reason
from catalog.models import BillableMetric
from config.kernel import dates
from config.platform.admin import cells, filters, later, pages, paginators, theme
from config.platform.admin.blocks import Block, Page
from config.platform.admin.cells import Tone

DAYS = 60
CACHE_SECONDS = 60
"""A minute old is new enough."""


class CodeFilter(theme.DropdownFilter):
    """The code of the events, by the metrics that read them."""

    title = "code"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The codes that metrics read."""
        rows = BillableMetric.objects.filter(deleted_at__isnull=True).order_by("event_code")
        return [(code, code) for code in rows.values_list("event_code", flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
        """Narrow to it."""
        return queryset.filter(code=self.value()) if self.value() else queryset


class SubscriptionFilter(theme.TextFilter):
    """The subscription that the events name; an index leads to them."""

    title = "subscription id"
    parameter_name = "subscription"

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
        """Narrow to it."""
        return queryset.filter(external_subscription_id=self.value()) if self.value() else queryset


_LARGEST = Decimal(10) ** 25
_BEYOND = Q(value__gte=_LARGEST) | Q(value__lte=-_LARGEST)
"""What no invoice line can hold, whatever it costs."""
_ELIGIBLE = Q(has_metric=True, replaced_at__isnull=True, failures__isnull=True) & ~(Q(value__isnull=False) & _BEYOND)
"""Events with no other reason of their own for not being billed."""


def _corrected(rows: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
    """The newest corrections lead to their events."""
    instants = list(EventCorrection.objects.values_list("event_timestamp", flat=True)[:500])
    return rows.filter(timestamp__in=instants, replaced_at__isnull=False)


class MatchFilter(filters.ChoiceFilter):
    """Events that no metric or no subscription takes, or without a computed property, of the last sixty days."""

    title = "match"
    parameter_name = "match"
    options = (
        ("metric", "No metric", lambda rows: _lacking(rows, Reason.METRIC).filter(has_metric=False)),
        (
            "subscription",
            "No subscription",
            lambda rows: _lacking(rows, Reason.SUBSCRIPTION).filter(has_subscription=False, is_paused=False),
        ),
        ("paused", "Paused", lambda rows: _lacking(rows, Reason.PAUSED).filter(has_subscription=False, is_paused=True)),
        ("time", "Time not billed", lambda rows: _lacking(rows, Reason.TIME).filter(is_passed=True)),
        (
            "price",
            "Billed before its price",
            lambda rows: _lacking(rows, Reason.PRICE).filter(_ELIGIBLE, is_unpriced=True),
        ),
        ("expression", "Not computed", lambda rows: _recent(rows).filter(failures__isnull=False)),
        ("value", "Value too large", lambda rows: _recent(rows).filter(_BEYOND, replaced_at__isnull=True)),
        ("corrected", "Withdrawn or amended", _corrected),
    )


def _lacking(rows: QuerySet[UsageEvent], reason: Reason) -> QuerySet[UsageEvent]:
    return usage_counts.lacking(rows, reason, at=timezone.now())


def _recent(rows: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
    return rows.filter(timestamp__gte=timezone.now() - timedelta(days=DAYS))


class _Judged(paginators.QuietChangeList):
    """Says of the events of one page whether anybody counts them: asked of all, the database would prepare for all."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the page, and read its events again with what was found of each. One query more."""
        super().get_results(request)
        shown = list(self.result_list)
        instants, keys = {one.timestamp for one in shown}, [one.id for one in shown]
        rows = UsageEvent.objects.filter(timestamp__in=instants, id__in=keys)
        found = {one.id: one for one in self.model_admin.judged(rows)}
        self.result_list = [found[key] for key in keys if key in found]


@pages.register(UsageEvent)
class UsageEventAdmin(pages.PageAdmin):
    """Usage events. The page of one is reached by its instant and id, which only the two together are quick to find."""

    list_display = ("moment", "event_code", "subscription", "counted", "shown_properties", "transaction", "received")
    list_display_links = None
    list_filter = (CodeFilter, SubscriptionFilter, ("timestamp", filters.DayRangeFilter), MatchFilter)
    search_fields = ("transaction_id",)
    search_help_text = "Transaction id or subscription id"
    ordering = ("-timestamp",)
    paginator = paginators.BoundedPaginator
    list_before_template = "admin/platform/list_blocks.html"
    verbs = (usage_events.Withdraw(),)
    empty_title = "No usage yet"
    empty_text = "Send events to /api/v1/events with an API key; they show here at once."

    def get_queryset(self, request: HttpRequest) -> QuerySet[UsageEvent]:
        """Events; with whether anybody counts them where the list is narrowed to that, and of a single one."""
        rows = super().get_queryset(request)
        is_list = request.resolver_match is not None and "object_id" not in request.resolver_match.kwargs
        return rows if is_list and not request.GET.get(MatchFilter.parameter_name) else self.judged(rows)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[paginators.QuietChangeList]:
        """The list, which judges the events of its page only."""
        return _Judged

    def judged(self, events: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
        """Events with whether anybody counts them."""
        metrics = BillableMetric.objects.filter(event_code=OuterRef("code"), deleted_at__isnull=True)
        running = Q(terminated_at__isnull=True) | Q(terminated_at__gt=OuterRef("timestamp"))
        subscriptions = Subscription.objects.filter(
            running, external_id=OuterRef("external_subscription_id"), started_at__lte=OuterRef("timestamp")
        )
        rows = not_billable.in_pause(not_billable.in_passed_time(events))
        rows = not_billable.with_price(rows)
        return rows.annotate(has_metric=Exists(metrics), has_subscription=Exists(subscriptions))

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Newest first; the id only parts what happened at the same instant."""
        return [F("timestamp").desc()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UsageEvent], search_term: str
    ) -> tuple[QuerySet[UsageEvent], bool]:
        """Find by transaction id, whose key tells the instant, or by subscription id. Both have indexes."""
        term = search_term.strip()
        if not term or "\x00" in term:
            return queryset, False
        instants = list(EventKey.objects.filter(transaction_id=term).values_list("timestamp", flat=True)[:20])
        return queryset.filter(Q(transaction_id=term, timestamp__in=instants) | Q(external_subscription_id=term)), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below the number of events by day, which are counted after the list is there."""
        shown = [later.place(request, self.url("counts"), "Usage events by day")]
        return super().changelist_view(request, {"list_blocks": shown, **(extra_context or {})})

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """The piece above the list."""
        return (("counts/", require_safe(self.counts_view), "counts"),)

    def counts_view(self, request: HttpRequest) -> HttpResponse:
        """How many events cannot be billed, and how many there are of each day, of what the list is narrowed to."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return later.answer(request, [*usage_not_billable.blocks(at=timezone.now()), _chart(request)])

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> UsageEvent | None:
        """The event of an address, which then is its key on the page."""
        found = usage_events.read_address(object_id)
        if found is None:
            return None
        event = self.get_queryset(request).filter(timestamp=found[0], id=found[1]).first()
        if event is not None:
            event.pk = usage_events.address(event)
        return event

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Events are not edited: what happened to one is told on its page."""
        return HttpResponseRedirect(self.url("change", object_id))

    def page(self, request: HttpRequest, instance: Any) -> Page:
        """What was sent and what happened to it."""
        hint = "" if instance.has_charge else _NO_CHARGE
        return usage_events.page(instance, problem=_problem(instance), hint=hint)

    @theme.display(description="Time")
    def moment(self, event: UsageEvent) -> str:
        """When it happened."""
        return cells.instant(event.timestamp)

    @theme.display(description="Code")
    def event_code(self, event: UsageEvent) -> str:
        """What it is."""
        return cells.code(event.code)

    @theme.display(description="Subscription")
    def subscription(self, event: UsageEvent) -> str:
        """Whose it is."""
        return cells.nowrap(event.external_subscription_id)

    @theme.display(description="Counted")
    def counted(self, event: Any) -> str:
        """Whether anybody counts it, and if not, why."""
        if event.replaced_at is not None:
            return cells.badge("corrected", Tone.NEUTRAL)
        problem = _problem(event)
        if not problem and not event.has_charge:
            return cells.hinted(cells.badge("no charge", Tone.NEUTRAL), _NO_CHARGE)
        if not problem:
            return cells.badge("counted", Tone.GOOD)
        if problem == _UNPRICED:
            return cells.hinted(cells.badge("billed before its price", Tone.WARN), problem)
        if event.has_metric and event.has_subscription and event.failures is not None:
            return cells.hinted(cells.badge("not computed", Tone.WARN), _reasons(event.failures))
        return cells.badge(problem, Tone.WARN)

    @theme.display(description="Properties")
    def shown_properties(self, event: UsageEvent) -> str:
        """What it says, shortened."""
        text = json.dumps(event.properties, ensure_ascii=False, sort_keys=True)
        return cells.hinted(text if len(text) <= 90 else f"{text[:89]}…", text[:2000])

    @theme.display(description="Transaction")
    def transaction(self, event: UsageEvent) -> str:
        """Its own id."""
        shown = cells.link(event.transaction_id[:36], self.url("change", usage_events.address(event)))
        return cells.hinted(shown, event.transaction_id)

    @theme.display(description="Received")
    def received(self, event: UsageEvent) -> str:
        """When it arrived."""
        return cells.instant(event.received_at)


_UNPRICED = "not billed: its time was billed before its price came"
_NO_CHARGE = "No charge of the plan counts it: it bills nothing."


def _problem(event: Any) -> str:
    """Why nobody can bill an event, in a word or two; nothing where it counts."""
    if not event.has_metric:
        return "no metric"
    if not event.has_subscription:
        return "subscription paused" if event.is_paused else "no subscription"
    if event.failures is not None:
        return "not computed"
    if event.value is not None and abs(event.value) >= _LARGEST:
        return "value too large"
    if event.is_passed:
        return "time not billed"
    return _UNPRICED if event.is_unpriced else ""


def _reasons(failures: Mapping[str, Mapping[str, Any]]) -> str:
    """What could not be computed, and why, in the words of the expression language."""
    return "; ".join(
        f"{name}: {failure['problem']} (character {failure['position']} of the expression)"
        for name, failure in failures.items()
    )


def _chart(request: HttpRequest) -> Block:
    zone = dates.zone(timezone.get_current_timezone_name())
    at = timezone.now()
    last = dates.local_date(at, zone)
    first = last - timedelta(days=DAYS - 1)
    subscription = request.GET.get("subscription", "").replace("\x00", "")
    code = request.GET.get("code", "").replace("\x00", "")
    if subscription:
        events = dashboard.events_by_day(
            first=first, last=last, tz=zone, external_subscription_ids=[subscription], code=code or None
        )
        counts = Days(events)
    else:
        counted = functools.partial(usage_counts.by_day, first=first, last=last, tz=zone, at=at, code=code or None)
        counts = counted() if code else cache.get_or_set(f"usage:events:{last}:{zone}", counted, CACHE_SECONDS)
    note = "" if counts.counted_at is None else f"Counted {cells.instant_text(counts.counted_at)}."
    return usage_blocks.chart(counts.events, empty="No events in the last sixty days.", note=note)
