"""Parked accounts in the admin: who waits, why, since when, for how much money; and the banner on a customer's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from moneyed import Money

from billing.admin.parked_verbs import ParkCustomer, Release
from billing.models import ParkedAccount
from billing.queries import parked_accounts as known
from billing.queries import parked_money
from config.kernel import registry
from config.platform.admin import blocks, cells, filters, history, pages, theme
from config.platform.admin.blocks import Fact, Facts, Figure, Figures, Note, Page, Tab
from config.platform.admin.bulk import BulkVerb
from config.platform.admin.cells import Tone
from customers.models import Customer

LONG_DAYS = 30
"""After so many days a parking is told in red: somebody forgot it."""


class ParkedFilter(filters.ChoiceFilter):
    """Those that wait, unless those that were released are asked for."""

    title = "state"
    parameter_name = "state"
    all_option = ["", "Parked"]
    options = (
        ("released", "Released", lambda rows: rows.filter(released_at__isnull=False)),
        ("all", "All", lambda rows: rows),
    )

    @staticmethod
    def unset(rows: QuerySet[ParkedAccount]) -> QuerySet[ParkedAccount]:
        """Leave out what was released."""
        return rows.filter(released_at__isnull=True)


@pages.register(ParkedAccount)
class ParkedAccountAdmin(pages.PageAdmin):
    """Parked accounts."""

    list_display = ("customer_named", "why", "since", "age_count", "until_shown", "waiting_amount", "state")
    list_filter = (ParkedFilter, ("customer", theme.AutocompleteSelectFilter), ("parked_at", filters.DayRangeFilter))
    search_fields = ("customer__name", "customer__legal_name", "customer__external_id", "reason")
    search_help_text = "Customer or reason"
    ordering = ("-parked_at", "-id")
    list_verbs = (ParkCustomer(),)
    verbs = (Release(),)
    bulk_verbs = (BulkVerb(Release(), "Release"),)
    empty_title = "No account is parked"
    empty_text = (
        "Park an account whose invoice needs a question answered first: billing runs leave it out, with your reason, "
        "and everybody else is billed."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ParkedAccount]:
        """Parkings, released ones too, with the money that waits."""
        return parked_money.with_money(known.parked(released=True))

    @theme.display(description="Customer", ordering="customer__name")
    def customer_named(self, row: ParkedAccount) -> str:
        """Whom."""
        return cells.stack(row.customer.display_name, row.customer.external_id)

    @theme.display(description="Reason")
    def why(self, row: ParkedAccount) -> str:
        """Why, shortened."""
        return row.reason if len(row.reason) <= 120 else cells.hinted(f"{row.reason[:117]}…", row.reason)

    @theme.display(description="Since", ordering="parked_at")
    def since(self, row: ParkedAccount) -> str:
        """Since when and by whom."""
        return cells.stack(cells.instant(row.parked_at), row.parked_label)

    @theme.display(description="Age", ordering="-parked_at")
    def age_count(self, row: ParkedAccount) -> str:
        """How many days it waits, or waited."""
        return _age(row)

    @theme.display(description="Until", ordering="until")
    def until_shown(self, row: ParkedAccount) -> str:
        """When it is released by itself."""
        return cells.day(row.until) if row.until else cells.muted("released by hand")

    @theme.display(description="Money waiting")
    def waiting_amount(self, row: ParkedAccount) -> str:
        """What it is about: as rehearsed, or else as much as last time."""
        return _money(row)

    @theme.display(description="State", ordering="released_at")
    def state(self, row: ParkedAccount) -> str:
        """Whether it waits still."""
        return _state(row)

    def page(self, request: HttpRequest, instance: ParkedAccount) -> Page:
        """Why it waits, and how it ended."""
        released = (
            (
                Fact("Released", cells.instant(instance.released_at)),
                Fact("Released by", instance.released_label),
                Fact("Why released", instance.release_reason or cells.EMPTY),
            )
            if instance.released_at
            else ()
        )
        return Page(
            top=(
                Figures(
                    (
                        Figure("Customer", cells.to(instance.customer, instance.customer.display_name)),
                        Figure("State", _state(instance), f"since {cells.instant_text(instance.parked_at)}"),
                        Figure("Days", _age(instance), "parked"),
                        Figure("Money waiting", _money(instance), _money_of(instance)),
                    )
                ),
                Note(instance.reason, Tone.WARN if instance.released_at is None else Tone.NEUTRAL),
                Facts(
                    "Parking",
                    (
                        Fact("Parked by", instance.parked_label),
                        Fact("Parked", cells.instant(instance.parked_at)),
                        Fact("Until", self.until_shown(instance)),
                        Fact("From the rehearsal", cells.to(instance.rehearsal)),
                        *released,
                    ),
                ),
            ),
            tabs=(Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),),
        )


def of_customer(customer: Customer) -> Mapping[str, Any] | None:
    """The banner on the page of a customer that is parked; nothing on that of another."""
    row = known.of_customer(customer_id=customer.pk)
    if row is None:
        return None
    until = "it is released" if row.until is None else cells.day_text(row.until)
    text = format_html(
        "Parked by {} on {} until {}: {} {}",
        row.parked_label,
        cells.day_of(row.parked_at),
        until,
        row.reason,
        cells.to(row, "Look at it or release it"),
    )
    return blocks.panel(Note(text, Tone.WARN))


def _age(row: ParkedAccount) -> SafeString:
    days = ((row.released_at or timezone.now()) - row.parked_at).days
    return cells.number(days)


def _state(row: ParkedAccount) -> SafeString:
    if row.released_at is not None:
        return cells.badge("released")
    is_long = (timezone.now() - row.parked_at).days >= LONG_DAYS
    return cells.badge("parked for long" if is_long else "parked", Tone.BAD if is_long else Tone.WARN)


def _money(row: Any) -> SafeString:
    if row.rehearsed is not None:
        return cells.money(Money(row.rehearsed, row.rehearsed_currency))
    return cells.EMPTY if row.last is None else cells.money(Money(row.last, row.last_currency))


def _money_of(row: Any) -> str:
    if row.rehearsed is not None:
        return "as it was rehearsed"
    return "nothing was billed yet" if row.last is None else "as much as the last invoice"


registry.register_panel("customers.customer.banner", of_customer)
