"""What a verb's page says beforehand about second persons: above which limit somebody else approves it first.

Owns the words alone: which rule applies is decided by `approvals.demand` when it is done.
"""

from __future__ import annotations

from moneyed import Money

from config.platform.admin import cells
from config.platform.admin.blocks import Block, Note
from config.platform.admin.cells import Tone
from config.platform.models import ApprovalRule
from config.platform.queries import approvals as known
from config.platform.services import approval_actions


def of(*, action: str, amount: Money | None) -> tuple[Block, ...]:
    """Say who approves an action over an amount. Nothing where no rule covers it.

    Without an amount, and where a rule counts what went before, the rules themselves are told. Two queries at most.
    """
    rules = known.in_force(action=action)
    if not rules:
        return ()
    if amount is not None and (needed := known.needed(action=action, amount=amount)) is not None:
        return (Note(sure(needed, amount), Tone.WARN),)
    adds_up = approval_actions.one(action).adds_up
    counted = [rule for rule in rules if adds_up and rule.counts != ApprovalRule.Counts.EACH]
    if amount is not None and not counted:
        return ()
    words = "; ".join(_words(rule) for rule in (rules if amount is None else counted))
    return (Note(f"{words[:1].upper()}{words[1:]}.", Tone.INFO),)


def sure(needed: known.Needed, amount: Money | None) -> str:
    """The sentence about what waits for a second person as it is."""
    groups = " or ".join(needed.group_names)
    if needed.limit is not None:
        return f"Above the limit of {cells.money_text(needed.limit)}: {groups} approves it first."
    what = "It" if amount is None else cells.money_text(amount)
    return f"{what} waits for a second person: {groups} approves it first ({needed.why})."


def _words(rule: ApprovalRule) -> str:
    if rule.limit is None:
        return f"{rule.group.name} approves it first"
    limit = cells.money_text(rule.limit)
    if not approval_actions.one(rule.action).adds_up:
        return f"above the limit of {limit} {rule.group.name} approves it first"
    counts = {
        ApprovalRule.Counts.DOCUMENT: ", with what was before of the same,",
        ApprovalRule.Counts.CUSTOMER: ", with what the customer had before,",
    }.get(ApprovalRule.Counts(rule.counts), "")
    return f"above the limit of {limit}{counts} {rule.group.name} approves it first"
