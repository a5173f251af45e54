"""How the entries of a subscription's time line are said: a sentence, a smaller line below it, an icon, a tone.

Owns the words; the order is the time line's, the place on the page `timeline_blocks`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from billing.domain.timelines import Entry, Kind
from billing.models import LateUsage, Subscription
from config.platform.admin import cells
from config.platform.admin.cells import Tone


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind of entry is drawn, and what is said of it once it happened and while it is to come."""

    icon: str
    past: str
    future: str = ""
    tone: Tone = Tone.NEUTRAL


LOOKS = {
    Kind.CREATED: Look("note_add", "Agreed: {name}"),
    Kind.WAITS_FOR_PAYMENT: Look("hourglass_top", "Waits for its first payment", tone=Tone.WARN),
    Kind.STARTED: Look("play_circle", "Started: {name}", "Starts: {name}", Tone.GOOD),
    Kind.ACTIVATED: Look("payments", "Activated by its first payment", tone=Tone.GOOD),
    Kind.CHANGE_CANCELED: Look("event_busy", "Change to {name} called off"),
    Kind.CHANGE_SCHEDULED: Look("event", "Change from {before} to {name} scheduled", tone=Tone.INFO),
    Kind.PLAN_CHANGED: Look("swap_horiz", "{before} → {name}", "{before} → {name}", Tone.ACCENT),
    Kind.TERMS_CHANGED: Look("sell", "Other prices: {name}", "Other prices: {name}", Tone.ACCENT),
    Kind.UNITS_CHANGED: Look("exposure", "Units agreed: {name}", "Units change: {name}", Tone.ACCENT),
    Kind.AGREEMENT_CHANGED: Look("edit_note", "Changed: {name}"),
    Kind.CONTRACT_PHASE: Look("stacks", "Phase of the contract: {name}", "Phase of the contract: {name}", Tone.ACCENT),
    Kind.CONTRACT_RENEWED: Look("autorenew", "Contract {name} renewed", "Contract {name} renews", Tone.GOOD),
    Kind.CONTRACT_AMENDED: Look("history_edu", "Contract {name} amended: {before}"),
    Kind.CONTRACT_NOTICE: Look("unsubscribe", "Notice given of contract {name}", tone=Tone.WARN),
    Kind.CONTRACT_ENDS: Look("event_busy", "Contract {name} ended", "Contract {name} ends", Tone.WARN),
    Kind.VERSION_MIGRATION: Look("published_with_changes", "Moved to {name}", "Moves to {name}", Tone.INFO),
    Kind.TRIAL_ENDED: Look("timer_off", "Trial over", "The trial ends", Tone.INFO),
    Kind.PAUSED: Look("pause_circle", "Paused", tone=Tone.WARN),
    Kind.RESUMED: Look("resume", "Resumed: {name}", "Resumes: {name}", Tone.GOOD),
    Kind.ENDED: Look("stop_circle", "Ended: {name}", "Ends", Tone.BAD),
    Kind.CANCELED: Look("cancel", "Canceled: {name}", tone=Tone.BAD),
    Kind.PAYMENT_DEADLINE: Look("hourglass_bottom", "", "Canceled unless its first payment comes by then", Tone.WARN),
    Kind.INVOICE: Look("receipt_long", "Invoice {name}", tone=Tone.INFO),
    Kind.PROGRESSIVE_INVOICE: Look("bolt", "Invoice at a usage threshold {name}", tone=Tone.INFO),
    Kind.CREDIT_NOTE: Look("undo", "Credit note {name}", tone=Tone.WARN),
    Kind.LATE_USAGE: Look("more_time", "Late usage of the period billed on {name}", tone=Tone.WARN),
    Kind.ALERT: Look("notifications_active", "Alert: {name}", tone=Tone.WARN),
    Kind.CAP_REACHED: Look("vertical_align_top", "Spend cap reached", tone=Tone.BAD),
    Kind.END_NOTICE: Look("upcoming", "Its end was announced, {count} days before {name}", tone=Tone.WARN),
}

