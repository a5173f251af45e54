"""Coupons of customers in the admin: giving one on the customer's page, its own page, and taking it off.

What the next invoice would be with it, and which invoices used it, is shown by the apps above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from catalog.queries import coupons as coupon_queries
from config.kernel import errors, registry
from config.kernel.actors import Actor
from config.platform.admin import blocks, cells, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Page, Row, Tab, Table, columns
from config.platform.admin.verbs import ObjectVerb, Outcome
from customers.admin import coupon_forms
from customers.admin.coupon_forms import ApplyCouponForm
from customers.admin.coupons import applied_state, limits
from customers.models import AppliedCoupon, Customer
from customers.queries import applied_coupons as known
from customers.services import applied_coupons
from customers.services.applied_coupons import Offer

PREVIEW = "customers.coupon_offer"
"""Panels of an `Offer`: what the customer's next invoice would be with the coupon."""


class ApplyCoupon(ObjectVerb):
    """Give the customer a coupon."""

    name = "apply_coupon"
    label = "Give a coupon"
    icon = "redeem"
    permission = "customers.add_appliedcoupon"
    explanation = "It lowers the invoices that are issued from now on, before taxes."
    confirm = "Give the coupon"
    weighs = True
    weigh_label = "Show the next invoice"
    form_class = ApplyCouponForm

    def check(self, *, instance: Customer, at: datetime) -> None:
        """A retired customer gets nothing."""
        if instance.deleted_at is not None:
            raise errors.NotAllowed("retired", f"{instance} is retired.")

    def form(self, *, data: Any, instance: Customer, at: datetime) -> ApplyCouponForm:
        """The coupons that may be given now."""
        form = ApplyCouponForm(data)
        form.fields["coupon"].queryset = coupon_queries.offered(at=at).order_by("name", "pk")  # type: ignore[attr-defined]
        return form

    def weigh(self, *, instance: Customer, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """The next invoice with it and without."""
        offer = Offer(instance.external_id, values["coupon"].code, coupon_forms.own_terms(values), actor, at)
        return blocks.registered(registry.panels(PREVIEW, offer))

    def perform(self, *, instance: Customer, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Give it."""
        applied = applied_coupons.apply(
            external_customer_id=instance.external_id,
            coupon_code=values["coupon"].code,
            terms=coupon_forms.own_terms(values),
            actor=actor,
            at=at,
        )
        return Outcome(f"{instance} has the coupon {applied}.")


class TakeOff(ObjectVerb):
    """Take a coupon off its customer."""

    name = "take_off"
    label = "Take off"
    icon = "remove_circle"
    variant = theme.ActionVariant.DANGER
    permission = "customers.delete_appliedcoupon"
    explanation = "Invoices that are issued from now on do not use it. What it took off issued invoices stays."
    confirm = "Take it off"

    def check(self, *, instance: AppliedCoupon, at: datetime) -> None:
        """What has ended is off already."""
        if instance.status != AppliedCoupon.Status.ACTIVE:
            raise errors.NotAllowed("terminated", f"{instance} has ended.")

    def preview(self, *, instance: AppliedCoupon, at: datetime) -> Sequence[Block]:
        """The coupon."""
        return (_facts(instance),)

    def perform(self, *, instance: AppliedCoupon, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Take it off."""
        applied_coupons.terminate(applied_coupon_id=instance.pk, actor=actor, at=at)
        return Outcome(f"The coupon {instance} was taken off.", cells.page_url(instance.customer))


@pages.register(AppliedCoupon)
class AppliedCouponAdmin(pages.PageAdmin):
    """The coupons of customers."""

    list_display = ("named", "customer_name", "takes_off", "used", "standing", "since")
    list_filter = ("status", "ended_by")
    list_select_related = ("coupon", "customer")
    search_fields = ("coupon__name", "coupon__code", "customer__name", "customer__external_id")
    ordering = ("-created_at", "-id")
    verbs = (TakeOff(),)
    panels = "customers.appliedcoupon"
    empty_text = "Give a coupon to a customer on the customer's page."

    @theme.display(description="Coupon")
    def named(self, applied: AppliedCoupon) -> str:
        """Name and code."""
        return cells.stack(applied.coupon.name, applied.coupon.code)

    @theme.display(description="Customer")
    def customer_name(self, applied: AppliedCoupon) -> str:
        """Who has it."""
        return applied.customer.display_name

    @theme.display(description="Takes off")
    def takes_off(self, applied: AppliedCoupon) -> str:
        """The amount or the rate."""
        return cells.nowrap(coupon_forms.worth(applied))

    @theme.display(description="Used")
    def used(self, applied: AppliedCoupon) -> str:
        """How often, and how much is left."""
        return cells.stack(coupon_forms.often(applied), left(applied))

    @theme.display(description="State")
    def standing(self, applied: AppliedCoupon) -> str:
        """Whether it takes something off."""
        return applied_state(applied)

    @theme.display(description="Since", ordering="created_at")
    def since(self, applied: AppliedCoupon) -> str:
        """When it was given."""
        return cells.instant(applied.created_at)

    def page(self, request: HttpRequest, instance: AppliedCoupon) -> Page:
        """The coupon on the customer's terms; the app above adds the invoices."""
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(_facts(instance),), tabs=(Tab("Use", ()), Tab("History", (recent,))))


def table(customer: Customer) -> Table:
    """The coupons that a customer has or had, newest first."""
    return Table(
        "Coupons",
        columns("Coupon", "Takes off", "Used", "State"),
        tuple(
            Row(
                (
                    cells.stack(cells.to(one), one.coupon.code),
                    coupon_forms.worth(one),
                    cells.stack(coupon_forms.often(one), left(one)),
                    cells.stack(applied_state(one), f"since {cells.day_of(one.created_at)}"),
                )
            )
            for one in known.of_customer(customer=customer)[:50]
        ),
        empty="No coupon.",
    )


def of_customer(customer: Customer) -> Mapping[str, Any] | None:
    """The coupons of a customer on its page, where it has or had some."""
    found = table(customer)
    return blocks.panel(found, side="left", place=40) if found.rows else None


def left(applied: AppliedCoupon) -> str:
    """What may still be used, in words; nothing where that is not limited, or over."""
    if applied.status != AppliedCoupon.Status.ACTIVE:
        return ""
    if applied.left is not None:
        return f"{cells.money_text(applied.left)} left"
    more = applied.frequency_duration_remaining
    return "" if more is None else f"{more} more"


def _facts(applied: AppliedCoupon) -> Facts:
    return Facts(
        "Coupon of the customer",
        (
            Fact("Coupon", cells.to(applied.coupon)),
            Fact("Customer", cells.to(applied.customer, applied.customer.display_name)),
            Fact("Takes off", coupon_forms.worth(applied)),
            Fact("State", applied_state(applied)),
            Fact("Used", coupon_forms.often(applied)),
            Fact("Left", left(applied) or cells.EMPTY),
            Fact("Limited to", limits(applied.coupon)),
            Fact("Given", cells.instant(applied.created_at)),
            Fact("Ended", cells.instant(applied.terminated_at)),
        ),
    )


registry.register_panel("customers.customer", of_customer)
