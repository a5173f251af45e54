"""What corrects an invoice on which something is wrong: from what a person says is right to the fewest documents that
make it so. Owns the plan; knows no table and writes nothing.

A draft is computed anew. Of an issued invoice that billed too much a credit note gives the difference back; for too
little a line on the next invoice, or on an invoice of its own, bills it. Where the document itself is wrong (what it
says of the customer, its taxes), no other document can mend it: it is voided and another one takes its place.

Amounts of lines are in the terms of their price: gross where that includes its taxes, else net.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from moneyed import Money

from config.kernel import errors, money
from invoicing.domain import states, taxed_lines
from invoicing.domain.credit_notes import Limits, Split

NEXT_INVOICE = "next_invoice"
OWN_INVOICE = "own_invoice"
OWED_BY = (NEXT_INVOICE, OWN_INVOICE)

CREDIT = "credit"
REFUND = "refund"
GIVEN_BACK_BY = (CREDIT, REFUND)

_ONLY_CREDITED = ("credit", "advance_charges")
_MOST = Decimal(10) ** 15
_PLACES = 15


class NotCorrectable(errors.NotAllowed):
    """The invoice is in no state in which it can be corrected like this."""


class InvalidCorrection(errors.Invalid):
    """What is said to be right says nothing, contradicts itself, or cannot be billed."""


class Kind(StrEnum):
    """What a step of a correction makes."""

    ADJUST = "adjust"
    REFRESH = "refresh"
    DROP = "drop"
    CREDIT_NOTE = "credit_note"
    NEXT_INVOICE = "next_invoice"
    OWN_INVOICE = "own_invoice"
    REPLACEMENT = "replacement"
    USAGE = "usage"


@dataclass(frozen=True)
class Line:
    """A line as it was billed, and as it stands by now.

    ``billed`` is its amount as agreed; ``net`` the same without tax and ``left`` what of that can still be credited.
    ``credited`` is what was given back of it, ``elsewhere`` what other documents bill of it since, ``waiting`` what
    waits for the next invoice: all as agreed.
    """

    id: int
    label: str
    units: Decimal
    unit_amount: Decimal
    billed: Money
    net: Money
    left: Money
    credited: Money
    elsewhere: Money
    waiting: Money

    @property
    def stands(self) -> Money:
        """Return what the customer is charged for it by now."""
        return self.billed - self.credited + self.elsewhere + self.waiting


@dataclass(frozen=True)
class Fix:
    """What is right about a line; None leaves it. One that is ``not_owed`` should not have been billed at all.

    ``unit_amount`` is in major units, unrounded. ``tax_ids`` are the taxes that it should have had.
    """

    line_id: int
    units: Decimal | None = None
    unit_amount: Decimal | None = None
    amount: Money | None = None
    not_owed: bool = False
    tax_ids: tuple[int, ...] | None = None

    @property
    def prices(self) -> bool:
        """Say whether it changes what the line comes to."""
        return self.not_owed or self.amount is not None or self.units is not None or self.unit_amount is not None


@dataclass(frozen=True)
class Priced:
    """What a line comes to by the price that it was billed by, for the units that are right."""

    units: Decimal
    unit_amount: Decimal
    amount: Money


@dataclass(frozen=True)
class Facts:
    """An invoice as the plan has to know it. ``can_wait`` says that a next invoice of its kind comes."""

    status: str
    kind: str
    currency: str
    lines: tuple[Line, ...]
    can_wait: bool


@dataclass(frozen=True)
class Change:
    """A line before and after, as agreed. ``net`` is what a credit note gives back of it, nothing elsewhere.

    ``own`` is what the line of a document in the place of this one comes to. ``dropped`` is what waited for the next
    invoice and is not billed any more, so that the documents know one difference alone.
    """

    line_id: int
    label: str
    units: Decimal
    unit_amount: Decimal
    before: Money
    after: Money
    own: Money
    net: Money
    dropped: Money
    tax_ids: tuple[int, ...] | None = None

    @property
    def difference(self) -> Money:
        """Return what documents charge more, or less."""
        return self.after - self.before + self.dropped


@dataclass(frozen=True)
class Step:
    """One thing to be made, with the lines that it is about."""

    kind: Kind
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The fewest documents that make an invoice right, in the order in which they are made."""

    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return the lines that change."""
        return tuple(change for step in self.steps for change in step.changes)


def plan(
    *,
    facts: Facts,
    fixes: Sequence[Fix],
    priced: Mapping[int, Priced] | None = None,
    replaces: bool = False,
    owed_by: str = "",
) -> Plan:
    """Return what makes an invoice right.

    ``priced`` are lines by the price that they were billed by; others come to units times unit price, rounded once,
    half up. With ``replaces`` the document itself is wrong. ``owed_by`` says which invoice bills what was too little:
    the next one where one comes, unless said otherwise. Raises NotCorrectable (`not_correctable`, `no_next_invoice`)
    and InvalidCorrection.
    """
    if owed_by and owed_by not in OWED_BY:
        raise _wrong("owed_by", "value_is_invalid", f"{owed_by} is no invoice that can bill it.")
    if facts.status not in (states.DRAFT, states.FINALIZED):
        raise NotCorrectable("not_correctable", f"An invoice that is {facts.status} is not corrected.")
    _demand(facts, fixes)
    by_line = {fix.line_id: fix for fix in fixes}
    changes = [_change(line, by_line.get(line.id), (priced or {}).get(line.id), facts.currency) for line in facts.lines]
    wrong = [one for one in changes if one.after != one.before or one.tax_ids is not None]
    if facts.status == states.DRAFT:
        return _of_draft(wrong, replaces=replaces)
    replaces = replaces or any(one.tax_ids is not None for one in wrong)
    if not wrong and not replaces:
        raise InvalidCorrection(
            "nothing_to_correct", "The invoice says that already.", {"base": ["nothing_to_correct"]}
        )
    if replaces:
        return Plan((Step(Kind.REPLACEMENT, tuple(_standing_alone(one) for one in _kept(facts, changes, wrong))),))
    return Plan(tuple(_documents(facts, wrong, owed_by)))


def split(*, total: Money, limits: Limits, given_back_by: str = CREDIT) -> Split:
    """Send what a correction gives back: off what is due first, then a refund where one is wanted, the rest as credit.

    Never more than was paid is refunded, and what cannot be credit is refunded too. Amounts are gross.
    """
    offset = min(total, limits.offsettable)
    rest = total - offset
    refund = min(rest, limits.refundable) if given_back_by == REFUND else rest - min(rest, limits.creditable)
    return Split(credit=rest - refund, refund=refund, offset=offset)


def edited(*, change: Change) -> tuple[Decimal, Decimal]:
    """Return units and unit price with which a line comes to its own amount, keeping what is right of both."""
    currency = change.own.currency.code
    if _product(change.units, change.unit_amount, currency) == change.own:
        return change.units, change.unit_amount
    return _by_units(change.units, change.own)


def difference(*, change: Change, line: Line) -> tuple[Decimal, Decimal]:
    """Return units and unit price of a line that bills the difference: what changed of both, where one did."""
    currency = change.after.currency.code
    tries = (
        (change.units - line.units, line.unit_amount),
        (line.units, change.unit_amount - line.unit_amount),
    )
    for units, unit_amount in tries:
        if units and unit_amount and _product(units, unit_amount, currency) == change.difference:
            return units, unit_amount
    return Decimal(1), change.difference.amount


def _of_draft(wrong: Sequence[Change], *, replaces: bool) -> Plan:
    if any(one.tax_ids is not None for one in wrong):
        message = "A draft is taxed by the customer, its seller or its prices: correct the taxes there."
        raise InvalidCorrection("invalid_status", message, {"tax_codes": ["invalid_status"]})
    steps = []
    if wrong:
        steps.append(Step(Kind.ADJUST, tuple(wrong)))
    if replaces or not steps:
        steps.append(Step(Kind.REFRESH))
    return Plan(tuple(steps))


def _documents(facts: Facts, wrong: Sequence[Change], owed_by: str) -> list[Step]:
    less = [_credited(one, facts) for one in wrong if one.difference.amount < 0]
    more = [one for one in wrong if one.difference.amount > 0]
    dropped = [one for one in wrong if one.dropped]
    steps = [Step(Kind.DROP, tuple(dropped))] if dropped else []
    if less:
        steps.append(Step(Kind.CREDIT_NOTE, tuple(less)))
    if more:
        if facts.kind in _ONLY_CREDITED:
            raise NotCorrectable("not_correctable", "Nothing more is billed for an invoice of this kind.")
        if owed_by == NEXT_INVOICE and not facts.can_wait:
            raise NotCorrectable("no_next_invoice", "No invoice comes that could bill it: bill it by one of its own.")
        waits = facts.can_wait and owed_by != OWN_INVOICE
        steps.append(Step(Kind.NEXT_INVOICE if waits else Kind.OWN_INVOICE, tuple(more)))
    return steps


def _kept(facts: Facts, changes: Sequence[Change], wrong: Sequence[Change]) -> list[Change]:
    """Return the lines that are not billed again as they were: those that are wrong, and those credited before."""
    if facts.kind in _ONLY_CREDITED:
        raise NotCorrectable("not_correctable", "An invoice of this kind is not replaced: credit it.")
    named = {one.line_id for one in wrong}
    billed = {line.id: line.billed for line in facts.lines}
    return [one for one in changes if one.line_id in named or one.own != billed[one.line_id]]


def _standing_alone(change: Change) -> Change:
    if change.own.amount < 0 <= change.after.amount:
        message = f"Other documents bill more of {change.label} since: correct those first."
        raise NotCorrectable("not_correctable", message)
    return change


def _credited(change: Change, facts: Facts) -> Change:
    """Return a change with the net amount that is credited, to the minor unit no more than is left."""
    line = next(line for line in facts.lines if line.id == change.line_id)
    includes_taxes = line.billed != line.net
    share = taxed_lines.net_share(
        amount=-change.difference.amount,
        gross=line.billed.amount if includes_taxes else None,
        net=line.net.amount,
    )
    net = Money(money.quantize(share, currency=facts.currency), facts.currency)
    # Parts of a price with its taxes in it are rounded to net one by one: all of them may miss the whole by a unit.
    near = money.from_minor(1 if includes_taxes else 0, facts.currency)
    if net > line.left + near or not line.left:
        code = "higher_than_remaining_fee_amount"
        message = f"No more than {line.left} is left of {change.label} on this invoice: correct what billed the rest."
        raise InvalidCorrection(code, message, {"fees": [code]})
    whole = not change.after and line.left - net <= near
    return _with_net(change, line.left if whole else min(net, line.left))


def _with_net(change: Change, net: Money) -> Change:
    return Change(
        line_id=change.line_id,
        label=change.label,
        units=change.units,
        unit_amount=change.unit_amount,
        before=change.before,
        after=change.after,
        own=change.own,
        net=net,
        dropped=change.dropped,
        tax_ids=change.tax_ids,
    )


def _change(line: Line, fix: Fix | None, priced: Priced | None, currency: str) -> Change:
    units, unit_amount, after = line.units, line.unit_amount, line.stands
    if fix is not None and fix.not_owed:
        units, after = Decimal(0), money.zero(currency)
    elif fix is not None and fix.amount is not None:
        after = fix.amount
        units, unit_amount = _by_units(line.units, after)
    elif fix is not None and fix.prices:
        if priced is not None:
            units, unit_amount, after = priced.units, priced.unit_amount, priced.amount
        else:
            units = line.units if fix.units is None else fix.units
            unit_amount = line.unit_amount if fix.unit_amount is None else fix.unit_amount
            after = _product(units, unit_amount, currency)
    return Change(
        line_id=line.id,
        label=line.label,
        units=units,
        unit_amount=unit_amount,
        before=line.stands,
        after=after,
        own=after - line.elsewhere,
        net=money.zero(currency),
        dropped=line.waiting if after != line.stands else money.zero(currency),
        tax_ids=None if fix is None else fix.tax_ids,
    )


def _by_units(units: Decimal, amount: Money) -> tuple[Decimal, Decimal]:
    """Return units and unit price of an amount: the units as they are, where they divide it."""
    if not amount:
        return Decimal(0), Decimal(0)
    if units:
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            each = money.round_half_up(amount.amount / units, _PLACES)
        if each >= 0 and _product(units, each, amount.currency.code) == amount:
            return units, each
    return Decimal(1), amount.amount


def _product(units: Decimal, unit_amount: Decimal, currency: str) -> Money:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return Money(money.quantize(units * unit_amount, currency=currency), currency)


def _demand(facts: Facts, fixes: Sequence[Fix]) -> None:
    known = {line.id for line in facts.lines}
    if len({fix.line_id for fix in fixes}) != len(fixes) or any(fix.line_id not in known for fix in fixes):
        raise _wrong("fees", "fee_not_found", "A line is not on this invoice, or named twice.")
    for fix in fixes:
        says = [fix.not_owed, fix.amount is not None, fix.units is not None or fix.unit_amount is not None]
        if sum(says) > 1:
            raise _wrong("fees", "value_is_invalid", "Say the amount, or units and unit price, or that it is not owed.")
        if not any(says) and fix.tax_ids is None:
            raise _wrong("fees", "value_is_mandatory", "Say what is right about the line.")
        for name, value in (("units", fix.units), ("unit_precise_amount", fix.unit_amount)):
            if value is not None and not (value.is_finite() and 0 <= value < _MOST):
                raise _wrong(name, "value_is_out_of_range", f"{value} cannot be billed.")
        if fix.amount is not None:
            if fix.amount.currency.code != facts.currency:
                raise _wrong("amount_cents", "currencies_does_not_match", f"The invoice is in {facts.currency}.")
            if fix.amount.amount < 0:
                raise _wrong("amount_cents", "value_is_out_of_range", "A line is not billed below nothing.")
            money.to_minor(fix.amount)


def _wrong(field: str, code: str, message: str) -> InvalidCorrection:
    return InvalidCorrection(code, message, {field: [code]})