_STATES = {
    "draft": ("draft", Tone.WARN),
    "open": ("waits for payment", Tone.WARN),
    "voided": ("voided", Tone.NEUTRAL),
    "closed": ("closed", Tone.NEUTRAL),
    "overdue": ("overdue", Tone.BAD),
    "partly_paid": ("partly paid", Tone.WARN),
    "paid": ("paid", Tone.GOOD),
    "payment_failed": ("payment failed", Tone.BAD),
    "to_pay": ("open", Tone.NEUTRAL),
    "written_off": ("written off", Tone.NEUTRAL),
    "submitted": ("waits for approval", Tone.WARN),
    "approved": ("approved", Tone.GOOD),
    "running": ("running", Tone.INFO),
    "withdrawn": ("withdrawn", Tone.NEUTRAL),
}
_LATE_TONES = {LateUsage.State.HELD: Tone.WARN, LateUsage.State.CORRECTED: Tone.GOOD}
_AGREED = {
    "agree_terms": "own terms agreed",
    "end_terms": "back to the plan's",
    "move_version": "another version of the plan",
}


def title(entry: Entry, *, is_planned: bool = False) -> str:
    """Return the sentence of an entry."""
    look = LOOKS[entry.kind]
    name = entry.name
    if entry.kind in (Kind.LATE_USAGE, Kind.END_NOTICE):
        name = cells.day_text(_day(name))
    elif entry.kind is Kind.TERMS_CHANGED:
        name = _AGREED.get(name, name)
    elif entry.kind is Kind.AGREEMENT_CHANGED:
        name = name.replace("_", " ")
    words = look.future if is_planned else look.past
    return words.format(name=name, before=entry.before, count=entry.count).strip()


def details(entry: Entry) -> str:
    """Return what stands below the sentence: prices, the new term, the fee in a pause, who did it and why."""
    parts = [_price(entry), _term(entry), _pause(entry)]
    if entry.kind is Kind.CANCELED and entry.state:
        parts.append(Subscription.CancellationReason(entry.state).label)
    parts += [entry.by, entry.reason]
    return " · ".join(part for part in parts if part)


def badge(entry: Entry) -> object:
    """Return the state of a document or decision, or nothing."""
    if entry.kind is Kind.LATE_USAGE:
        state = LateUsage.State(entry.state)
        return cells.badge(state.label, _LATE_TONES.get(state, Tone.NEUTRAL))
    if entry.state in _STATES and entry.kind not in (Kind.PAUSED, Kind.CANCELED, Kind.CHANGE_CANCELED):
        return cells.badge(*_STATES[entry.state])
    return ""


def money(entry: Entry) -> object:
    """Return the amount of an entry about money, less than nothing for what is the customer's; else nothing."""
    if entry.amount is None or _is_price(entry):
        return ""
    return cells.money(-entry.amount if entry.kind is Kind.CREDIT_NOTE else entry.amount)


def _is_price(entry: Entry) -> bool:
    documents = (Kind.INVOICE, Kind.PROGRESSIVE_INVOICE, Kind.CREDIT_NOTE, Kind.LATE_USAGE)
    return entry.kind not in (*documents, Kind.ALERT, Kind.CAP_REACHED)


def _price(entry: Entry) -> str:
    if entry.amount is None or not _is_price(entry):
        return ""
    after = cells.money_text(entry.amount)
    if entry.amount_before is None or entry.amount_before == entry.amount:
        return f"fee {after}"
    return f"fee {cells.money_text(entry.amount_before)} → {after}"


def _term(entry: Entry) -> str:
    if entry.kind is not Kind.CONTRACT_RENEWED or "/" not in entry.before:
        return ""
    first, last = (cells.day_text(_day(part)) for part in entry.before.split("/"))
    return f"{first} – {last}"


def _pause(entry: Entry) -> str:
    if entry.kind is not Kind.PAUSED or not entry.state:
        return ""
    return f"fee: {Subscription.PauseFee(entry.state).label}"


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()
