"""Orders in the admin: what customers signed, what was made of it, and executing one that waits or failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from billing.admin import quote_progress_blocks, signed_documents
from billing.models import Order
from billing.queries import quotes
from billing.services import orders
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Figure, Figures, Note, Page, Tab
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome

State = Order.State


class ExecuteForm(VerbForm):
    """What is made of the order."""

    mode = forms.ChoiceField(label="What is made", choices=Order.Mode.choices, initial=Order.Mode.EXECUTE)


class Execute(ObjectVerb):
    """Make contract, subscriptions, credits and first invoice of an order."""

    name = "execute"
    label = "Execute"
    icon = "play_arrow"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.execute_order"
    explanation = (
        "Contract, subscriptions, credits and the first invoice are made as they were signed, all of it or nothing. An "
        "order that is only kept makes none of it."
    )
    confirm = "Execute the order"
    form_class = ExecuteForm

    def check(self, *, instance: Order, at: datetime) -> None:
        """What was executed is not executed again."""
        if instance.state == State.EXECUTED:
            raise errors.NotAllowed("order_is_executed", "The order is executed already.")

    def preview(self, *, instance: Order, at: datetime) -> Sequence[Block]:
        """What was signed."""
        found: list[Block] = [_figures(instance)]
        if instance.error:
            found.append(Note(f"The last time it failed: {instance.error}", Tone.BAD))
        return found

    def perform(self, *, instance: Order, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Execute it."""
        order = orders.execute(order_id=instance.pk, mode=values["mode"], actor=actor, at=at)
        return Outcome(f"{order.number} is {order.get_state_display()}.")


@pages.register(Order)
class OrderAdmin(pages.PageAdmin):
    """Orders."""

    list_display = ("order", "customer_named", "state_shown", "contract_shown", "invoice_shown", "signed", "executed")
    list_filter = (
        ("state", theme.ChoicesDropdownFilter),
        ("mode", theme.ChoicesDropdownFilter),
        ("customer", theme.AutocompleteSelectFilter),
    )
    list_select_related = ("order_form__version__quote", "customer", "contract", "invoice")
    search_fields = ("number", "order_form__number", "order_form__version__quote__number", "customer__name")
    search_help_text = "Number of the order, order form or quote, or customer"
    ordering = ("-created_at", "-id")
    verbs = (Execute(),)
    panels = "billing.order"
    empty_title = "No order yet"
    empty_text = "An order is made when a customer accepts a quote; contract and first invoice come with it."

    @theme.display(description="Order", ordering="number")
    def order(self, order: Order) -> str:
        """Number, and the quote that it comes from."""
        quote = order.order_form.version.quote
        return cells.stack(cells.nowrap(order.number), f"{quote.number} {quote.name}")

    @theme.display(description="Customer")
    def customer_named(self, order: Order) -> str:
        """Whose it is."""
        return order.customer.display_name

    @theme.display(description="State", ordering="state")
    def state_shown(self, order: Order) -> str:
        """How far it is."""
        shown = quote_progress_blocks.order_state(order)
        return cells.stack(shown, cells.hinted(order.error[:60], order.error)) if order.error else shown

    @theme.display(description="Contract")
    def contract_shown(self, order: Order) -> str:
        """The contract that it made or changed."""
        return cells.EMPTY if order.contract is None else cells.nowrap(order.contract.number)

    @theme.display(description="First invoice")
    def invoice_shown(self, order: Order) -> str:
        """The invoice that it made."""
        return cells.EMPTY if order.invoice is None else cells.nowrap(str(order.invoice))

    @theme.display(description="Signed", ordering="created_at")
    def signed(self, order: Order) -> str:
        """When the customer accepted, and who did."""
        form = order.order_form
        return cells.stack(cells.instant(form.decided_at), form.signer_name)

    @theme.display(description="Executed", ordering="executed_at")
    def executed(self, order: Order) -> str:
        """When it was executed."""
        return cells.instant(order.executed_at)

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponseBase], str]]:
        """What was signed on paper."""
        return (("<int:object_id>/signed/", signed_documents.view, signed_documents.NAME),)

    def page(self, request: HttpRequest, instance: Order) -> Page:
        """What was signed and what was made of it."""
        found = quotes.orders().get(pk=instance.pk)
        note: tuple[Block, ...] = ()
        if found.state == State.FAILED:
            note = (Note(f"It could not be executed: {found.error}", Tone.BAD),)
        elif found.state == State.CREATED and found.execute_at is not None:
            note = (Note(f"It is executed on {cells.instant_text(found.execute_at)}.", Tone.INFO),)
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(
            top=(*note, _figures(found)),
            tabs=(
                Tab("Order", (quote_progress_blocks.answer(found.order_form), _made(found, request.user))),
                Tab("History", (recent,)),
            ),
        )


def _figures(order: Order) -> Figures:
    version = order.order_form.version
    quote = version.quote
    return Figures(
        (
            Figure("State", quote_progress_blocks.order_state(order), order.get_mode_display()),
            Figure("Customer", cells.to(order.customer, order.customer.display_name), order.customer.external_id),
            Figure("Quote", cells.to(quote, quote.number), f"version {version.number}"),
            Figure("A month", cells.money(version.recurring_amount)),
            Figure("Over the term", cells.money(version.total_amount), "before tax, without usage"),
        )
    )


def _made(order: Order, user: Any) -> Facts:
    record = order.record if isinstance(order.record, dict) else {}
    said = {key: value for key, value in record.items() if value not in (None, [], {}, "")}
    told = "; ".join(f"{key.replace('_', ' ')}: {_said(value)}" for key, value in said.items())
    return Facts(
        "What was made of it",
        (
            Fact("Contract", cells.to_if_seen(order.contract, user)),
            Fact("First invoice", cells.to_if_seen(order.invoice, user)),
            Fact("Executed", cells.instant(order.executed_at)),
            Fact("Signed on paper", _scan(order)),
            Fact("Record", told or cells.EMPTY),
        ),
    )


def _said(value: object) -> str:
    """A value of the record as people read it: lists without their brackets."""
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _scan(order: Order) -> object:
    url = signed_documents.address(order)
    return cells.link("the document", url) if url else cells.EMPTY
