"""Finding customers, documents, payments and agreements, a few of each; one query for each kind.

A kind that the person may not see is not looked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Prefetch, Sum
from moneyed import Money

from billing.admin import contract_blocks
from billing.admin import shown as billing_shown
from billing.models import Contract, Quote, QuoteVersion, Subscription
from catalog.models import BillableMetric, Plan
from config.platform.admin import cells
from config.platform.admin.cells import Tone
from config.search import matching
from config.search.amounts import Amount
from config.search.results import Result
from customers.admin import customers as customer_pages
from customers.models import Customer
from invoicing.admin import shown
from invoicing.models import CreditNote, Invoice, Payment
from invoicing.queries import receivables

MOST = 6
_FEW = 4

QUOTE_TONES = {
    QuoteVersion.State.DRAFT: Tone.NEUTRAL,
    QuoteVersion.State.IN_APPROVAL: Tone.WARN,
    QuoteVersion.State.APPROVED: Tone.INFO,
    QuoteVersion.State.SENT: Tone.ACCENT,
    QuoteVersion.State.ACCEPTED: Tone.GOOD,
}


def customers(term: str, amount: Amount | None) -> list[Result]:
    """Customers by name, its words, external id, e-mail, VAT id or public id; with what is open of theirs."""
    rows = Customer.objects.all()
    columns = ("external_id", "name", "legal_name", "email")
    parts = [matching.starting(rows, column, term) for column in columns]
    parts.append(matching.starting(rows, "tax_identification_number", "".join(term.split())))
    parts += [matching.named(rows, term), *matching.public(rows, term)]
    found = list(Customer.objects.filter(pk__in=matching.first(parts, most=MOST)))
    found.sort(key=lambda one: (one.deleted_at is not None, *_closeness(term, one.external_id, one.display_name)))
    owed = _owed(found[:MOST])
    return [
        Result(
            kind="Customer",
            title=one.display_name,
            about=" · ".join(part for part in (one.external_id, one.email) if part),
            url=cells.page_url(one),
            icon="group",
            state=customer_pages.state(one),
            money=f"{owed[one.pk]} open" if one.pk in owed else "",
        )
        for one in found[:MOST]
    ]


def invoices(term: str, amount: Amount | None) -> list[Result]:
    """Invoices by the beginning or the end of their number, purchase order, public id or total."""
    rows = Invoice.objects.all()
    parts = [
        *matching.public(rows, term),
        matching.starting(rows, "number", term),
        matching.ending(rows, "number", term),
        matching.starting(rows, "purchase_order_number", term),
        *matching.costing(rows, "total_amount", amount),
    ]
    chosen = Invoice.objects.filter(pk__in=matching.first(parts, most=MOST))
    found = sorted(chosen.select_related("customer"), key=lambda one: (*_closeness(term, one.number or ""), -one.pk))
    return [
        Result(
            kind="Invoice",
            title=str(one),
            about=f"{one.customer.display_name} · {cells.day_text(one.issuing_date)}",
            url=cells.page_url(one),
            icon="receipt_long",
            state=shown.payment(one) if one.status == Invoice.Status.FINALIZED else shown.status(one),
            money=cells.money_text(one.total_amount),
        )
        for one in found[:MOST]
    ]


def credit_notes(term: str, amount: Amount | None) -> list[Result]:
    """Credit notes by the beginning or the end of their number, or by public id."""
    rows = CreditNote.objects.all()
    parts = [
        *matching.public(rows, term),
        matching.starting(rows, "number", term),
        matching.ending(rows, "number", term),
    ]
    chosen = CreditNote.objects.filter(pk__in=matching.first(parts, most=_FEW)).select_related("customer")
    found = sorted(chosen, key=lambda one: (*_closeness(term, one.number or ""), -one.pk))
    return [
        Result(
            kind="Credit note",
            title=str(one),
            about=f"{one.customer.display_name} · {cells.day_text(one.issuing_date)}",
            url=cells.page_url(one),
            icon="undo",
            state=cells.badge(one.get_status_display(), Tone.INFO if one.number else Tone.WARN),
            money=cells.money_text(one.total_amount),
        )
        for one in found[:_FEW]
    ]


def payments(term: str, amount: Amount | None) -> list[Result]:
    """Payments by the beginning or the end of their reference, public id or amount."""
    rows = Payment.objects.all()
    parts = [
        *matching.public(rows, term),
        matching.starting(rows, "reference", term),
        matching.ending(rows, "reference", term),
        *matching.costing(rows, "amount", amount),
    ]
    chosen = Payment.objects.filter(pk__in=matching.first(parts, most=MOST))
    found = sorted(
        chosen.select_related("customer__billing_entity"), key=lambda one: (*_closeness(term, one.reference), -one.pk)
    )
    return [
        Result(
            kind="Payment",
            title=one.reference or "Payment",
            about=f"{one.customer.display_name} · {cells.day_of(one.paid_at, one.customer.applicable_timezone)}",
            url=cells.page_url(one),
            icon="payments",
            state=cells.badge("received", Tone.GOOD),
            money=cells.money_text(one.amount),
        )
        for one in found[:MOST]
    ]


def quotes(term: str, amount: Amount | None) -> list[Result]:
    """Quotes by number or name; two queries, the second one for their versions."""
    rows = Quote.objects.all()
    parts = [matching.starting(rows, column, term) for column in ("number", "name")] + matching.public(rows, term)
    versions = Prefetch("versions", QuoteVersion.objects.order_by("-number"))
    chosen = Quote.objects.filter(pk__in=matching.first(parts, most=_FEW)).select_related("customer")
    found = sorted(
        chosen.prefetch_related(versions), key=lambda one: (*_closeness(term, one.number, one.name), -one.pk)
    )
    return [_quote(one) for one in found[:_FEW]]


def contracts(term: str, amount: Amount | None) -> list[Result]:
    """Contracts by number or name."""
    rows = Contract.objects.all()
    parts = [matching.starting(rows, column, term) for column in ("number", "name")] + matching.public(rows, term)
    chosen = Contract.objects.filter(pk__in=matching.first(parts, most=_FEW)).select_related("customer")
    found = sorted(chosen, key=lambda one: (*_closeness(term, one.number, one.name), -one.pk))
    return [
        Result(
            kind="Contract",
            title=str(one),
            about=f"{one.customer.display_name} · until {cells.day_text(one.ends_on)}",
            url=cells.page_url(one),
            icon="contract",
            state=contract_blocks.state(one),
        )
        for one in found[:_FEW]
    ]


def subscriptions(term: str, amount: Amount | None) -> list[Result]:
    """Subscriptions by external id, name or public id; with the fee of their plan."""
    rows = Subscription.objects.all()
    parts = [matching.starting(rows, column, term) for column in ("external_id", "name")]
    parts += matching.public(rows, term)
    chosen = Subscription.objects.filter(pk__in=matching.first(parts, most=MOST))
    found = sorted(
        chosen.select_related("customer", "plan_version__plan"),
        key=lambda one: (
            one.status != Subscription.Status.ACTIVE,
            *_closeness(term, one.external_id, one.name),
            -one.pk,
        ),
    )
    return [
        Result(
            kind="Subscription",
            title=str(one),
            about=f"{one.customer.display_name} · {one.plan_version.plan.name}",
            url=cells.page_url(one),
            icon="autorenew",
            state=billing_shown.status(one),
            money=cells.money_text(one.plan_version.amount),
        )
        for one in found[:MOST]
    ]


def plans(term: str, amount: Amount | None) -> list[Result]:
    """Plans by any part of name or code: there are few."""
    rows = Plan.objects.filter(name__icontains=term) | Plan.objects.filter(code__icontains=term)
    return [
        Result("Plan", one.name, one.code, cells.page_url(one), "sell") for one in rows.order_by("name", "pk")[:_FEW]
    ]


def metrics(term: str, amount: Amount | None) -> list[Result]:
    """Metrics by any part of name or code: there are few."""
    rows = BillableMetric.objects.filter(name__icontains=term) | BillableMetric.objects.filter(code__icontains=term)
    return [
        Result("Metric", one.name, one.code, cells.page_url(one), "speed") for one in rows.order_by("name", "pk")[:_FEW]
    ]


def _quote(one: Quote) -> Result:
    version = next(iter(one.versions.all()), None)
    whom = one.customer.display_name if one.customer is not None else str(one.prospect.get("name", ""))
    state, total = "", ""
    if version is not None:
        tone = QUOTE_TONES.get(QuoteVersion.State(version.state), Tone.NEUTRAL)
        state = cells.badge(version.get_state_display(), tone)
        total = "" if version.total_amount is None else cells.money_text(version.total_amount)
    return Result("Quote", str(one), whom, cells.page_url(one), "request_quote", state, total)


def _owed(found: Sequence[Customer]) -> dict[int, str]:
    """What is open of each customer, by currency. One query."""
    rows = receivables.open_invoices().filter(customer__in=[one.pk for one in found]).order_by()
    sums: dict[int, list[str]] = defaultdict(list)
    for row in rows.values("customer", "currency").annotate(due=Sum(receivables.DUE)).order_by("customer", "currency"):
        if row["due"]:
            sums[row["customer"]].append(cells.money_text(Money(row["due"], row["currency"])))
    return {pk: ", ".join(texts) for pk, texts in sums.items()}


def _closeness(term: str, *texts: str) -> tuple[bool, bool]:
    """Sort what is the term itself before what begins with it, and that before the rest."""
    sought, known = term.casefold(), [text.casefold() for text in texts]
    return sought not in known, not any(text.startswith(sought) for text in known)
