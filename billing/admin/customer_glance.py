"""What a customer's page says of its contracts before anything else: what recurs, what is used, what is billed next.

Owns these figures and facts, and the address of the usage, which is rated after the page is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from moneyed import Money

from billing.admin import contract_blocks
from billing.models import Contract, RehearsedInvoice, Subscription
from billing.queries import dashboard, projected_usage, recurring_revenue
from billing.queries import parked_accounts as known
from config.kernel import dates, errors, money, registry
from config.platform.admin import cells, glance, later
from config.platform.admin.blocks import Fact
from config.platform.admin.cells import Tone
from config.platform.admin.glance import LaterTile, Line, Part, Spark, Tile
from customers.models import Customer

TERMS = "Terms"
DAYS = 30
"""As many days of events as the small line has."""

MOST_RATED = 10
"""Of a customer with more running subscriptions than this usage is not rated here: each says its own."""

_ORDERS = 2
_DEFINITION = (
    "What was used in the running periods until now, rated as it will be billed: net, paid in advance included. "
    f"The line is the number of events of each of the last {DAYS} days."
)


def of_customer(customer: Customer) -> Mapping[str, Any]:
    """The part of contracts. A fixed number of queries; usage is fetched later."""
    at = timezone.now()
    contract = Contract.objects.filter(customer=customer, state=Contract.State.ACTIVE)
    running = contract.prefetch_related("notices").order_by("-ends_on", "-pk").first()
    parked = known.of_customer(customer_id=customer.pk)
    usage = reverse("admin:billing_subscription_customer_usage", args=[customer.pk])
    return glance.panel(
        Part(
            badges=() if parked is None else (cells.badge("parked", Tone.WARN),),
            tiles=(
                _recurring(customer, running, at),
                LaterTile("Usage this period", usage, place=60),
                _next_bill(customer),
            ),
            facts={TERMS: _terms(customer, running)},
        )
    )


def usage_view(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Answer with the figure of the usage of the running periods. Whoever sees the customer's page sees it."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET"])
    if not any(request.user.has_perm(f"customers.{right}_customer") for right in ("view", "change")):
        raise PermissionDenied
    customer = Customer.objects.select_related("billing_entity").filter(pk=customer_id).first()
    if customer is None:
        raise Http404
    return later.answer(request, (_usage(customer, timezone.now()),))


def _recurring(customer: Customer, contract: Contract | None, at: datetime) -> Tile:
    """What recurs each month, by currency, and until when that is agreed. Two queries."""
    month = at.astimezone(UTC).date().replace(day=1)
    found = recurring_revenue.by_month(at=at, since=month, customer_id=customer.pk)
    report = reverse("reports:recurring-revenue")
    agreed: object = "no contract runs"
    if contract is not None:
        agreed = cells.link(f"contract until {cells.day_text(contract.ends_on)}", cells.page_url(contract))
    return Tile(
        "MRR",
        tuple(
            Line(
                cells.money_text(one.amount),
                f"{report}?{urlencode({'customer': customer.pk, 'currency': one.amount.currency.code})}",
            )
            for one in found
        ),
        "Monthly recurring revenue: the plan fees of the subscriptions that run, brought to a month, net and before "
        "coupons. Usage, fixed charges, trials and pauses are no part of it.",
        agreed,
        empty=cells.money_text(Money(0, customer.currency)) if customer.currency else "–",
        place=50,
    )


def _usage(customer: Customer, at: datetime) -> Tile:
    rows = list(_running(customer).select_related("plan_version").order_by("-pk")[: MOST_RATED + 1])
    zone = dates.zone(customer.applicable_timezone)
    today = dates.local_date(at, zone)
    ids = {one.external_id for one in rows}
    first = today - timedelta(days=DAYS - 1)
    counts = dashboard.events_by_day(first=first, last=today, tz=zone, external_subscription_ids=ids) if ids else {}
    events = sum(counts.values())
    spark = Spark(tuple(counts.values()), f"{cells.number_text(events)} events in {DAYS} days") if events else None
    if len(rows) > MOST_RATED:
        url = f"{_list('billing_subscription', customer)}&status__exact=active"
        return _tile(customer, (), cells.link("each subscription says its own", url), spark, "many")
    lines, hint = _rated(customer, rows, at)
    return _tile(customer, lines, hint, spark)


def _rated(customer: Customer, rows: list[Subscription], at: datetime) -> tuple[tuple[Line, ...], str]:
    """The usage of running periods by currency, and what it is expected to come to."""
    used: dict[str, Money] = {}
    expected: dict[str, Money] = {}
    ends: list[datetime] = []
    for one in rows:
        try:
            found = projected_usage.read(
                external_customer_id=customer.external_id, external_subscription_id=one.external_id, at=at
            )
        except errors.DomainError:  # no usage is billed now, or it cannot be rated: its own page says why
            continue
        if not found.charges:
            continue
        nothing = money.zero(found.currency)
        used[found.currency] = used.get(found.currency, nothing) + found.amount.net
        expected[found.currency] = expected.get(found.currency, nothing) + found.projected_amount
        ends.append(found.ends_at)
    report = reverse("reports:usage")
    lines = tuple(
        Line(cells.money_text(used[code]), f"{report}?{urlencode({'customer': customer.pk, 'currency': code})}")
        for code in sorted(used)
    )
    if not lines:
        return (), "no usage is billed now" if rows else "no subscription runs"
    said = " and ".join(cells.money_text(expected[code]) for code in sorted(expected))
    last = cells.day_of(max(ends) - timedelta(microseconds=1), customer.applicable_timezone)
    return lines, f"{said} expected by {last}"


def _tile(customer: Customer, lines: tuple[Line, ...], hint: object, spark: Spark | None, empty: str = "") -> Tile:
    nothing = empty or (cells.money_text(Money(0, customer.currency)) if customer.currency else "–")
    return Tile("Usage this period", lines, _DEFINITION, hint, empty=nothing, drawing=spark, place=60)


def _next_bill(customer: Customer) -> Tile:
    """The next billing day, and what the newest rehearsal of it came to. Two queries."""
    definition = (
        "The next day on which a running subscription is billed, in the customer's time zone. The amount is what the "
        "newest rehearsal of that day came to, with tax; a subscription's page computes its next invoices."
    )
    days = _running(customer).values("next_billing_date").annotate(count=Count("pk")).order_by("next_billing_date")
    first = days.first()
    if first is None or first["next_billing_date"] is None:
        return Tile("Next bill", (), definition, "no subscription runs", empty="none", place=70)
    day, count = first["next_billing_date"], first["count"]
    url = f"{_list('billing_subscription', customer)}&status__exact=active"
    rehearsed = _rehearsed(customer, day)
    what = f"{count} subscription{'' if count == 1 else 's'}"
    hint = f"{what}; {' and '.join(rehearsed)} rehearsed" if rehearsed else what
    return Tile("Next bill", (Line(cells.day_text(day), url),), definition, hint, place=70)


def _rehearsed(customer: Customer, day: Any) -> list[str]:
    rows = RehearsedInvoice.objects.filter(customer=customer, billing_date=day, total_amount__isnull=False)
    found = list(rows.order_by("-rehearsal_id", "pk")[:20])
    totals: dict[str, Money] = {}
    for one in found:
        if one.rehearsal_id == found[0].rehearsal_id and one.total_amount is not None:
            totals[one.currency] = totals.get(one.currency, money.zero(one.currency)) + one.total_amount
    return [cells.money_text(totals[code]) for code in sorted(totals)]


def _terms(customer: Customer, contract: Contract | None) -> list[Fact]:
    """The contract that runs longest, and the order numbers that invoices carry. One query."""
    numbers = [] if contract is None else [contract.purchase_order_number]
    rows = _running(customer).exclude(purchase_order_number="").order_by("purchase_order_number")
    numbers += rows.values_list("purchase_order_number", flat=True).distinct()[: _ORDERS + 1]
    orders = list(dict.fromkeys(number for number in numbers if number))
    shown = ", ".join(orders[:_ORDERS]) + (" and others" if len(orders) > _ORDERS else "")
    agreed: object = cells.muted("none")
    if contract is not None:
        agreed = cells.stack(cells.to(contract, contract.number), contract_blocks.renewal_text(contract))
    return [Fact("Contract", agreed), Fact("Order number", shown or cells.muted("none"))]


def _running(customer: Customer) -> QuerySet[Subscription]:
    return Subscription.objects.filter(customer=customer, status=Subscription.Status.ACTIVE)


def _list(model: str, customer: Customer) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?customer__id__exact={customer.pk}"


registry.register_panel("customers.customer.glance", of_customer)
