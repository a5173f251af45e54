"""Contracts in the admin: the list with what comes up for renewal, and the page with terms, phases and commitments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from billing.admin import contract_amendment_verbs, contract_blocks, contract_verbs
from billing.models import Contract
from billing.queries import sold_contracts
from billing.services import contract_rows
from config.kernel import dates, registry
from config.platform.admin import blocks, cells, history, pages, theme
from config.platform.admin.blocks import Fact, Facts, Figure, Figures, Page, Row, Tab, Table, columns
from customers.models import Customer
from customers.queries import searching

_ROWS = 25


class RenewalFilter(theme.DropdownFilter):
    """Contracts whose term ends soon."""

    title = "term ends within"
    parameter_name = "ends_within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The horizons."""
        return [(str(days), f"{days} days") for days in sold_contracts.HORIZONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contract]) -> QuerySet[Contract]:
        """Narrow to active ones."""
        chosen = self.value()
        if chosen not in {str(days) for days in sold_contracts.HORIZONS}:
            return queryset
        today = dates.local_date(timezone.now(), timezone.get_current_timezone())
        ids = sold_contracts.to_renew(today=today, days=int(chosen)).values("pk")
        return queryset.filter(pk__in=ids)


@pages.register(Contract)
class ContractAdmin(searching.IndexedSearch, pages.PageAdmin):
    """Contracts."""

    list_display = ("contract", "customer_named", "state_shown", "first_day", "last_day", "at_its_end")
    list_filter = (
        ("state", theme.ChoicesDropdownFilter),
        RenewalFilter,
        ("customer", theme.AutocompleteSelectFilter),
        ("renewal", theme.ChoicesDropdownFilter),
        ("ends_on", theme.RangeDateFilter),
    )
    list_select_related = ("customer__billing_entity",)
    search_fields = search_starts = ("number", "name", "purchase_order_number")
    search_help_text = "Beginning of number, name or purchase order, or customer"
    ordering = ("-created_at", "-id")
    list_verbs = (contract_verbs.CreateContract(),)
    prominent = ("activate", "change_terms", "add_product", "give_notice", "withdraw_notice")
    verbs = (
        contract_verbs.Activate(),
        contract_amendment_verbs.ChangeTerms(),
        contract_amendment_verbs.AddProduct(),
        contract_amendment_verbs.RemoveProduct(),
        contract_amendment_verbs.ChangeCommitment(),
        contract_amendment_verbs.ExtendTerm(),
        contract_verbs.GiveNotice(),
        contract_verbs.WithdrawNotice(),
        contract_verbs.EndEarly(),
        contract_verbs.CancelDraft(),
    )
    panels = "billing.contract"
    empty_text = "A contract sells products for a term, at agreed prices. Make one here or through the API."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contract]:
        """Rows with their notices."""
        return super().get_queryset(request).prefetch_related("notices")

    @theme.display(description="Contract", ordering="number")
    def contract(self, contract: Contract) -> str:
        """Number and name."""
        return cells.stack(cells.nowrap(contract.number), contract.name)

    @theme.display(description="Customer")
    def customer_named(self, contract: Contract) -> str:
        """Whose it is."""
        return contract.customer.display_name

    @theme.display(description="State", ordering="state")
    def state_shown(self, contract: Contract) -> object:
        """Where it is in its life."""
        return contract_blocks.state(contract)

    @theme.display(description="First day", ordering="starts_on")
    def first_day(self, contract: Contract) -> str:
        """The first day of the first term."""
        return cells.day(contract.starts_on)

    @theme.display(description="Last day", ordering="ends_on")
    def last_day(self, contract: Contract) -> str:
        """The last day of the last term so far."""
        return cells.day(contract.ends_on)

    @theme.display(description="At its end")
    def at_its_end(self, contract: Contract) -> str:
        """Whether it renews, and by when notice can be given."""
        return contract_blocks.renewal_text(contract)

    def page(self, request: HttpRequest, instance: Contract) -> Page:
        """The terms, what is committed to, what was amended, and the history."""
        found = sold_contracts.with_content(Contract.objects.filter(pk=instance.pk)).get()
        today = contract_rows.today(found, timezone.now())
        amended = found.amendments.all()
        return Page(
            top=(_figures(found),),
            tabs=(
                Tab("Contract", (contract_blocks.timeline(found, today=today), contract_blocks.phases(found))),
                Tab(
                    "Commitments",
                    (contract_blocks.commitments(found), *contract_blocks.drawn(found)),
                    len(found.commitments.all()),
                ),
                Tab("Amendments", (contract_blocks.amendments(found), contract_blocks.terms(found)), len(amended)),
                Tab("Details", (_details(found),)),
                Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
            ),
        )


def of_customer(customer: Customer) -> Mapping[str, Any] | None:
    """A customer's contracts, on the customer's page."""
    rows = Contract.objects.filter(customer=customer).prefetch_related("notices").order_by("-pk")
    found = list(rows[:_ROWS])
    if not found:
        return None
    table = Table(
        "Contracts",
        columns("Contract", "State", "Term", "At its end"),
        tuple(
            Row(
                (
                    cells.to(one),
                    contract_blocks.state(one),
                    contract_blocks.days(one.starts_on, one.ends_on),
                    contract_blocks.renewal_text(one),
                )
            )
            for one in found
        ),
        action=cells.link(
            "All contracts", f"{reverse('admin:billing_contract_changelist')}?customer__id__exact={customer.pk}"
        ),
    )
    return blocks.panel(table, side="left", place=20)


def _figures(contract: Contract) -> Figures:
    customer = contract.customer
    return Figures(
        (
            Figure("State", contract_blocks.state(contract), contract.number),
            Figure("Customer", cells.to(customer, customer.display_name), customer.external_id),
            Figure("Term", cells.day_text(contract.ends_on), f"from {cells.day_text(contract.starts_on)}"),
            Figure("At its end", contract.get_renewal_display(), contract_blocks.renewal_text(contract)),
            Figure("Uplift", cells.percent_text(contract.uplift_rate), contract.get_uplift_scope_display()),
        )
    )


def _details(contract: Contract) -> Facts:
    return Facts(
        "Contract",
        (
            Fact("Number", cells.code(contract.number)),
            Fact("Name", contract.name),
            Fact("Currency", contract.currency),
            Fact("Months", str(contract.term_months)),
            Fact("Months of a renewal", str(contract.renewal_months)),
            Fact("Notice in days", str(contract.notice_days)),
            Fact("Periods", contract.get_billing_time_display()),
            Fact("Purchase order", contract.purchase_order_number or cells.EMPTY),
            Fact("Terms", contract.terms_text or cells.EMPTY),
            Fact("Time zone of its days", contract.customer.applicable_timezone),
            Fact("Activated", cells.instant(contract.activated_at)),
            Fact("Ended", cells.instant(contract.ended_at)),
            Fact("Made", cells.instant(contract.created_at)),
            Fact("Public id", cells.code(contract.uuid)),
        ),
    )


registry.register_panel("customers.customer", of_customer)
