"""What can be done about wallets: make one, change it, buy, give and void credits, terminate it.

Each verb makes one service call and shows before what would come of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from moneyed import Money

from config.kernel import dates, errors
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from invoicing.admin.wallet_forms import CREDITS, NewWalletForm, TermsForm, terms
from invoicing.domain import wallets as rules
from invoicing.models import Wallet, WalletTransaction
from invoicing.services import approval_actions, wallet_top_ups, wallets
from invoicing.services.wallet_top_ups import TopUp


class CreateWallet(ListVerb):
    """Make a wallet."""

    name = "create"
    label = "New wallet"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.add_wallet"
    explanation = (
        "A wallet holds credits that the customer buys or is given. Invoices use them when they are issued, after "
        "taxes and after credits of credit notes."
    )
    confirm = "Make the wallet"
    form_class = NewWalletForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it, once however often the button is pressed."""
        customer = values["customer"]
        currency = values["currency"] or customer.currency or customer.billing_entity.default_currency
        wallet = wallet_top_ups.create_wallet(
            values={
                **terms(values, currency, customer.applicable_timezone),
                "external_customer_id": customer.external_id,
                "currency": currency,
                "rate_amount": values["rate_amount"],
            },
            wanted=TopUp(
                paid_credits=values["paid_credits"] or Decimal(0),
                granted_credits=values["granted_credits"] or Decimal(0),
                key=_key(values),
            ),
            actor=actor,
            at=at,
        )
        return Outcome(f"The wallet {wallet} was made.", cells.page_url(wallet))


class WalletVerb(ObjectVerb):
    """What verbs of a wallet share: it is active, and its balance is shown."""

    permission = "invoicing.top_up_wallet"

    def check(self, *, instance: Wallet, at: datetime) -> None:
        """It has to be active."""
        if instance.status != Wallet.Status.ACTIVE:
            raise errors.NotAllowed("wallet_not_active", "The wallet is terminated.")

    def preview(self, *, instance: Wallet, at: datetime) -> Sequence[Block]:
        """What is in it."""
        facts = (
            Fact("Customer", instance.customer.display_name),
            Fact("Balance", cells.money_text(instance.balance_amount)),
            Fact("Credits", cells.number(instance.credits_balance)),
            Fact("One credit", cells.unit_price(instance.rate_amount, instance.currency)),
        )
        return (Facts(str(instance), facts),)


class TopUpForm(VerbForm):
    """How many credits are bought."""

    aliases = {"paid_credits": "credits"}

    credits = forms.DecimalField(label="Credits", **CREDITS)
    name = forms.CharField(max_length=255, required=False, help_text="Said on the invoice.")
    priority = forms.IntegerField(min_value=1, max_value=50, initial=50, help_text="The lowest number is used first.")
    ignores_limits = forms.BooleanField(label="Ignore the limits of the wallet", required=False)
    purchase_order_number = forms.CharField(max_length=255, required=False)


