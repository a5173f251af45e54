"""What a customer's page says of money before anything else: what is owed and late, what is held, how it pays.

Owns these figures and facts; the tables below them are `customer_blocks`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from moneyed import Money

from config.kernel import dates, registry
from config.platform.admin import cells, glance, later
from config.platform.admin.blocks import Fact
from config.platform.admin.cells import Tone
from config.platform.admin.glance import LaterTile, Line, Part, Tile
from customers.models import Customer
from invoicing.models import Invoice, Payment, PaymentRequest
from invoicing.queries import credit_notes, customer_accounts, prepaid_credits, wallets
from invoicing.queries.customer_accounts import Habit, Standing

PAYING = "Paying"
CONTACT = "Contact"


def of_customer(customer: Customer) -> Mapping[str, Any]:
    """The part of money. A fixed number of queries; the balance, which sums all bookings, is fetched later."""
    at = timezone.now()
    today = dates.local_date(at, dates.zone(customer.applicable_timezone))
    known = customer_accounts.standings(customer_id=customer.pk, today=today)
    standings = sorted(known, key=lambda one: one.open.currency.code != customer.currency)
    habit = customer_accounts.habit(customer_id=customer.pk)
    balance = reverse("admin:invoicing_ledgerentry_customer_balance", args=[customer.pk])
    return glance.panel(
        Part(
            badges=_badges(standings, today),
            tiles=(
                LaterTile("Balance", balance, place=10),
                _open(customer, standings),
                _overdue(customer, standings, today),
                _last_payment(customer, habit),
                _credit(customer),
            ),
            facts={CONTACT: _mail(customer, at), PAYING: _paying(customer, standings, habit)},
        )
    )


def balance_view(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Answer with the figure of the balance. Whoever sees the customer's page sees it."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET"])
    if not any(request.user.has_perm(f"customers.{right}_customer") for right in ("view", "change")):
        raise PermissionDenied
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise Http404
    return later.answer(request, (_balance(customer),))


def _badges(standings: Sequence[Standing], today: date) -> tuple[object, ...]:
    late = [one.oldest_due for one in standings if one.oldest_due is not None]
    found: list[object] = []
    if late:
        found.append(cells.badge(f"{_days((today - min(late)).days)} overdue", Tone.BAD))
    if any(one.disputed for one in standings):
        found.append(cells.badge("disputes", Tone.WARN))
    return tuple(found)


def _balance(customer: Customer) -> Tile:
    """What is owed by the books less credits, by currency, beside what was billed in all. Two queries."""
    known = customer_accounts.balances(customer_id=customer.pk)
    found = sorted(known, key=lambda one: one.owed.currency.code != customer.currency)
    billed = customer_accounts.billed(customer_id=customer.pk)
    url = reverse("admin:invoicing_ledgerentry_customer_statement", args=[customer.pk])
    every = f"{_list(customer, 'invoicing_invoice')}&status__exact={Invoice.Status.FINALIZED}"
    billed.sort(key=lambda one: one.currency.code != customer.currency)
    words = " and ".join(cells.money_text(one) for one in billed[: glance.MOST_LINES])
    return Tile(
        "Balance",
        tuple(Line(cells.money_text(one.amount), url) for one in found),
        "What the customer owes by the books today, less its credit: open invoices, fees that stand alone and balances "
        "taken over, less credit notes that are not used yet and money held for it. The statement has every booking. "
        "Billed in all: the totals of all issued invoices, with tax.",
        cells.link(f"{words} billed in all", every) if billed else "nothing was billed yet",
        empty=_zero(customer),
        place=10,
    )


def _open(customer: Customer, standings: Sequence[Standing]) -> Tile:
    count = sum(one.open_count for one in standings)
    taken = [one.taken_over for one in standings if one.taken_over]
    hint = f"{count} document{'' if count == 1 else 's'}" if count else "no invoice waits for payment"
    if taken:
        hint += f", {', '.join(cells.money_text(one) for one in taken)} of it taken over"
    return Tile(
        "Open",
        tuple(Line(cells.money_text(one.open), _behind(customer, one, "open")) for one in standings),
        "What is still to be paid of issued invoices, with tax, and of balances taken over from a former system: the "
        "total less payments, credits and write-offs.",
        hint,
        empty=_zero(customer),
        place=20,
    )


def _overdue(customer: Customer, standings: Sequence[Standing], today: date) -> Tile:
    late = [one for one in standings if one.overdue]
    count = sum(one.overdue_count for one in late)
    oldest = [one.oldest_due for one in late if one.oldest_due is not None]
    hint = "nothing is late"
    if oldest:
        age = _days((today - min(oldest)).days)
        hint = f"1 document, {age} late" if count == 1 else f"{count} documents, the oldest {age} late"
    return Tile(
        "Overdue",
        tuple(Line(cells.money_text(one.overdue), _behind(customer, one, "overdue"), Tone.BAD) for one in late),
        "The part of what is open whose due date is over and that nobody disputes.",
        hint,
        empty=_zero(customer),
        place=30,
    )


def _last_payment(customer: Customer, habit: Habit | None) -> Tile:
    paid = Payment.objects.filter(customer=customer).order_by("-created_at", "-id").first()
    definition = (
        "The payment that was recorded last. Days to pay: from the date of an invoice to the day on which the money "
        f"for the rest of it came, the mean of the newest {customer_accounts.LOOKED_AT} paid invoices."
    )
    if paid is None:
        return Tile("Last payment", (), definition, "nothing was paid yet", empty="none", place=40)
    on = cells.day_of(paid.paid_at, customer.applicable_timezone)
    how = "" if habit is None else f"; pays in {_days(habit.days)}"
    url = cells.page_url(paid)
    return Tile("Last payment", (Line(cells.money_text(paid.amount), url),), definition, f"on {on}{how}", place=40)


def _credit(customer: Customer) -> Tile:
    """What the customer has to pay its next invoices with, by where it lies and currency. Three queries."""
    of_wallets = wallets.balances(customer_id=customer.pk)
    of_notes = credit_notes.balance(customer_id=customer.pk)
    prepaid = {code: one.left for code, one in prepaid_credits.balances(customer_id=customer.pk).items()}
    named = (
        ("wallets", of_wallets, _list(customer, "invoicing_wallet")),
        ("credit notes", of_notes, _list(customer, "invoicing_creditnote")),
        ("prepaid", prepaid, ""),
    )
    every = [(name, amount, url) for name, found, url in named for amount in found.values() if amount.amount]
    if len(every) == 1:
        name, amount, url = every[0]
        lines, hint = (Line(cells.money_text(amount), url),), f"in {name}" if name != "prepaid" else "prepaid"
    else:
        lines = tuple(
            Line(format_html('{} <span class="q-tile-of">{}</span>', cells.money_text(amount), name), url)
            for name, amount, url in every
        )
        hint = "" if every else _wallet_words(of_wallets)
    return Tile(
        "Credit to use",
        lines,
        "What pays or lowers the next invoices: the balances of active wallets, what is left of credit notes, and what "
        "is left of prepaid commitments.",
        hint,
        empty=_zero(customer),
        place=80,
    )


def _wallet_words(of_wallets: Mapping[str, Money]) -> str:
    return "its wallets are empty" if of_wallets else "no wallet, no credit note"


def _mail(customer: Customer, at: datetime) -> list[Fact]:
    """The e-mails that did not get out; nothing where all did. One query."""
    failing = list(customer_accounts.failing_mail(customer_id=customer.pk, at=at)[:2])
    if not failing:
        return []
    newest = failing[0]
    more = " and others" if len(failing) > 1 else ""
    text = format_html(
        "{} {}",
        cells.badge("did not get out", Tone.BAD),
        cells.to(newest, f"E-mail of {cells.day_of(newest.created_at)}"),
    )
    return [Fact("Mail", cells.stack(text, f"{newest.error[:60]}{more}"))]


def _paying(customer: Customer, standings: Sequence[Standing], habit: Habit | None) -> list[Fact]:
    """How it pays, what it was asked for, what it disputes. One query."""
    asked = PaymentRequest.objects.filter(customer=customer).order_by("-created_at", "-id").first()
    disputed = [one.disputed for one in standings if one.disputed]
    late: object = cells.EMPTY
    if habit is not None:
        late = (
            f"{habit.late_count} of the last {habit.count}" if habit.late_count else f"none of the last {habit.count}"
        )
    return [
        Fact("Days to pay", cells.EMPTY if habit is None else f"{_days(habit.days)} on average"),
        Fact("Paid late", late),
        Fact("Asked to pay", cells.EMPTY if asked is None else _asked(asked)),
        Fact("Disputed", ", ".join(cells.money_text(one) for one in disputed) if disputed else "nothing"),
    ]


def _asked(request: PaymentRequest) -> object:
    words = f"{cells.money_text(request.amount)} on {cells.day_of(request.created_at)}"
    return cells.stack(cells.to(request, words), request.get_payment_status_display())


def _zero(customer: Customer) -> object:
    """Nothing, in the customer's currency where that is known."""
    return cells.money_text(Money(0, customer.currency)) if customer.currency else "–"


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _list(customer: Customer, model: str) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?customer__id__exact={customer.pk}"


def _behind(customer: Customer, standing: Standing, due: str) -> str:
    """The invoices of a figure; the balances that were taken over where it is made of nothing else."""
    own = standing.overdue - standing.late_taken_over if due == "overdue" else standing.open - standing.taken_over
    if not own:
        return _list(customer, "invoicing_openingbalance")
    return f"{_list(customer, 'invoicing_invoice')}&due={due}"


registry.register_panel("customers.customer.glance", of_customer)
