"""Subscriptions in the admin: the list, the page with what was billed and what is used, and both ends of their life."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from billing.admin import (
    activation_verbs,
    advance_fees,
    alert_blocks,
    customer_glance,
    entitlements,
    fixed_charges,
    own_terms_blocks,
    shown,
    simulations,
    timeline_blocks,
    upcoming_blocks,
    usage_blocks,
    usage_thresholds,
)
from billing.admin.activation_verbs import DeclineActivation
from billing.admin.alert_verbs import AddAlert, SetSpendCap
from billing.admin.entitlements import AgreeFeatures
from billing.admin.fixed_charges import ChangeUnits
from billing.admin.late_usage_verbs import SetSubscriptionPolicy
from billing.admin.own_terms_verbs import AgreeTerms, EndTerms
from billing.admin.pause_verbs import Pause, Resume
from billing.admin.plan_change_verbs import CancelChange, ChangePlan
from billing.admin.subscription_verbs import CreateSubscription, Terminate
from billing.admin.term_verbs import CallOffEnd, ChangeTerms
from billing.admin.usage_thresholds import AgreeThresholds
from billing.models import BilledPeriod, Subscription
from catalog.models import Plan, PlanVersion
from config.kernel import dates
from config.platform.admin import cells, filters, history, pages, theme, verbs
from config.platform.admin.blocks import Fact, Facts, Figure, Figures, Page, Tab
from customers.queries import custom_sections, searching

PERIODS = 60


class PlanFilter(theme.DropdownFilter):
    """The plan, whatever its version."""

    title = "plan"
    parameter_name = "plan"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The plans that exist."""
        rows = Plan.objects.filter(deleted_at__isnull=True).order_by("name")
        return [(str(pk), name) for pk, name in rows.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        """Narrow to it."""
        chosen = self.value()
        if not chosen or not chosen.isdecimal():
            return queryset
        return queryset.filter(plan_version__in=PlanVersion.objects.filter(plan_id=int(chosen[:18])))


@pages.register(Subscription)
class SubscriptionAdmin(searching.IndexedSearch, pages.PageAdmin):
    """Subscriptions."""

    list_display = ("subscription", "customer_named", "plan", "status_shown", "started", "next_billing")
    list_filter = (
        ("status", theme.ChoicesDropdownFilter),
        PlanFilter,
        ("customer", theme.AutocompleteSelectFilter),
        ("billing_time", theme.ChoicesDropdownFilter),
        ("next_billing_date", theme.RangeDateFilter),
        ("started_at", filters.DayRangeFilter),
    )
    list_select_related = ("customer__billing_entity", "plan_version__plan")
    search_fields = search_starts = ("external_id", "name", "purchase_order_number")
    search_help_text = "Beginning of id, name or purchase order, or customer"
    ordering = ("-created_at", "-id")
    list_verbs = (CreateSubscription(),)
    verbs = (
        ChangePlan(),
        CancelChange(),
        ChangeTerms(),
        ChangeUnits(),
        AgreeTerms(),
        EndTerms(),
        AgreeFeatures(),
        DeclineActivation(),
        AgreeThresholds(),
        AddAlert(),
        SetSpendCap(),
        SetSubscriptionPolicy(),
        Pause(),
        Resume(),
        CallOffEnd(),
        Terminate(),
    )
    prominent = ("change_plan", "pause", "resume", "decline")
    panels = "billing.subscription"
    empty_text = "A subscription is a customer's contract on a plan. Make one here or through the API."

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """The page that plays plans and contracts, and parts of pages: the next invoices, the usage of a customer."""
        return (
            ("of-customer/<int:customer_id>/usage/", customer_glance.usage_view, "customer_usage"),
            ("simulation/", functools.partial(simulations.view, self), "simulation"),
            ("<path:object_id>/upcoming/", functools.partial(upcoming_blocks.view, self), "upcoming"),
        )

    @theme.display(description="Subscription", ordering="external_id")
    def subscription(self, subscription: Subscription) -> str:
        """Name and external id."""
        return cells.stack(
            cells.nowrap(subscription), cells.nowrap(subscription.external_id) if subscription.name else ""
        )

    @theme.display(description="Customer")
    def customer_named(self, subscription: Subscription) -> str:
        """Whose it is."""
        return subscription.customer.display_name

    @theme.display(description="Plan")
    def plan(self, subscription: Subscription) -> str:
        """Plan and version."""
        version = subscription.plan_version
        return cells.stack(version.plan.name, f"{_version(version)}, {version.get_interval_display()}")

    @theme.display(description="Status", ordering="status")
    def status_shown(self, subscription: Subscription) -> str:
        """Where it is in its life."""
        return shown.status(subscription)

    @theme.display(description="Started", ordering="started_at")
    def started(self, subscription: Subscription) -> str:
        """When service began."""
        return cells.local_day(subscription.started_at, subscription.customer.applicable_timezone)

    @theme.display(description="Next billing", ordering="next_billing_date")
    def next_billing(self, subscription: Subscription) -> str:
        """The local date of the oldest billing day that is not billed yet; of a paused one, when it resumes."""
        if subscription.status == Subscription.Status.PAUSED and subscription.change_date is not None:
            return cells.stack("resumes", cells.day_text(subscription.change_date))
        return cells.day(subscription.next_billing_date)

    def links(self, request: HttpRequest, instance: Subscription) -> tuple[dict[str, Any], ...]:
        """Its events."""
        if not request.user.has_perm("billing.view_usageevent"):
            return ()
        url = reverse("admin:billing_usageevent_changelist")
        return (verbs.link("Events", f"{url}?{urlencode({'subscription': instance.external_id})}", "monitoring"),)

    def page(self, request: HttpRequest, instance: Subscription) -> Page:
        """The contract, its use, what was billed of it, and its history."""
        at = timezone.now()
        billed = (
            BilledPeriod.objects.filter(subscription=instance).select_related("invoice").order_by("-from_at", "-pk")
        )
        periods = list(billed[:PERIODS])
        return Page(
            top=(*activation_verbs.notes(instance), *alert_blocks.notices(instance), _figures(instance)),
            tabs=(
                Tab(
                    "Time line",
                    timeline_blocks.of(
                        instance, chosen=request.GET, at=at, upcoming_url=self.url("upcoming", instance.pk)
                    ),
                ),
                Tab("Usage", usage_blocks.of_subscription(instance, at=at)),
                *_fixed_charges(instance, at),
                *_in_advance(instance),
                *_own_terms(instance),
                *_thresholds(instance, at),
                *_alerts(instance, at),
                Tab(
                    "Billed periods",
                    (shown.periods(periods, title="Billed periods", empty="Nothing was billed of it yet."),),
                    len(periods),
                ),
                Tab("Entitlements", entitlements.blocks(instance)),
                Tab("Details", (_details(instance),)),
                Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
            ),
        )


def _in_advance(subscription: Subscription) -> tuple[Tab, ...]:
    found = advance_fees.blocks(subscription)
    return (Tab("Paid in advance", found),) if found else ()


def _thresholds(subscription: Subscription, at: datetime) -> tuple[Tab, ...]:
    found = usage_thresholds.blocks(subscription, at=at)
    return (Tab("Usage thresholds", found),) if found else ()


def _alerts(subscription: Subscription, at: datetime) -> tuple[Tab, ...]:
    found = alert_blocks.of_subscription(subscription, at=at)
    return (Tab("Alerts", found),) if found else ()


def _own_terms(subscription: Subscription) -> tuple[Tab, ...]:
    found = own_terms_blocks.table(subscription.plan_version)
    return (Tab("Own terms", (found,)),) if found.rows else ()


def _fixed_charges(subscription: Subscription, at: datetime) -> tuple[Tab, ...]:
    found = fixed_charges.table(subscription, at=at)
    return (Tab("Fixed charges", (found,), len(found.rows)),) if found.rows else ()


def _figures(subscription: Subscription) -> Figures:
    version, customer = subscription.plan_version, subscription.customer
    return Figures(
        (
            Figure("Status", shown.status(subscription), _life(subscription)),
            Figure("Customer", cells.to(customer, customer.display_name), customer.external_id),
            Figure("Plan", cells.to(version.plan, version.plan.name), _next_plan(subscription)),
            Figure("Fee", cells.money_text(version.amount), version.get_interval_display()),
            Figure(
                "Next billing",
                cells.EMPTY if subscription.next_billing_date is None else cells.day(subscription.next_billing_date),
                customer.applicable_timezone,
            ),
        )
    )


def _version(version: PlanVersion) -> str:
    return "own terms" if version.base_id is not None else f"version {version.number}"


def _next_plan(subscription: Subscription) -> str:
    version = _version(subscription.plan_version)
    follower = subscription.follower
    if follower is None:
        return version
    name = follower.plan_version.plan.name
    day = subscription.change_day
    return f"{version}, then {name}" if day is None else f"{version}, {name} from {cells.day_text(day)}"


def _life(subscription: Subscription) -> str:
    for label, at in (
        ("ended", subscription.terminated_at),
        ("canceled", subscription.canceled_at),
        ("paused since", subscription.paused_at if subscription.status == Subscription.Status.PAUSED else None),
        ("ends", subscription.ending_at),
        ("since", subscription.started_at),
        ("starts", subscription.subscription_at),
    ):
        if at is not None:
            zone = dates.zone(subscription.customer.applicable_timezone)
            return f"{label} {cells.day_text(dates.local_date(at, zone))}"
    return ""


def _late_usage(subscription: Subscription) -> str:
    policy = subscription.get_late_usage_policy_display()
    below = subscription.late_usage_waive_below
    if below is None:
        return policy
    return f"{policy}: {cells.unit_price_text(below, subscription.plan_version.currency)}"


def _details(subscription: Subscription) -> Facts:
    zone = subscription.customer.applicable_timezone
    return Facts(
        "Contract",
        (
            Fact("External id", cells.code(subscription.external_id)),
            Fact("Name", subscription.name or cells.EMPTY),
            Fact("Purchase order", subscription.purchase_order_number or cells.EMPTY),
            Fact("Billed by", subscription.seller.name),
            Fact("Custom sections", _sections(subscription)),
            Fact("Shares invoices", "yes" if subscription.consolidate_invoice else "no"),
            Fact("Billing time", subscription.get_billing_time_display()),
            Fact("Backdated periods", subscription.get_backdated_billing_display()),
            Fact("Anchor", cells.local_day(subscription.subscription_at, zone)),
            Fact("Started", cells.local_day(subscription.started_at, zone)),
            Fact("Trial until", cells.local_day(subscription.trial_ends_at, zone)),
            Fact("Agreed end", cells.local_day(subscription.ending_at, zone)),
            Fact("Terminated", cells.local_day(subscription.terminated_at, zone)),
            Fact("On termination", subscription.get_on_termination_invoice_display()),
            Fact("Unused time", subscription.get_on_termination_credit_note_display() or cells.EMPTY),
            *_pause(subscription, zone),
            Fact("Ended by", subscription.get_ended_by_display() or cells.EMPTY),
            Fact("Contract", _contract(subscription)),
            Fact("Plan before", _of_chain(subscription.previous)),
            Fact("Plan after", _of_chain(subscription.follower)),
            Fact("Late usage", _late_usage(subscription)),
            Fact("Time zone of its days", zone),
            Fact("Made", cells.instant(subscription.created_at)),
            Fact("Public id", cells.code(subscription.uuid)),
        ),
    )


def _sections(subscription: Subscription) -> str:
    if subscription.custom_section_ids is None:
        return "the customer's"
    found = custom_sections.listed().in_bulk(subscription.custom_section_ids) if subscription.custom_section_ids else {}
    return ", ".join(section.name for section in found.values()) or "none"


def _pause(subscription: Subscription, zone: str) -> tuple[Fact, ...]:
    if not subscription.pause_fee:
        return ()
    return (
        Fact("Paused", cells.local_day(subscription.paused_at, zone)),
        Fact("Fee in the pause", subscription.get_pause_fee_display()),
        Fact("Fee from", cells.day(subscription.fee_from)),
        Fact("Resumes on", cells.day(subscription.change_date)),
    )


def _contract(subscription: Subscription) -> object:
    item = subscription.contract_item
    return cells.EMPTY if item is None else cells.to(item.contract)


def _of_chain(subscription: Subscription | None) -> object:
    if subscription is None:
        return cells.EMPTY
    return cells.to(subscription, subscription.plan_version.plan.name)
