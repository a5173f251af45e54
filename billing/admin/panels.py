"""What this app shows on the pages of lower apps: subscriptions and usage of a customer, the subscriptions of a plan,
the billed time of an invoice, and how each of its lines came about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Case, When
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from billing.admin import line_verbs, shown, usage_blocks
from billing.domain import verification
from billing.domain.verification import Verification
from billing.models import BilledPeriod, RatedCharge, Subscription
from catalog.models import Plan, PlanVersion
from config.kernel import registry
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Block, Row, Sum, Table
from config.platform.admin.cells import Tone
from customers.models import Customer
from invoicing.models import Invoice, InvoiceLine

ROWS = 25
OF_CUSTOMER = 10
"""As many subscriptions as a customer's page shows, those that are not over first."""

_OVER = (Subscription.Status.TERMINATED, Subscription.Status.CANCELED)
_LIVING = Case(When(status__in=_OVER, then=1), default=0)


def of_customer(customer: Customer) -> Mapping[str, Any]:
    """A customer's subscriptions, and their events by day."""
    rows = Subscription.objects.filter(customer=customer).order_by(_LIVING, "-pk")
    found = list(rows.select_related("plan_version__plan", "customer__billing_entity")[:OF_CUSTOMER])
    table = _subscriptions(customer, found)
    ids = {one.external_id for one in found if one.status == Subscription.Status.ACTIVE}
    shown_blocks: list[Block] = [table]
    if ids:
        shown_blocks.append(usage_blocks.by_day(ids, at=timezone.now(), timezone=customer.applicable_timezone))
    return blocks.panel(*shown_blocks, side="left", place=10)


def _subscriptions(customer: Customer, found: Sequence[Subscription]) -> Table:
    every = f"{reverse('admin:billing_subscription_changelist')}?customer__id__exact={customer.pk}"
    return Table(
        "Subscriptions",
        blocks.columns("Subscription", "State", "Started", "Next billing"),
        tuple(
            Row(
                (
                    cells.stack(
                        cells.to(one), f"{one.plan_version}, {one.external_id}" if one.name else one.plan_version
                    ),
                    shown.status(one),
                    cells.local_day(one.started_at, customer.applicable_timezone),
                    cells.day(one.next_billing_date),
                )
            )
            for one in found
        ),
        empty="No subscription yet. Begin one with the button above, or through the API.",
        action=cells.link("All subscriptions", every) if found else "",
    )


def of_plan(plan: Plan) -> Mapping[str, Any]:
    """The newest subscriptions on a plan."""
    rows = Subscription.objects.filter(plan_version__plan=plan, status=Subscription.Status.ACTIVE)
    found = list(rows.select_related("plan_version__plan", "customer__billing_entity").order_by("-pk")[: ROWS + 1])
    more = f"The newest {ROWS}." if len(found) > ROWS else ""
    table = shown.subscriptions(found[:ROWS], title="Active subscriptions", empty="Nobody has this plan.", note=more)
    return blocks.panel(table)


def of_comparison(versions: Sequence[PlanVersion]) -> Mapping[str, Any]:
    """The way to the same comparison on real usage: what the first plan's subscriptions would pay on the second one."""
    first, second = versions[0], versions[1]
    other = second.plan.code if second.is_current else f"{second.plan.code}@{second.number}"
    query = urlencode({"plan": first.plan_id, "compare": other, "months": 3})
    address = f"{reverse('admin:billing_subscription_simulation')}?{query}"
    text = f"Play the subscriptions of {first.plan.name} on {second.plan.name}, with the usage of three months"
    return blocks.panel(blocks.Note(cells.link(text, address)))


def of_adjusted(invoice: Invoice) -> Mapping[str, Any] | None:
    """What people set of its lines, by hand; nothing where nothing was."""
    table = line_verbs.table(invoice)
    return blocks.panel(table) if table.rows else None


def of_invoice(invoice: Invoice) -> Mapping[str, Any] | None:
    """The periods that an invoice bills."""
    rows = BilledPeriod.objects.filter(invoice=invoice).select_related("subscription").order_by("from_at", "pk")
    found = list(rows[: ROWS * 4])
    if not found:
        return None
    return blocks.panel(
        blocks.Table(
            "Billed time",
            blocks.columns("Subscription", "Period", "Usage of", "Why", "Share of the fee#"),
            tuple(blocks.Row(_billed(one)) for one in found),
        )
    )


def explain(lines: Sequence[InvoiceLine]) -> Mapping[int, Mapping[str, Any]]:
    """The worked sum of each line, with the verdict of rating it again from its stored inputs. One query."""
    rated = RatedCharge.objects.filter(line__in=lines)
    by_line = {row.line_id: row for row in rated}
    return {line.pk: {"blocks": (_sum(line, by_line[line.pk]),)} for line in lines if line.pk in by_line}


def _billed(period: BilledPeriod) -> tuple[object, ...]:
    return (
        cells.to(period.subscription),
        cells.period_text(period.from_at, period.to_at, period.timezone),
        shown.usage_days(period),
        period.get_reason_display(),
        shown.fee_share(period),
    )


def _sum(line: InvoiceLine, rated: RatedCharge) -> Sum:
    found = verification.verify(trace=rated.trace, sha256=rated.trace_sha256, amount=line.agreed_amount.amount)
    return Sum(shown.worked(found), *_verdict(line, found))


def _verdict(line: InvoiceLine, found: Verification) -> tuple[str, Tone]:
    if found.amount is None:
        return f"The trace cannot be read: {found.problem}", Tone.BAD
    if not found.is_digest_right:
        return "The stored trace does not have the digest that it was stored with.", Tone.BAD
    if not found.is_amount_right:
        text = cells.money_text(type(line.amount)(found.amount, line.currency))
        return f"Computed again from the stored inputs it is {text}, which is not the line's amount.", Tone.BAD
    return f"Computed again from the stored inputs: {cells.money_text(line.amount)}, as billed.", Tone.GOOD


registry.register_panel("catalog.plan_comparison", of_comparison)
registry.register_panel("customers.customer", of_customer)
registry.register_panel("catalog.plan", of_plan)
registry.register_panel("invoicing.invoice", of_invoice)
registry.register_panel("invoicing.invoice", of_adjusted)
registry.register_part("invoicing.line_explained", explain)
