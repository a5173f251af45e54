"""From drafted invoices to rehearsed ones: each beside the period before, with causes, flags and inputs.

Owns the composition for a chunk of invoices, in a fixed number of statements. Nothing is saved here, so that the rows
outlive the play that they were read in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, localcontext

from moneyed import Money

from billing.domain import bill_differences, outliers, rehearsal_inputs, rehearsed_lines
from billing.domain.outliers import Conspicuous, ItemUsage, Rule, RuleKind
from billing.models import OutlierRule, Rehearsal, RehearsedInvoice
from billing.queries import made_bills, previous_bills
from billing.queries.made_bills import MadeBill
from billing.services import rehearsal_absences as absences
from billing.services import rehearsal_befores as befores
from billing.services.rehearsal_befores import Before
from config.kernel import money
from invoicing.models import InvoiceLine

_RECURRING = (InvoiceLine.Kind.SUBSCRIPTION, InvoiceLine.Kind.FIXED_CHARGE, InvoiceLine.Kind.COMMITMENT)


def active_rules() -> list[Rule]:
    """Return the active outlier rules as plain values."""
    return [
        Rule(
            name=row.name,
            kind=RuleKind(row.kind),
            factor=row.factor,
            amount=None if row.amount is None else row.amount.amount,
            currency=row.currency,
        )
        for row in OutlierRule.objects.filter(is_active=True)
    ]


def of_invoices(
    *,
    rehearsal: Rehearsal,
    invoice_ids: Collection[int],
    due: Mapping[tuple[int, str], date],
    rules: Sequence[Rule],
    last_invoice_id: int,
    at: datetime,
) -> list[RehearsedInvoice]:
    """Return unsaved rows of invoices that are there, in their order. Those up to ``last_invoice_id`` stay there.

    Subscriptions that were ``due``, by customer and external id, and are on none of them, though they were on invoices
    the period before, make rows of nothing.
    """
    bills = made_bills.of_invoices(invoice_ids=invoice_ids)
    chains = previous_bills.of_customers(
        customer_ids={bill.invoice.customer_id for bill in bills} | {customer_id for customer_id, _ in due}
    )
    rows_before = {bill.invoice.pk: befores.rows_of(bill=bill, chains=chains) for bill in bills}
    absent = absences.of(due=due, bills=bills, compared=rows_before, chains=chains)
    wanted = {row.invoice_id for rows in rows_before.values() for row in rows if row.invoice_id is not None}
    wanted |= {row.invoice_id for one in absent for row in one.rows if row.invoice_id is not None}
    known = {bill.invoice.pk: bill for bill in made_bills.of_invoices(invoice_ids=wanted)}
    pasts = {
        bill.invoice.pk: befores.past(
            customer_id=bill.invoice.customer_id, names=bill.subscriptions, day=bill.billing_date, chains=chains
        )
        for bill in bills
    }
    for one in absent:
        one.past.update(
            befores.past(
                customer_id=one.customer_id, names={row.external_id for row in one.rows}, day=one.day, chains=chains
            )
        )
    found = [*pasts.values(), *(one.past for one in absent)]
    usage = previous_bills.usage(period_ids={row.period_id for past in found for rows in past.values() for row in rows})
    made = []
    for bill in bills:
        before = befores.of(
            customer_id=bill.invoice.customer_id,
            currency=bill.invoice.currency,
            rows=rows_before[bill.invoice.pk],
            known=known,
            chains=chains,
        )
        items = befores.usage_of(
            lines=bill.lines,
            names={
                period.subscription.external_id
                for period in bill.periods
                if period.charges_from_at < period.charges_to_at
            },
            past=pasts[bill.invoice.pk],
            usage=usage,
        )
        made.append(_row(rehearsal, bill, before, items, rules, last_invoice_id, at))
    made += absences.rows(
        rehearsal=rehearsal, absent=absent, known=known, chains=chains, usage=usage, rules=rules, at=at
    )
    return made


def _row(
    rehearsal: Rehearsal,
    bill: MadeBill,
    before: Before,
    usage: tuple[ItemUsage, ...],
    rules: Sequence[Rule],
    last_invoice_id: int,
    at: datetime,
) -> RehearsedInvoice:
    invoice, inputs = bill.invoice, bill.inputs()
    code = invoice.currency
    lines = [shown for _, shown in bill.billed_lines(currency=code)]
    continuing = before.subscriptions & bill.subscriptions if before.bills else frozenset()
    compared = bill_differences.compare(
        now=lines, before=before.lines, sums_now=bill.sums(), sums_before=before.sums, continuing=continuing
    )
    same = [line for line in before.lines if not line.is_other_currency]
    gross = sum(line.amount_minor for line in same) - before.sums.discount
    previous_net = money.from_minor(gross - before.progressive, code)
    previous = money.from_minor(gross + before.sums.tax - before.sums.credits, code)
    has_before = bool(before.bills)
    expected, recurring = _expected(bill)
    found = outliers.flags(
        rules=rules,
        found=Conspicuous(
            currency=code,
            subtotal=invoice.net_amount.amount,
            total=invoice.total_amount.amount,
            previous=previous_net.amount if has_before else None,
            expected=None if expected is None else expected.amount,
            recurring=recurring,
            usage=usage,
            taxes=bill.taxes,
            previous_taxes=before.taxes if has_before and same else None,
            purchase_order=invoice.purchase_order_number,
            usual_purchase_order=before.purchase_order,
        ),
    )
    return RehearsedInvoice(
        created_at=at,
        rehearsal=rehearsal,
        customer_id=invoice.customer_id,
        billing_entity_id=invoice.billing_entity_id,
        billing_date=bill.billing_date,
        purchase_order_number=invoice.purchase_order_number,
        group_sha256=bill.group_sha256,
        currency=code,
        subtotal_amount=invoice.net_amount,
        tax_amount=invoice.taxes_amount,
        total_amount=invoice.total_amount,
        due_amount=invoice.total_amount - invoice.offset_amount - invoice.paid_amount,
        previous_id=max((one.invoice.pk for one in before.bills if one.invoice.pk <= last_invoice_id), default=None),
        previous_subtotal_amount=previous_net if has_before else None,
        previous_amount=previous if has_before else None,
        expected_amount=expected,
        difference_amount=money.from_minor(compared.difference, code),
        causes={cause.value: amount for cause, amount in compared.causes.items()},
        flags=[{"rule": flag.rule, "kind": flag.kind.value, "says": flag.says} for flag in found],
        is_flagged=bool(found),
        lines=[rehearsed_lines.written(line, is_continuing=line.subscription in continuing) for line in lines],
        previous_lines=[
            rehearsed_lines.written(line, is_continuing=line.subscription in continuing) for line in before.lines
        ],
        inputs=inputs,
        inputs_sha256=rehearsal_inputs.digest(inputs),
    )


def _expected(bill: MadeBill) -> tuple[Money | None, Decimal]:
    """Return what is agreed for whole periods, in all of its subscriptions: fees and fixed charges, at least what was
    committed to; nothing where no fee is due. Beside it what the invoice bills of it: usage counts as far as it
    fills what was committed to.
    """
    code = bill.invoice.currency
    recurring = sum((line.amount.amount for line in bill.lines if line.kind in _RECURRING), Decimal(0))
    agreed: dict[str, Decimal] = {}
    with localcontext(money.DECIMAL_CONTEXT):
        for line in bill.lines:
            if line.kind == InvoiceLine.Kind.FIXED_CHARGE:
                days, of_days = rehearsal_inputs.days_of(_trace(bill, line))
                whole = line.amount.amount * of_days / days if days else line.amount.amount
                agreed[line.group_key] = agreed.get(line.group_key, Decimal(0)) + whole
        for period in bill.periods:
            version, name = period.plan_version, period.subscription.external_id
            if version is None or not period.bills_fee:
                continue
            fee = agreed.get(name, Decimal(0)) + version.amount.amount
            least = getattr(version, "minimum_commitment", None)
            floor = Decimal(0) if least is None else money.from_minor(least.amount_cents, version.currency).amount
            agreed[name] = max(fee, floor)
            billed = [line for line in bill.lines if line.group_key == name]
            missing = floor - sum((line.amount.amount for line in billed if line.kind in _RECURRING), Decimal(0))
            used = sum((line.amount.amount for line in billed if line.kind == InvoiceLine.Kind.CHARGE), Decimal(0))
            recurring += max(min(missing, used), Decimal(0))
        if not any(period.bills_fee for period in bill.periods):
            return None, recurring
        return Money(money.quantize(sum(agreed.values(), Decimal(0)), currency=code), code), recurring


def _trace(bill: MadeBill, line: InvoiceLine) -> Mapping[str, object]:
    origin = bill.origins.get(line.pk)
    return {} if origin is None else origin.trace
