"""How far a quote is, on its page: who agreed to it and why they had to, what the customer was sent and said, what was
made of it, and its versions with what differs between any two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.safestring import SafeString
from moneyed import Money

from billing.admin import quote_blocks, quote_differences
from billing.models import Order, OrderForm, QuoteApproval, QuoteDelivery, QuoteVersion
from billing.queries.quotes import ApprovalView, QuoteView, VersionView
from config.kernel import money
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Fact, Facts, Note, Row, Table, columns
from config.platform.admin.cells import Tone

Approval = QuoteApproval.State
APPROVAL = {
    Approval.PENDING: Tone.WARN,
    Approval.APPROVED: Tone.GOOD,
    Approval.REJECTED: Tone.BAD,
    Approval.DROPPED: Tone.NEUTRAL,
}
FORM = {
    OrderForm.State.GENERATED: Tone.INFO,
    OrderForm.State.SIGNED: Tone.GOOD,
    OrderForm.State.DECLINED: Tone.BAD,
    OrderForm.State.EXPIRED: Tone.NEUTRAL,
    OrderForm.State.VOIDED: Tone.NEUTRAL,
}
ORDER = {Order.State.CREATED: Tone.INFO, Order.State.EXECUTED: Tone.GOOD, Order.State.FAILED: Tone.BAD}
MAIL = {"pending": Tone.INFO, "sent": Tone.GOOD, "failed": Tone.BAD, "bounced": Tone.BAD, "dropped": Tone.NEUTRAL}


def next_step(view: QuoteView, *, mine: int) -> tuple[Block, ...]:
    """What the quote waits for, and whose turn it is."""
    waiting = [one for one in view.approvals if one.state == Approval.PENDING]
    order = view.order
    if view.state == QuoteVersion.State.DRAFT and view.totals is None:
        return (Note("The draft is not complete: edit it, then submit it.", Tone.WARN),)
    if view.state == QuoteVersion.State.DRAFT:
        return (Note("A draft: nobody but the house sees it. Submit it when it is complete.", Tone.INFO),)
    if waiting:
        groups = " and ".join(dict.fromkeys(one.group for one in waiting))
        text = f"It waits for the consent of {groups}."
        return (Note(f"{text} Yours is asked for: approve or reject it." if mine else text, Tone.WARN),)
    if view.state == QuoteVersion.State.APPROVED:
        return (Note("It is approved and was not sent yet. Send it to the customer.", Tone.INFO),)
    if view.state == QuoteVersion.State.VOIDED and view.void_reason:
        return (Note(f"It was voided: {view.void_reason}", Tone.WARN),)
    if order is not None and order.state == Order.State.FAILED:
        return (Note(f"The order {order.number} could not be executed: {order.error}", Tone.BAD),)
    return ()


def approvals(view: QuoteView) -> Table:
    """Who has to agree, why, and what they said."""
    rows = tuple(Row(_approval(one)) for one in view.approvals)
    empty = "None: it needs nobody's consent." if view.submitted_at else "Rules are asked when it is submitted."
    note = ""
    if view.submitted_by and view.submitted_at is not None:
        note = (
            f"Submitted by {view.submitted_by} on {cells.instant_text(view.submitted_at)}. Nobody approves their own."
        )
    heads = columns("Who", "Why", "State", "Decided by", "Remark")
    return Table("Approvals", heads, rows, empty=empty, note=note)


def customer(view: QuoteView, mails: Sequence[QuoteDelivery]) -> tuple[Block, ...]:
    """What the customer was sent, and what the customer said: who, when, from where, and of which document."""
    form = view.order_form
    if form is None:
        text = "Nothing was sent. The document is made when the version is approved."
        return (Table("The customer", columns(""), (), empty=text),)
    return (answer(form), sent(mails))


def sent(mails: Sequence[QuoteDelivery]) -> Table:
    """The e-mails, the newest first."""
    rows = tuple(
        Row(
            (
                ", ".join(one.recipients),
                one.get_kind_display(),
                cells.badge(one.get_state_display(), MAIL.get(one.state, Tone.NEUTRAL)),
                cells.instant(one.sent_at),
                cells.hinted(one.error[:60], one.error) if one.error else cells.EMPTY,
            )
        )
        for one in mails
    )
    heads = columns("To", "What", "State", "Sent", "Problem")
    return Table("E-mails", heads, rows, empty="No e-mail went out. Send it from here.")


def made(view: QuoteView, *, user: Any) -> tuple[Block, ...]:
    """What the acceptance made; links are for whoever may look at what they lead to."""
    order = view.order
    if order is None:
        return ()
    return (
        Facts(
            "Order",
            (
                Fact("Order", cells.to(order, order.number)),
                Fact("State", order_state(order)),
                Fact("Executed", cells.instant(order.executed_at)),
                Fact("Contract", cells.to_if_seen(order.contract, user)),
                Fact("First invoice", cells.to_if_seen(order.invoice, user)),
                *((Fact("Problem", order.error),) if order.error else ()),
            ),
        ),
    )


def versions(view: QuoteView, *, compare_url: str) -> Table:
    """Every version, the newest first, with the way to what it changed."""
    numbers = [one.number for one in view.versions]
    rows = tuple(Row(_version(one, view, numbers, compare_url)) for one in view.versions)
    heads = columns("Version", "State", "A month#", "Over the term#", "Deepest discount#", "Made", "What changed")
    return Table("Versions", heads, rows)


def differences(first: QuoteVersion, second: QuoteVersion) -> Table:
    """What differs between two versions, term by term."""
    found = quote_differences.between(first, second)
    rows = tuple(Row((one.name, one.before or cells.EMPTY, one.after or cells.EMPTY)) for one in found)
    heads = columns("Term", f"Version {first.number}", f"Version {second.number}")
    return Table("Differences", heads, rows, empty="The two say the same.")


def _approval(one: ApprovalView) -> tuple[object, ...]:
    return (
        one.group,
        one.cause,
        cells.badge(Approval(one.state).label, APPROVAL[Approval(one.state)]),
        cells.stack(one.decided_by or cells.EMPTY, cells.instant(one.decided_at) if one.decided_at else ""),
        one.remark or cells.EMPTY,
    )


def order_state(order: Order) -> SafeString:
    """The state of an order."""
    return cells.badge(order.get_state_display(), ORDER[Order.State(order.state)])


def answer(form: OrderForm) -> Facts:
    """What the customer was sent and said: who, when, from where, and the digest of the document."""
    state = cells.badge(form.get_state_display(), FORM[OrderForm.State(form.state)])
    facts = [
        Fact("Order form", cells.code(form.number)),
        Fact("State", state),
        Fact("Sent to", form.sent_to or cells.EMPTY),
        Fact("Sent", cells.instant(form.sent_at)),
        Fact("First seen", cells.instant(form.first_seen_at)),
        Fact("Can be accepted until", cells.instant(form.expires_at)),
    ]
    if form.decided_at is not None:
        facts += [
            Fact("Answered", cells.instant(form.decided_at)),
            Fact("By", cells.stack(form.signer_name or cells.EMPTY, form.signer_title)),
            Fact("E-mail of the signer", form.signer_email or cells.EMPTY),
            Fact("From", cells.stack(form.signer_address or cells.EMPTY, form.signer_client[:80])),
            *((Fact("Signed on", cells.day(form.signed_on)),) if form.signed_on else ()),
            Fact("Recorded by", form.recorded_by or "the customer"),
        ]
    if form.reason:
        facts.append(Fact("Reason", form.reason))
    facts.append(Fact("Digest of the document", cells.code(form.sha256) if form.sha256 else "being made"))
    return Facts("The customer", tuple(facts))


def _version(one: VersionView, view: QuoteView, numbers: Sequence[int], url: str) -> tuple[object, ...]:
    before = one.number - 1
    change: object = cells.EMPTY
    if before in numbers:
        change = cells.link(f"against version {before}", f"{url}?from={before}&to={one.number}")
    shown = quote_blocks.state(one.state)
    return (
        f"Version {one.number}",
        cells.stack(shown, one.void_reason) if one.void_reason else shown,
        cells.EMPTY if one.recurring_amount is None else cells.money(Money(one.recurring_amount, view.currency)),
        cells.EMPTY if one.total_amount is None else cells.money(Money(one.total_amount, view.currency)),
        cells.percent(money.round_half_up(one.discount_rate, 4)),
        cells.instant(one.created_at),
        change,
    )
