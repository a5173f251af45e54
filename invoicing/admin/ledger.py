"""The ledger in the admin: bookings with their postings, balances, and the way to its reports.

What documents booked is only to be read; what people book by hand is `manual_entries'.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html_join
from moneyed import Money

from config.platform.admin import cells, filters, pages, theme, verbs
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from customers.models import BillingEntity
from customers.queries import searching
from invoicing.admin import customer_glance, customer_statements, ledger_reports, manual_entries, shown
from invoicing.domain import ledger as bookings
from invoicing.domain import standalone
from invoicing.models import LedgerEntry, ManualEntry
from invoicing.queries import ledger

FACTS = (
    (bookings.FINALIZED, "Invoice issued"),
    (bookings.PAID, "Payment received"),
    (bookings.HELD, "Payment held"),
    (bookings.HELD_USED, "Held payment used"),
    (bookings.CREDITED, "Credit note issued"),
    (bookings.CREDIT_USED, "Credit used"),
    (bookings.CREDIT_VOIDED, "Credit voided"),
    (bookings.REFUNDED, "Refund paid"),
    (bookings.PREPAID_USED, "Prepaid credit used"),
    (bookings.PREPAID_EXPIRED, "Prepaid credit expired"),
    (bookings.CREDITS_USED, "Wallet credits used"),
    (bookings.CREDITS_RETURNED, "Wallet credits returned"),
    (bookings.CREDITS_LOST, "Wallet credits lost"),
    (bookings.VOIDED, "Invoice voided"),
    (bookings.RELEASED, "Payment released"),
    (bookings.HELD_REFUNDED, "Held payment refunded"),
    (bookings.CREDIT_GIVEN_BACK, "Credit given back"),
    (bookings.PREPAID_GIVEN_BACK, "Prepaid credit given back"),
    (bookings.DISPUTE_OPENED, "Dispute opened"),
    (bookings.DISPUTE_ENDED, "Dispute ended"),
    (bookings.WRITTEN_OFF, "Written off"),
    (bookings.WRITE_OFF_UNDONE, "Write-off undone"),
    (bookings.MANUAL, "Booked by hand"),
    (bookings.REVERSED, "Manual booking taken back"),
    (standalone.DUE, "Fee due"),
    (standalone.CHANGED, "Payment of a fee changed"),
    (standalone.TAKEN_BACK, "Fee taken back"),
)
OWNERS = ("credit_note", "invoice", "line", "wallet", "payment")
"""Where a source has no page of its own, the page of what it belongs to is shown."""


class FactFilter(theme.DropdownFilter):
    """What was booked."""

    title = "fact"
    parameter_name = "fact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The facts that are booked."""
        return FACTS

    def queryset(self, request: HttpRequest, queryset: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
        """Narrow to it."""
        return queryset.filter(fact=self.value()) if self.value() else queryset


@pages.register(LedgerEntry)
class LedgerEntryAdmin(searching.IndexedSearch, pages.PageAdmin):
    """Bookings."""

    list_display = ("booking", "booked_on", "fact_shown", "customer_named", "accounts", "booked_amount")
    list_filter = (
        FactFilter,
        ("accounting_date", theme.RangeDateFilter),
        ("booked_at", filters.DayRangeFilter),
        ("billing_entity", theme.RelatedDropdownFilter),
        ("customer", theme.AutocompleteSelectFilter),
    )
    list_select_related = ("customer", "billing_entity")
    search_fields = ("description",)
    search_ends = ("description",)
    search_help_text = "End of the description, such as an invoice number, or customer"
    ordering = ("-id",)  # the ledger only grows: the order of booking, which the primary key serves
    empty_text = "The first booking is made when an invoice is issued."
    list_verbs = (manual_entries.PostByHand(),)
    verbs = (manual_entries.TakeBack(),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        """Bookings with their postings."""
        return super().get_queryset(request).prefetch_related("postings__account")

    @theme.display(description="Booking")
    def booking(self, entry: LedgerEntry) -> str:
        """What it says."""
        return entry.description

    @theme.display(description="Day", ordering="accounting_date")
    def booked_on(self, entry: LedgerEntry) -> str:
        """The day of the books."""
        return cells.day(entry.accounting_date)

    @theme.display(description="Fact", ordering="fact")
    def fact_shown(self, entry: LedgerEntry) -> str:
        """What happened."""
        return _fact(entry)

    @theme.display(description="Customer")
    def customer_named(self, entry: LedgerEntry) -> str:
        """Whose it is, and in whose books."""
        named = entry.customer.display_name if entry.customer else "no customer"
        return cells.stack(named, entry.billing_entity.name)

    @theme.display(description="Accounts")
    def accounts(self, entry: LedgerEntry) -> str:
        """Debited accounts to credited ones."""
        sides = [posting.account.name for posting in _sorted(entry)]
        return format_html_join(cells.muted(" · "), "{}", ((side,) for side in sides))

    @theme.display(description="Amount")
    def booked_amount(self, entry: LedgerEntry) -> str:
        """The sum of the debits."""
        return cells.money(_debits(entry))

    def list_links(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """The reports, and what the ledger is made of."""
        more = {
            "Accounts": ("invoicing_ledgeraccount_changelist", "account_tree"),
            "Exports": ("invoicing_journalexport_changelist", "ios_share"),
        }
        found = [
            verbs.link("Balances", self.url("balances"), "balance"),
            verbs.link("Trial balance", self.url("trial_balance"), "balance"),
            verbs.link("Open items", self.url("ageing"), "hourglass_bottom"),
            verbs.link("Revenue", self.url("revenue"), "monitoring"),
        ]
        return [*found, *(verbs.link(title, reverse(f"admin:{name}"), icon) for title, (name, icon) in more.items())]

    def further_views(self) -> Sequence[tuple[str, Any, str]]:
        """The balances and reports."""
        return (
            ("balances/", self.balances, "balances"),
            ("trial-balance/", functools.partial(ledger_reports.balance_view, self), "trial_balance"),
            ("ageing/", functools.partial(ledger_reports.ageing_view, self), "ageing"),
            ("revenue/", functools.partial(ledger_reports.revenue_view, self), "revenue"),
            ("customer/<int:customer_id>/balance/", customer_glance.balance_view, "customer_balance"),
            ("customer/<int:customer_id>/", functools.partial(customer_statements.view, self), "customer_statement"),
        )

    def page(self, request: HttpRequest, instance: LedgerEntry) -> Page:
        """One booking."""
        facts = Facts(
            "Booking",
            (
                Fact("Description", instance.description),
                Fact("Fact", _fact(instance)),
                Fact("Day", cells.day(instance.accounting_date)),
                Fact("Booked", cells.instant(instance.booked_at)),
                Fact("Customer", cells.to(instance.customer)),
                Fact("Billing entity", cells.to(instance.billing_entity)),
                Fact("Source", _source(instance)),
                *_reason(instance),
            ),
        )
        rows = [
            Row((f"{posting.account.code} {posting.account.name}", shown.debit(posting), shown.credit(posting)))
            for posting in _sorted(instance)
        ]
        total = cells.money(_debits(instance))
        rows.append(Row(("Sum", total, total), is_total=True))
        postings = Table("Postings", columns("Account", "Debit#", "Credit#"), tuple(rows))
        return Page(tabs=(Tab("Booking", (facts, postings)),))

    def balances(self, request: HttpRequest) -> HttpResponse:
        """What stands on every account, and that all of it together is nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": "Balances",
            "opts": self.opts,
            "blocks": _balance_blocks(),
        }
        return TemplateResponse(request, "admin/platform/plain.html", context)


def _balance_blocks() -> list[Block]:
    off = ledger.out_of_balance()
    verdict = Note("The ledger is in balance: all postings sum to zero in every currency.", Tone.GOOD)
    if off:
        verdict = Note(f"The ledger is off by {', '.join(map(cells.money_text, off.values()))}.", Tone.BAD)
    names = dict(BillingEntity.objects.values_list("pk", "name"))
    rows: list[Row] = []
    seller = None
    for balance in ledger.balances():
        if balance.billing_entity_id != seller:
            seller = balance.billing_entity_id
            rows.append(Row((names[seller], "", "", ""), is_group=True))
        rows.append(
            Row(
                (
                    f"{balance.code} {balance.name}",
                    balance.amount.currency.code,
                    cells.money(balance.amount) if balance.amount.amount > 0 else "",
                    cells.money(-balance.amount) if balance.amount.amount < 0 else "",
                )
            )
        )
    table = Table(
        "Balances", columns("Account", "Currency", "Debit#", "Credit#"), tuple(rows), empty="Nothing is booked yet."
    )
    return [verdict, table]


def _sorted(entry: LedgerEntry) -> list[Any]:
    return sorted(entry.postings.all(), key=lambda posting: (posting.amount.amount < 0, posting.pk))


def _debits(entry: LedgerEntry) -> Money | None:
    amounts = [posting.amount for posting in entry.postings.all() if posting.amount.amount > 0]
    if not amounts:
        return None
    return Money(sum((amount.amount for amount in amounts), Decimal(0)), amounts[0].currency)


def _fact(entry: LedgerEntry) -> str:
    return dict(FACTS).get(entry.fact) or entry.fact.replace("_", " ").capitalize()


def _reason(entry: LedgerEntry) -> tuple[Fact, ...]:
    if entry.source_type != ManualEntry._meta.label_lower:
        return ()
    manual = ManualEntry.objects.filter(pk=entry.source_id).first()
    return () if manual is None else (Fact("Reason", manual.reason),)


def _source(entry: LedgerEntry) -> str:
    model = apps.get_model(entry.source_type)
    source = model._default_manager.filter(pk=entry.source_id).first()
    for shown_one in (source, *(getattr(source, name, None) for name in OWNERS)):
        if shown_one is not None and type(shown_one) in admin.site._registry:
            return cells.to(shown_one)
    return f"{entry.source_type} {entry.source_id}"
