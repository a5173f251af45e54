"""How rehearsals are told: states and causes as words and badges, differences with their sign, flags as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from moneyed import Money

from billing.domain.bill_differences import Cause
from billing.models import Rehearsal
from billing.queries import rehearsals as known
from config.kernel import money
from config.platform.admin import cells
from config.platform.admin.cells import Tone

State = Rehearsal.State
NOTHING = format_html('<span class="q-num q-zero">{}</span>', "–")
"""In the place of an amount."""

STATE = {
    State.WAITING: Tone.INFO,
    State.RUNNING: Tone.INFO,
    State.READY: Tone.WARN,
    State.FAILED: Tone.BAD,
    State.SIGNED_OFF: Tone.ACCENT,
    State.BILLED: Tone.GOOD,
    State.DROPPED: Tone.NEUTRAL,
}
CAUSE = {
    Cause.PRICE: "Price",
    Cause.QUANTITY: "Quantity",
    Cause.PRORATION: "Part of a period",
    Cause.NEW: "New",
    Cause.ENDED: "Ended",
    Cause.DISCOUNT: "Discounts",
    Cause.TAX: "Tax",
    Cause.CREDITS: "Credits",
    Cause.CURRENCY: "Currency",
}
SHORT = {Cause.PRORATION: "Prorated"}
"""As a chart's axis has room for."""

ABOUT = {
    Cause.PRICE: "the same units at another price",
    Cause.QUANTITY: "more or fewer units",
    Cause.PRORATION: "another part of the period",
    Cause.NEW: "lines that were not there before",
    Cause.ENDED: "lines that are not there any more",
    Cause.DISCOUNT: "coupons that took off more or less",
    Cause.TAX: "tax on what changed, or other taxes",
    Cause.CREDITS: "credits, wallets and credit notes that pay a part",
    Cause.CURRENCY: "billed in another currency before",
}


def state(rehearsal: Rehearsal) -> SafeString:
    """Where a rehearsal is."""
    return cells.badge(rehearsal.get_state_display(), STATE[State(rehearsal.state)])


def signed_text(amount: Money) -> str:
    """A difference as plain text: "+€12.00", "-€3.50", "€0.00"."""
    text = cells.money_text(amount)
    return f"+{text}" if amount.amount > 0 else text


def signed(amount: Money | None) -> SafeString:
    """A difference with its sign, aligned to the right; less is red."""
    if amount is None:
        return NOTHING
    tone = "q-zero" if not amount.amount else "q-run-more" if amount.amount > 0 else "q-run-less"
    return format_html('<span class="q-num {}">{}</span>', tone, signed_text(amount))


def amount(value: Money | None) -> SafeString:
    """An amount of a column of amounts, where some may be missing."""
    return NOTHING if value is None else cells.money(value)


def causes(found: Mapping[str, int], currency: str) -> SafeString:
    """Causes as small badges, the largest first, each with its part of the difference."""
    if not found:
        return cells.muted("none")
    ordered = sorted(found.items(), key=lambda pair: -abs(pair[1]))
    badges = ((_badge(name, minor, currency),) for name, minor in ordered)
    return format_html('<span class="q-run-causes">{}</span>', format_html_join("", "{}", badges))


def _badge(name: str, minor: int, currency: str) -> SafeString:
    text = CAUSE[Cause(name)].lower()
    amount = signed_text(money.from_minor(minor, currency))
    return cells.hinted(cells.badge(text, Tone.WARN if name == Cause.PRICE else Tone.NEUTRAL), f"{text} {amount}")


def flags(found: Iterable[Mapping[str, Any]]) -> SafeString:
    """Why an invoice is conspicuous, a sentence for each rule that it met."""
    said = [(flag["says"],) for flag in found]
    if not said:
        return cells.EMPTY
    return format_html('<ul class="q-run-flags">{}</ul>', format_html_join("", "<li>{}</li>", said))


OUTCOME = {
    "": "invoice",
    known.NOTHING_TO_BILL: "no invoice any more",
    known.PARKED: "parked",
}
_OUTCOME_TONE = {"": Tone.GOOD, known.NOTHING_TO_BILL: Tone.WARN, known.PARKED: Tone.NEUTRAL}


def outcome(error_code: str) -> SafeString:
    """What would become of a customer: an invoice, none, or a failure."""
    return cells.badge(OUTCOME.get(error_code, "failure"), _OUTCOME_TONE.get(error_code, Tone.BAD))