class TopUpWallet(WalletVerb):
    """Buy credits."""

    name = "top_up"
    label = "Top up"
    icon = "add_card"
    variant = theme.ActionVariant.PRIMARY
    explanation = (
        "An invoice over the credits is issued, without tax: what is prepaid is taxed when it is used. The credits "
        "come in when that invoice is paid."
    )
    confirm = "Issue the invoice"
    form_class = TopUpForm
    weighs = True
    weigh_label = "Show the amount"

    def weigh(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What they come to."""
        quantity, amount = _worth(instance, values, "paid_credits")
        if not values["ignores_limits"]:
            rules.demand_limits(amount, least=instance.paid_top_up_min_amount, most=instance.paid_top_up_max_amount)
        waits = instance.invoice_requires_successful_payment
        facts = (
            Fact("Credits", cells.number(quantity)),
            Fact("Invoice", cells.money_text(amount)),
            Fact("Issued", "once it is paid" if waits else "now"),
            Fact("Balance once it is paid", cells.money_text(instance.balance_amount + amount)),
        )
        return (Facts("The purchase", facts),)

    def perform(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Buy them, once however often the button is pressed."""
        wanted = TopUp(
            paid_credits=values["credits"],
            name=values["name"],
            priority=values["priority"],
            ignore_paid_top_up_limits=values["ignores_limits"],
            purchase_order_number=values["purchase_order_number"],
            key=_key(values),
        )
        row = wallet_top_ups.top_up(wallet_id=instance.pk, wanted=wanted, actor=actor, at=at)[0]
        return Outcome(f"Invoice {row.invoice} over {cells.money_text(row.amount)}.", cells.page_url(instance))


class GrantForm(VerbForm):
    """How many credits are given."""

    aliases = {"granted_credits": "credits"}

    credits = forms.DecimalField(label="Credits", **CREDITS)
    name = forms.CharField(max_length=255, required=False, help_text="Why.")
    priority = forms.IntegerField(min_value=1, max_value=50, initial=50, help_text="The lowest number is used first.")


class GrantCredits(WalletVerb):
    """Give credits."""

    name = "grant"
    label = "Give credits"
    action = approval_actions.GRANT_CREDITS
    icon = "redeem"
    explanation = "They come in at once, without an invoice. What invoices use of them is booked as a promotion."
    confirm = "Give the credits"
    form_class = GrantForm
    weighs = True
    weigh_label = "Show the amount"

    def measured(self, *, instance: Wallet, values: Mapping[str, Any] | None) -> Money | None:
        """What the credits are worth."""
        return None if values is None else _worth(instance, values, "granted_credits")[1]

    def weigh(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What they come to."""
        quantity, amount = _worth(instance, values, "granted_credits")
        facts = (
            Fact("Credits", cells.number(quantity)),
            Fact("Worth", cells.money_text(amount)),
            Fact("Balance then", cells.money_text(instance.balance_amount + amount)),
        )
        return (Facts("The gift", facts),)

    def perform(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Give them, once however often the button is pressed."""
        wanted = TopUp(
            granted_credits=values["credits"], name=values["name"], priority=values["priority"], key=_key(values)
        )
        row = wallet_top_ups.top_up(wallet_id=instance.pk, wanted=wanted, actor=actor, at=at)[0]
        return Outcome(f"{cells.money_text(row.amount)} came in.", cells.page_url(instance))


class VoidForm(VerbForm):
    """How many credits are voided, and of which."""

    aliases = {"voided_credits": "credits", "voided_transaction_id": "credits"}

    credits = forms.DecimalField(label="Credits", **CREDITS)
    transaction = forms.ModelChoiceField(
        WalletTransaction.objects.none(), label="Of", required=False, empty_label="those that are used first"
    )
    name = forms.CharField(label="Reason", max_length=255)


class VoidCredits(WalletVerb):
    """Void credits."""

    name = "void"
    label = "Void credits"
    icon = "money_off"
    permission = "invoicing.void_wallet_credits"
    explanation = "They go out at once and pay nothing. What the customer paid for them is earned: refund it before."
    confirm = "Void the credits"
    form_class = VoidForm

    def check(self, *, instance: Wallet, at: datetime) -> None:
        """Something has to be left."""
        super().check(instance=instance, at=at)
        if not instance.credits_balance:
            raise errors.NotAllowed("no_voidable_amount", "The wallet is empty.")

    def form(self, *, data: Any, instance: Wallet, at: datetime) -> VerbForm:
        """With the credits of which some remain."""
        form = super().form(data=data, instance=instance, at=at)
        found = WalletTransaction.objects.filter(wallet=instance, remaining_credit_amount__gt=0)
        form.fields["transaction"].queryset = found.order_by("-created_at")  # type: ignore[attr-defined]
        return form

    def perform(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Void them, once however often the button is pressed."""
        chosen = values["transaction"]
        wanted = TopUp(
            voided_credits=values["credits"],
            voided_transaction_uuid=chosen.uuid if chosen else None,
            name=values["name"],
            key=_key(values),
        )
        row = wallet_top_ups.top_up(wallet_id=instance.pk, wanted=wanted, actor=actor, at=at)[0]
        return Outcome(f"{cells.money_text(row.amount)} went out.", cells.page_url(instance))


class ChangeWallet(WalletVerb):
    """Change the terms of a wallet."""

    name = "edit"
    label = "Change"
    icon = "edit"
    permission = "invoicing.change_wallet"
    explanation = "Customer, currency and worth of a credit stay as they are."
    confirm = "Save"
    form_class = TermsForm

    def initial(self, *, instance: Wallet, at: datetime) -> Mapping[str, Any]:
        """As it is now."""
        zone = dates.zone(instance.customer.applicable_timezone)
        ends, least, most = instance.expiration_at, instance.paid_top_up_min_amount, instance.paid_top_up_max_amount
        return {
            "name": instance.name,
            "code": instance.code,
            "priority": instance.priority,
            "ends_on": dates.local_date(ends, zone) if ends else None,
            "fee_types": instance.fee_types,
            "metrics": instance.billable_metrics.all(),
            "least": None if least is None else least.amount,
            "most": None if most is None else most.amount,
            "waits": instance.invoice_requires_successful_payment,
            "purchase_order_number": instance.purchase_order_number,
            "sections_chosen": instance.custom_section_ids or [],
        }

    def perform(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Save it."""
        given = terms(values, instance.currency, instance.customer.applicable_timezone)
        if values["ends_on"] == self.initial(instance=instance, at=at)["ends_on"]:
            given.pop("expiration_at")
        if [section.pk for section in values["sections_chosen"]] == sorted(instance.custom_section_ids or []):
            given.pop("custom_section_codes")  # also where it has none on purpose
        wallets.update(wallet_id=instance.pk, values=given, actor=actor, at=at)
        return Outcome("The wallet was changed.", cells.page_url(instance))


class TerminateWallet(WalletVerb):
    """End a wallet."""

    name = "terminate"
    label = "Terminate"
    icon = "block"
    variant = theme.ActionVariant.DANGER
    permission = "invoicing.terminate_wallet"
    explanation = "It pays no invoice any more, and its top-up rules end. It cannot be made active again."
    confirm = "Terminate the wallet"
    form_class = ReasonForm

    def preview(self, *, instance: Wallet, at: datetime) -> Sequence[Block]:
        """What would be lost."""
        facts = super().preview(instance=instance, at=at)
        if not instance.balance_amount:
            return facts
        text = (
            f"{cells.money_text(instance.balance_amount)} would be lost to the customer; what was paid for is earned."
        )
        return (*facts, Note(text, Tone.WARN))

    def perform(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """End it."""
        wallets.terminate(wallet_id=instance.pk, actor=actor, at=at, reason=values["reason"])
        return Outcome("The wallet was terminated.", cells.page_url(instance))


def _worth(wallet: Wallet, values: Mapping[str, Any], field: str) -> Any:
    return rules.worth(values["credits"], rate=wallet.rate_amount, currency=wallet.currency, field=field)


def _key(values: Mapping[str, Any]) -> str:
    return f"admin:{values['once']}" if values["once"] else ""
