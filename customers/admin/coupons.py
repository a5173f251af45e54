"""Coupons in the admin: the list, the page with who has one, and making, changing, ending and retiring them.

What a coupon took off invoices is shown by the app above, which registers a panel for the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from catalog.models import Coupon
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from customers.admin import coupon_forms
from customers.admin.coupon_forms import CouponForm, CouponTextForm
from customers.models import AppliedCoupon
from customers.queries import applied_coupons as known
from customers.services import coupons

ROWS = 50


class CreateCoupon(ListVerb):
    """Make a coupon."""

    name = "create"
    label = "New coupon"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "catalog.add_coupon"
    explanation = "A coupon lowers invoices before taxes. Then give it to customers on their pages, or through the API."
    confirm = "Save"
    form_class = CouponForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        content = coupon_forms.coupon_values(values, expires_at=coupon_forms.end_after(values["last_day"]))
        coupon = coupons.create(values=content, actor=actor, at=at)
        return Outcome(f"The coupon {coupon} was made.", cells.page_url(coupon))


class EditCoupon(ObjectVerb):
    """Change a coupon."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "catalog.change_coupon"
    explanation = "Once somebody has it, only its name, its description and its end can be changed."
    confirm = "Save"

    def check(self, *, instance: Coupon, at: datetime) -> None:
        """A retired coupon stays as it was."""
        require_existing(instance)

    def form(self, *, data: Any, instance: Coupon, at: datetime) -> CouponTextForm:
        """The coupon as it is, without the terms that stay."""
        form_class = CouponTextForm if known.is_applied(instance) else CouponForm
        return form_class(data, initial=coupon_forms.coupon_initial(instance))

    def perform(self, *, instance: Coupon, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        expires_at = coupon_forms.end_after(values["last_day"], known=instance.expires_at)
        content: Any = {"name": values["name"], "description": values["description"], "expires_at": expires_at}
        if "kind" in values:
            content = coupon_forms.coupon_values(values, expires_at=expires_at)
        coupons.update(code=instance.code, values=content, actor=actor, at=at)
        return Outcome("The coupon was saved.")


class TerminateCoupon(ObjectVerb):
    """End a coupon."""

    name = "terminate"
    label = "End"
    icon = "block"
    permission = "catalog.terminate_coupon"
    explanation = "Nobody gets it any more. Customers who have it keep it, on the terms that they got."
    confirm = "End the coupon"

    def check(self, *, instance: Coupon, at: datetime) -> None:
        """A coupon ends once."""
        require_existing(instance)
        if instance.terminated_at is not None:
            raise errors.NotAllowed("terminated", f"{instance} has ended.")

    def preview(self, *, instance: Coupon, at: datetime) -> Sequence[Block]:
        """Who keeps it."""
        return (holders(instance),)

    def perform(self, *, instance: Coupon, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """End it."""
        coupons.terminate(code=instance.code, actor=actor, at=at)
        return Outcome(f"The coupon {instance} has ended.")


class RetireCoupon(ObjectVerb):
    """Retire a coupon."""

    name = "delete"
    label = "Retire"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "catalog.delete_coupon"
    explanation = "It is taken off everybody who has it. What it took off issued invoices stays."
    confirm = "Retire the coupon"

    def check(self, *, instance: Coupon, at: datetime) -> None:
        """A coupon is retired once."""
        require_existing(instance)

    def preview(self, *, instance: Coupon, at: datetime) -> Sequence[Block]:
        """Who loses it."""
        return (holders(instance),)

    def perform(self, *, instance: Coupon, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Retire it."""
        coupons.delete(code=instance.code, actor=actor, at=at)
        return Outcome(f"The coupon {instance} was retired.")


@pages.register(Coupon)
class CouponAdmin(pages.PageAdmin):
    """Coupons."""

    list_display = ("named", "takes_off", "used", "limits", "customers", "ends", "standing")
    list_filter = (filters.RetiredFilter,)
    search_fields = ("name", "code")
    ordering = ("-created_at", "-id")
    list_verbs = (CreateCoupon(),)
    verbs = (EditCoupon(), TerminateCoupon(), RetireCoupon())
    panels = "catalog.coupon"
    empty_text = "What lowers invoices: an amount or a percentage, once, for some invoices or for good."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Coupon]:
        """Coupons with their limits and the number of those who have them."""
        rows: QuerySet[Coupon] = super().get_queryset(request)
        count = Count("applied", filter=Q(applied__status=AppliedCoupon.Status.ACTIVE), distinct=True)
        return rows.prefetch_related("plans", "metrics").annotate(holders_count=count)

    @theme.display(description="Coupon", ordering="name")
    def named(self, coupon: Coupon) -> str:
        """Name and code."""
        return cells.stack(coupon.name, coupon.code)

    @theme.display(description="Takes off")
    def takes_off(self, coupon: Coupon) -> str:
        """The amount or the rate."""
        return cells.nowrap(coupon_forms.worth(coupon))

    @theme.display(description="Used")
    def used(self, coupon: Coupon) -> str:
        """How often."""
        return coupon_forms.often(coupon)

    @theme.display(description="Limited to")
    def limits(self, coupon: Coupon) -> str:
        """Plans or metrics."""
        return limits(coupon)

    @theme.display(description="Customers")
    def customers(self, coupon: Coupon) -> str:
        """How many have it now."""
        return cells.number(coupon.holders_count)  # type: ignore[attr-defined]

    @theme.display(description="Last day", ordering="expires_at")
    def ends(self, coupon: Coupon) -> str:
        """When it ends by itself."""
        return cells.day(coupon_forms.last_day(coupon.expires_at))

    @theme.display(description="State")
    def standing(self, coupon: Coupon) -> str:
        """Whether it may be given."""
        return state(coupon)

    def page(self, request: HttpRequest, instance: Coupon) -> Page:
        """The coupon, who has it, and its history."""
        facts = Facts(
            "Coupon",
            (
                Fact("Name", instance.name),
                Fact("Code", cells.code(instance.code)),
                Fact("Takes off", coupon_forms.worth(instance)),
                Fact("State", state(instance)),
                Fact("Used", coupon_forms.often(instance)),
                Fact("Limited to", limits(instance)),
                Fact("Last day", cells.day(coupon_forms.last_day(instance.expires_at))),
                Fact("Given again", "yes" if instance.is_reusable else "once to a customer"),
                Fact("Description", instance.description or cells.EMPTY),
                Fact("Made", cells.instant(instance.created_at)),
            ),
        )
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(facts,), tabs=(Tab("Use", (holders(instance),)), Tab("History", (recent,))))


def holders(coupon: Coupon) -> Table:
    """Who has a coupon, or had it, newest first."""
    rows = list(known.of_coupon(coupon=coupon)[: ROWS + 1])
    return Table(
        "Who has it",
        columns("Customer", "Takes off", "Used", "Taken off so far#", "State", "Since"),
        tuple(
            Row(
                (
                    cells.to(one.customer, one.customer.display_name),
                    cells.to(one, coupon_forms.worth(one)),
                    coupon_forms.often(one),
                    cells.money(one.used_amount),
                    applied_state(one),
                    cells.instant(one.created_at),
                )
            )
            for one in rows[:ROWS]
        ),
        empty="Nobody yet: give it to a customer on the customer's page.",
        note=f"The newest {ROWS}." if len(rows) > ROWS else "",
    )


def limits(coupon: Coupon) -> str:
    """What a coupon is limited to, in words."""
    found = [*coupon.plans.all(), *coupon.metrics.all()]
    return ", ".join(str(one) for one in found) or cells.EMPTY


def state(coupon: Coupon) -> str:
    """Whether a coupon may be given."""
    if coupon.deleted_at is not None:
        return cells.badge("retired")
    return cells.badge("active", Tone.GOOD) if coupon.terminated_at is None else cells.badge("ended", Tone.WARN)


def applied_state(applied: AppliedCoupon) -> str:
    """Whether a customer's coupon takes something off, or why not."""
    if applied.status == AppliedCoupon.Status.ACTIVE:
        return cells.badge("active", Tone.GOOD)
    return cells.badge(applied.get_ended_by_display())


def require_existing(coupon: Coupon) -> None:
    """Refuse to change a retired coupon. Raises NotAllowed."""
    if coupon.deleted_at is not None:
        raise errors.NotAllowed("retired", f"{coupon} is retired.")
