"""The ledger in the admin, for auditors: bookings with their postings, and balances. Only to be read."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from moneyed import Money

from config.platform.admin import cells, filters, pages, theme, verbs
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from customers.models import BillingEntity
from invoicing.admin import shown
from invoicing.domain import ledger as bookings
from invoicing.models import CreditNote, CreditNoteUse, Invoice, LedgerEntry, Payment
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
)
SOURCES = {
    "invoicing.invoice": Invoice,
    "invoicing.payment": Payment,
    "invoicing.creditnote": CreditNote,
    "invoicing.creditnoteuse": CreditNoteUse,
}


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
class LedgerEntryAdmin(pages.PageAdmin):
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
    search_help_text = "Description, such as an invoice number"
    ordering = ("-id",)  # the ledger only grows: the order of booking, which the primary key serves
    empty_text = "The first booking is made when an invoice is issued."

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
        return dict(FACTS).get(entry.fact, entry.fact)

    @theme.display(description="Customer")
    def customer_named(self, entry: LedgerEntry) -> str:
        """Whose it is, and in whose books."""
        return cells.stack(entry.customer.display_name, entry.billing_entity.name)

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
        """The balances."""
        return (verbs.link("Balances", self.url("balances"), "balance"),)

    def further_views(self) -> Sequence[tuple[str, Any, str]]:
        """The balances."""
        return (("balances/", self.balances, "balances"),)

    def page(self, request: HttpRequest, instance: LedgerEntry) -> Page:
        """One booking."""
        facts = Facts(
            "Booking",
            (
                Fact("Description", instance.description),
                Fact("Fact", dict(FACTS).get(instance.fact, instance.fact)),
                Fact("Day", cells.day(instance.accounting_date)),
                Fact("Booked", cells.instant(instance.booked_at)),
                Fact("Customer", cells.to(instance.customer)),
                Fact("Billing entity", cells.to(instance.billing_entity)),
                Fact("Source", _source(instance)),
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


def _source(entry: LedgerEntry) -> str:
    model = SOURCES.get(entry.source_type)
    source = model and model._default_manager.filter(pk=entry.source_id).first()
    source = source.credit_note if isinstance(source, CreditNoteUse) else source
    return cells.to(source) if source else f"{entry.source_type} {entry.source_id}"
