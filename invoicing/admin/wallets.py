"""Wallets in the admin: a list, a page, and what can be done with one."""

from __future__ import annotations

from django.http import HttpRequest
from moneyed import Money

from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Note, Page, Tab
from config.platform.admin.cells import Tone
from customers.queries import searching
from invoicing.admin import wallet_blocks, wallet_rule_verbs, wallet_verbs
from invoicing.admin.filters import CurrencyFilter
from invoicing.models import Wallet, WalletTransaction


@pages.register(Wallet)
class WalletAdmin(searching.IndexedSearch, pages.PageAdmin):
    """Wallets."""

    list_display = ("named", "customer_named", "status_shown", "pays", "priority", "ends", "used", "ongoing", "left")
    list_filter = (
        ("status", theme.ChoicesDropdownFilter),
        ("customer", theme.AutocompleteSelectFilter),
        ("billing_entity", theme.RelatedDropdownFilter),
        CurrencyFilter,
    )
    list_select_related = ("customer", "billing_entity")
    search_fields = search_starts = ("name", "code")
    search_help_text = "Beginning of name or code, or customer"
    ordering = ("-created_at", "-id")
    list_verbs = (wallet_verbs.CreateWallet(),)
    verbs = (
        wallet_verbs.TopUpWallet(),
        wallet_verbs.GrantCredits(),
        wallet_verbs.VoidCredits(),
        wallet_verbs.ChangeWallet(),
        wallet_rule_verbs.AgreeRule(),
        wallet_rule_verbs.EndRule(),
        wallet_verbs.TerminateWallet(),
    )
    panels = "invoicing.wallet"
    empty_text = "Make one: it takes credits that customers buy or are given, and pays their invoices."

    @theme.display(description="Wallet", ordering="name")
    def named(self, wallet: Wallet) -> str:
        """Its name and code."""
        return cells.stack(wallet, wallet.code if wallet.name else "")

    @theme.display(description="Customer")
    def customer_named(self, wallet: Wallet) -> str:
        """Whose it is."""
        return cells.stack(wallet.customer.display_name, wallet.billing_entity.name)

    @theme.display(description="Status", ordering="status")
    def status_shown(self, wallet: Wallet) -> str:
        """Its state."""
        return wallet_blocks.status(wallet)

    @theme.display(description="Pays")
    def pays(self, wallet: Wallet) -> str:
        """What it pays."""
        return wallet_blocks.pays(wallet)

    @theme.display(description="Ends", ordering="expiration_at")
    def ends(self, wallet: Wallet) -> str:
        """When it ends."""
        return cells.instant(wallet.expiration_at)

    @theme.display(description="Used", ordering="consumed_amount")
    def used(self, wallet: Wallet) -> str:
        """What invoices took."""
        return cells.money(wallet.consumed_amount)

    @theme.display(description="Ongoing", ordering="ongoing_balance_amount")
    def ongoing(self, wallet: Wallet) -> str:
        """What current usage leaves of it."""
        return cells.money(wallet.ongoing_balance_amount)

    @theme.display(description="Balance", ordering="balance_amount")
    def left(self, wallet: Wallet) -> str:
        """What is left."""
        return wallet_blocks.balance(wallet)

    def get_queryset(self, request: HttpRequest):  # type: ignore[no-untyped-def]
        """With the metrics that each pays."""
        return super().get_queryset(request).prefetch_related("billable_metrics")

    def page(self, request: HttpRequest, instance: Wallet) -> Page:
        """The wallet: what is in it, where that came from, and what it paid."""
        found = instance.transactions.select_related("invoice", "voided_invoice", "credit_note")
        rows = list(found.prefetch_related("fundings__inbound").order_by("-created_at", "-pk")[: wallet_blocks.MOST])
        waits = [row.amount for row in rows if row.status == WalletTransaction.Status.PENDING]
        notes = ()
        if instance.status == Wallet.Status.TERMINATED and instance.balance_amount:
            text = (
                "Paid for after it was terminated: it pays no invoice. Give it back by a credit note of that invoice."
            )
            notes = (Note(text, Tone.WARN),)
        grants, uses = wallet_blocks.grants(rows), wallet_blocks.uses(rows)
        return Page(
            top=(*notes, wallet_blocks.figures(instance, sum(waits, Money(0, instance.currency)))),
            tabs=(
                Tab("Credits", (wallet_blocks.moved(instance, rows), grants), len(grants.rows)),
                Tab("Uses", (uses,), len(uses.rows)),
                Tab("Terms", (wallet_blocks.terms(instance), *wallet_rule_verbs.block(instance))),
                Tab("Ledger", (wallet_blocks.ledger(instance, rows),)),
                Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
            ),
        )
