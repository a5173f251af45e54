"""What the page of a quote shows: the figures, the ramp, each phase with its lines, and what else is offered.

Owns the layout of what is offered; approvals, the customer's answer and versions are `quote_progress_blocks`'.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from moneyed import Money

from billing.admin import quote_change_blocks, quote_sums
from billing.domain.quote_figures import LineTotals, PhaseTotals, Step, Totals
from billing.domain.quote_prices import UsagePrices
from billing.models import QuoteVersion
from billing.queries.quotes import QuoteView
from billing.services import quote_price_words
from config.kernel import money
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Chart, Fact, Facts, Figure, Figures, Note, Row, Series, Table, columns
from config.platform.admin.cells import Tone
from invoicing.domain.document_formats import Formats

State = QuoteVersion.State
STATE = {
    State.DRAFT: Tone.INFO,
    State.IN_APPROVAL: Tone.WARN,
    State.APPROVED: Tone.ACCENT,
    State.SENT: Tone.ACCENT,
    State.ACCEPTED: Tone.GOOD,
    State.DECLINED: Tone.BAD,
    State.EXPIRED: Tone.NEUTRAL,
    State.VOIDED: Tone.NEUTRAL,
}
SOON = 7
MOST_MONTHS = 36
YEAR = 12
_FORMATS = Formats("en")
LINES = columns("What", "Units#", "List price#", "Discount#", "Price#", "A month#", "Over the phase#")


def state(value: str) -> SafeString:
    """The state of a version."""
    return cells.badge(State(value).label, STATE[State(value)])


def valid_until(day: date | None, value: str, *, today: date) -> SafeString:
    """The last day on which it can be accepted, red when that is near, as long as somebody waits for an answer."""
    if day is None:
        return cells.EMPTY
    left = (day - today).days
    if value not in (State.DRAFT, State.IN_APPROVAL, State.APPROVED, State.SENT) or left > SOON:
        return cells.day(day)
    words = "is over" if left < 0 else "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"
    return cells.stack(cells.day(day), format_html('<span class="q-quote-near">{}</span>', words))


def figures(view: QuoteView, *, today: date) -> Figures:
    """The few numbers that matter most."""
    totals = view.totals
    if totals is None:
        money_figures: tuple[Figure, ...] = (Figure("Over the term", cells.EMPTY, "nothing to price yet"),)
    else:
        first_year = Figure("In the first year", _money(totals.first_year_amount, view), "before tax, without usage")
        money_figures = (
            Figure("A month", _money(totals.recurring_amount, view), _monthly_hint(view, totals)),
            *((first_year,) if totals.term_months > YEAR else ()),
            Figure("Over the term", _money(totals.total_amount, view), _term_hint(totals)),
            Figure("Discount", quote_sums.rate_text(totals.discount_rate), _discount_hint(totals)),
        )
    return Figures((Figure("State", state(view.state), _state_hint(view, today)), *money_figures))


def offer(view: QuoteView) -> tuple[Block, ...]:
    """All that is offered, in the order of the document."""
    totals = view.totals
    if totals is None:
        return (Note("The draft cannot be priced yet: edit it to see what is missing.", Tone.WARN),)
    found: list[Block] = []
    if len(totals.steps) > 1:
        found.append(ramp(totals))
    if view.changes:
        found.append(quote_change_blocks.changed(view, totals))
    else:
        found += [phase(one, view.currency) for one in totals.phases]
    found += once(totals)
    if totals.commitments:
        found.append(commitments(totals))
    return tuple(found)


def ramp(totals: Totals) -> Chart:
    """What each month of the term costs, fees and fixed charges."""
    last = int(money.ceil_to(totals.term_months, 0)) if totals.term_months else MOST_MONTHS
    every = 1 if last <= MOST_MONTHS else 3 if last <= 3 * MOST_MONTHS else 12
    months = range(0, last, every)
    listed = any(one.list_monthly_amount > one.monthly_amount for one in totals.steps)
    series = [Series("A month", tuple(_at(totals, month).monthly_amount for month in months))]
    if listed:
        off = tuple(_off(_at(totals, month)) for month in months)
        series.append(Series("Discount", off, tone="neutral"))
    return Chart(
        "Month by month",
        tuple(f"{month + 1}" for month in months),
        tuple(series),
        currency=totals.currency,
        stacked=True,
        height=200,
        note="Fees and fixed charges by the month of the term. Usage comes on top.",
    )


def phase(one: PhaseTotals, currency: str) -> Table:
    """The lines of a phase, as on the document, with the prices of usage below them."""
    title = f"{one.name or one.plan_name}, {quote_sums.span(one)}"
    rows = [Row(_line(line, currency)) for line in one.lines]
    rows += [Row(_usage(usage, currency)) for usage in one.usage]
    if one.lines:
        total = ("Together", "", "", "", "", _amount(one.monthly_amount, currency), _amount(one.total, currency))
        rows.append(Row(total, is_total=True))
    return Table(title, LINES, tuple(rows), note=_phase_note(one, currency), empty="Nothing is sold in it.")


def once(totals: Totals) -> list[Block]:
    """What is sold once, credits, and coupons."""
    found: list[Block] = []
    currency = totals.currency
    if totals.one_offs:
        rows = [
            Row(
                (
                    cells.stack(one.name, one.code if one.code != one.name else ""),
                    cells.number(one.units),
                    _price(one.list_unit_amount, currency),
                    cells.percent(money.round_half_up(one.discount_rate, 4)) if one.discount_rate else cells.EMPTY,
                    _price(one.unit_amount, currency),
                    _amount(one.total, currency),
                )
            )
            for one in totals.one_offs
        ]
        heads = columns("Once", "Units#", "List price#", "Discount#", "Price#", "Amount#")
        found.append(Table("One-offs", heads, tuple(rows)))
    if totals.credits:
        rows = [
            Row(
                (
                    one.name or "Credits",
                    cells.number(one.paid_credits),
                    cells.number(one.granted_credits),
                    _price(one.rate_amount, currency),
                    "never" if one.expires_after_months is None else f"after {one.expires_after_months} months",
                    _amount(one.paid_amount, currency),
                )
            )
            for one in totals.credits
        ]
        heads = columns("Wallet", "Paid for#", "Given#", "One is worth#", "They expire", "Amount#")
        found.append(Table("Credits", heads, tuple(rows)))
    if totals.coupons:
        rows = [
            Row((cells.stack(one.name, one.code), _coupon(one.rate, one.amount, currency), _invoices(one)))
            for one in totals.coupons
        ]
        found.append(Table("Coupons", columns("Coupon", "Takes off#", "On"), tuple(rows)))
    return found


def commitments(totals: Totals) -> Table:
    """What the customer commits to; no part of the sums, which it makes sure of."""
    kinds = {"term": "over the term", "period": "for each period", "prepaid": "prepaid, drawn down"}
    rows = tuple(
        Row(
            (
                one.label or "Commitment",
                kinds.get(one.kind, one.kind) + (f" of {one.product}" if one.product else ""),
                _amount(one.amount, totals.currency),
            )
        )
        for one in totals.commitments
    )
    return Table("Commitments", columns("Commitment", "Kind", "Amount#"), rows)


def terms(view: QuoteView) -> tuple[Block, ...]:
    """Term, renewal, payment, and the texts."""
    found = view.terms
    starts = cells.EMPTY if found.starts_on is None else cells.day(found.starts_on)
    facts: list[Fact] = []
    if found.term_months is not None or view.kind in ("new", "renewal"):
        facts += [
            Fact("First day", starts if found.starts_on else "the day of acceptance"),
            Fact("Term", "–" if found.term_months is None else quote_sums.months(Decimal(found.term_months))),
            Fact("Periods", "calendar" if found.billing_time == "calendar" else "from the first day"),
            Fact("At its end", _renewal(view)),
        ]
    days = found.payment_term_days
    facts += [
        Fact("Payment term", "the customer's" if days is None else "on receipt" if not days else f"{days} days"),
        Fact("Purchase order", found.purchase_order_number or cells.EMPTY),
    ]
    texts = [Fact("Introduction", _paragraphs(view.introduction)), Fact("Terms", _paragraphs(found.terms_text))]
    blocks: list[Block] = [Facts("Terms", tuple(facts))]
    if view.introduction or found.terms_text:
        blocks.append(Facts("Texts", tuple(texts)))
    return tuple(blocks)


def parties(view: QuoteView) -> Facts:
    """Whom it is for, and who sells."""
    party = view.party
    named = party.name if view.customer is None else cells.to(view.customer, party.name)
    kind = cells.badge("prospect", Tone.INFO) if party.is_prospect else cells.code(party.external_id)
    return Facts(
        "For whom",
        (
            Fact("Customer", cells.stack(named, kind)),
            Fact("Legal name", party.legal_name or cells.EMPTY),
            Fact("Address", ", ".join([*party.address, party.country]).strip(", ") or cells.EMPTY),
            Fact("E-mail", party.email or cells.EMPTY),
            Fact("VAT id", party.tax_identification_number or cells.EMPTY),
            Fact("Seller", cells.to(view.seller, view.seller.name)),
            Fact("Kind", view.kind_label),
            Fact("Contract", cells.to(view.contract)),
        ),
    )


def _line(line: LineTotals, currency: str) -> tuple[object, ...]:
    kind = "a " + quote_sums.INTERVALS.get(line.interval, line.interval)
    when = "in advance" if line.pay_in_advance else "in arrears"
    return (
        cells.stack(line.label, f"{kind}, {when}"),
        cells.EMPTY if line.kind == "fee" else cells.number(line.units),
        _amount(line.list_amount, currency),
        cells.percent(money.round_half_up(line.discount_rate, 4)) if line.discount_rate else cells.EMPTY,
        _amount(line.amount, currency),
        _amount(line.monthly_amount, currency),
        _amount(line.total, currency),
    )


def _usage(usage: UsagePrices, currency: str) -> tuple[object, ...]:
    words = quote_price_words.price(model=usage.model, properties=usage.properties, currency=currency, formats=_FORMATS)
    text = format_html_join("", '<span class="q-sub q-quote-tier">{}</span>', ((word,) for word in words))
    by_use = cells.muted("by use")
    return (cells.stack(usage.name, text), by_use, "", "", "", "", "")


def _phase_note(one: PhaseTotals, currency: str) -> str:
    notes = []
    if one.discount_rate:
        scope = "the fee" if one.discount_scope == "fee" else "all prices"
        notes.append(f"{quote_sums.rate_text(one.discount_rate)} off {scope}")
    if one.trial_days:
        notes.append(f"a trial of {cells.number_text(one.trial_days)} days")
    if one.minimum_amount:
        notes.append(f"a minimum of {quote_sums.text(one.minimum_amount, currency)} for each interval")
    plan = f"{one.plan_name}, version {one.plan_version} of the price list"
    return f"{'; '.join([plan, *notes])}."


def _off(step: Step) -> Decimal:
    return max(step.list_monthly_amount - step.monthly_amount, Decimal(0))


def _at(totals: Totals, month: int) -> Step:
    return next((one for one in reversed(totals.steps) if one.from_month <= month), totals.steps[0])


def _money(amount: Decimal, view: QuoteView) -> SafeString:
    return cells.money(Money(amount, view.currency))


def _amount(amount: Decimal, currency: str) -> SafeString:
    return cells.money(Money(amount, currency))


def _price(amount: Decimal, currency: str) -> SafeString:
    return cells.unit_price(amount, currency)


def _state_hint(view: QuoteView, today: date) -> object:
    about = f"version {view.version_number}"
    if view.valid_until is None:
        return about
    until = valid_until(view.valid_until, view.state, today=today)
    return format_html("{}, valid until {}", about, until)


def _monthly_hint(view: QuoteView, totals: Totals) -> str:
    if view.kind == "amendment":
        return f"before {quote_sums.text(totals.before_recurring_amount, view.currency)}"
    return "at the end of the term" if len(totals.steps) > 1 else "fees and fixed charges"


def _term_hint(totals: Totals) -> str:
    return f"{quote_sums.months(totals.term_months)}, before tax" if totals.term_months else "once, before tax"


def _discount_hint(totals: Totals) -> str:
    if totals.deepest_discount_rate > totals.discount_rate:
        return f"the deepest {quote_sums.rate_text(totals.deepest_discount_rate)}"
    return "off the price list"


def _coupon(rate: Decimal | None, amount: Decimal | None, currency: str) -> object:
    if rate is not None:
        return cells.percent(rate)
    return cells.EMPTY if amount is None else _amount(amount, currency)


def _invoices(coupon: Any) -> str:
    if coupon.frequency == "forever":
        return "every invoice"
    return "the next invoice" if (coupon.invoices or 1) == 1 else f"{coupon.invoices} invoices"


def _renewal(view: QuoteView) -> str:
    found = view.terms
    if found.renewal != "automatic":
        return "it ends"
    length = quote_sums.months(Decimal(found.renewal_months or found.term_months or 0))
    text = f"renews for {length} unless notice is given {found.notice_days} days before"
    if not found.uplift_rate:
        return text
    scope = "the fee" if found.uplift_scope == "fee" else "all prices"
    return f"{text}; {scope} {cells.percent_text(found.uplift_rate)} up"


def _paragraphs(text: str) -> object:
    return format_html('<span class="q-quote-text">{}</span>', text) if text else cells.EMPTY
