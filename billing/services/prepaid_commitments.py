"""Prepaid commitments of contracts: invoiced in instalments, which grant credit that the contract's invoices draw down.

Owns when an instalment is invoiced, what it grants, and what becomes of the rest at the end. Days and amounts are
`prepaid_instalments`'; drawing is invoicing's. Lock the contract before: every function here needs its transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from billing.domain import prepaid_instalments
from billing.domain.contract_terms import Span
from billing.domain.prepaid_instalments import Instalment
from billing.models import Contract, ContractCommitment, ContractItem, PrepaidInstalment
from billing.queries import contract_lines
from billing.queries import prepaid_commitments as known
from billing.services import contract_rows
from config.kernel import actors, dates, db, errors
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.domain.specs import InvoiceSpec, LineSpec
from invoicing.models import Invoice, PrepaidCredit
from invoicing.services import invoices, prepaid_credits
from invoicing.services.prepaid_credits import Grant

LABEL = "Prepaid commitment"
_GOING = (Contract.State.ACTIVE, Contract.State.ENDED)
_Kind = ContractCommitment.Kind


@transaction.atomic
def move_on(*, commitment_id: int, actor: Actor, at: datetime) -> ContractCommitment:
    """Invoice the instalments that have come, and close what is left once the commitment's days are over and billed.

    May be called any number of times. A commitment is settled when all of its instalments are invoiced and nothing of
    their credit is left. Raises what drafting raises.
    """
    contract_id = ContractCommitment.objects.values_list("contract_id", flat=True).get(pk=commitment_id)
    contract = contract_rows.locked(contract_id)
    commitment = db.lock_one(ContractCommitment.objects.filter(pk=commitment_id))
    commitment.contract = contract
    if commitment.kind != _Kind.PREPAID or commitment.settled_at is not None or contract.state not in _GOING:
        return commitment
    _invoice([commitment], contract, actor, at)
    # A payment may have granted credit beside an amendment that neither saw.
    cover(contract=contract, actor=actor, at=at)
    _close(commitment, contract, actor, at)
    _settle(commitment, at)
    return commitment


def invoice_due(*, contract: Contract, actor: Actor, at: datetime) -> None:
    """Invoice the instalments of a locked contract that have come. Idempotent."""
    rows = db.lock(ContractCommitment.objects.filter(contract=contract, kind=_Kind.PREPAID, settled_at__isnull=True))
    for row in rows:
        row.contract = contract
    _invoice(rows, contract, actor, at)


def cover(*, contract: Contract, actor: Actor, at: datetime) -> None:
    """Let the credit of a locked contract pay the products that were added to it. Idempotent."""
    ids = [
        credit.pk
        for row in ContractCommitment.objects.filter(contract=contract, kind=_Kind.PREPAID)
        for credit in known.credits_of(row)
    ]
    prepaid_credits.widen(credit_ids=ids, group_keys=_groups(contract), actor=actor, at=at)


@transaction.atomic
def grant_paid(*, invoice_id: int) -> None:
    """Grant the credit of the instalments on an invoice that was paid. Other invoices are left alone. Idempotent."""
    rows = PrepaidInstalment.objects.filter(line__invoice_id=invoice_id, credit__isnull=True)
    found = list(rows.select_related("commitment__contract").order_by("pk"))
    if not found:
        return
    at = Invoice.objects.values_list("updated_at", flat=True).get(pk=invoice_id)
    for row in found:
        _grant(row, actors.job("prepaid commitments"), at)


def require_not_granted(*, invoice_id: int) -> None:
    """Refuse to take back that an invoice was paid whose payment granted credit: it may be used. Other invoices, and
    credit that was granted at issue, are none of it. Raises NotAllowed (`prepaid_credit_granted`).
    """
    rows = PrepaidInstalment.objects.filter(
        line__invoice_id=invoice_id, credit__isnull=False, commitment__grant_on=ContractCommitment.GrantOn.PAYMENT
    )
    if rows.exists():
        raise errors.NotAllowed(
            "prepaid_credit_granted", "The invoice granted prepaid credit when it was paid: it stays paid."
        )


def require_unused(*, invoice_id: int) -> None:
    """Refuse to void an invoice whose instalments granted credit, whenever: it may be used. Other invoices are none of
    it. Raises NotAllowed (`not_voidable`).
    """
    if PrepaidInstalment.objects.filter(line__invoice_id=invoice_id, credit__isnull=False).exists():
        raise errors.NotAllowed("not_voidable", "The invoice granted prepaid credit that may be used: it stands.")


def _invoice(commitments: Sequence[ContractCommitment], contract: Contract, actor: Actor, at: datetime) -> None:
    """Invoice what has come and is not invoiced: an invoice for each instalment, issued at once."""
    today = contract_rows.today(contract, at)
    done = set(PrepaidInstalment.objects.filter(commitment__in=commitments).values_list("commitment_id", "number"))
    wanted = [
        (commitment, one)
        for commitment in commitments
        for one in prepaid_instalments.come(
            planned=known.planned(commitment), today=today, cut_on=commitment.cut_on, is_whole=commitment.is_whole
        )
        if (commitment.pk, one.number) not in done
    ]
    if not wanted:
        return
    drafts = invoices.draft_many(
        specs=[_spec(contract, commitment, one, at) for commitment, one in wanted], actor=actor, at=at
    )
    made = [
        PrepaidInstalment.objects.create(
            created_at=at,
            commitment=commitment,
            number=one.number,
            due_on=min(one.due_on, today),
            currency=commitment.currency,
            amount=one.amount,
            line=draft.lines[0],
        )
        for (commitment, one), draft in zip(wanted, drafts, strict=True)
    ]
    invoices.finalize_many(invoice_ids=[draft.invoice.pk for draft in drafts], actor=actor, at=at)
    for row in made:
        if row.commitment.grant_on == ContractCommitment.GrantOn.ISSUE:
            _grant(row, actor, at)


def _spec(contract: Contract, commitment: ContractCommitment, one: Instalment, at: datetime) -> InvoiceSpec:
    customer = contract.customer
    time = contract_lines.period(contract, one.span)
    label = commitment.invoice_name or LABEL
    line = LineSpec(
        kind="credit",
        item_code=contract.number,
        item_name=contract.name,
        label=label if one.of == 1 else f"{label} – {one.number} of {one.of}",
        units=Decimal(1),
        unit_amount=one.amount.amount,
        precise_amount=one.amount.amount,
        amount=one.amount,
        from_at=time.start,
        to_at=time.end,
        group_key=contract.number,
        group_label=f"{contract.number} {contract.name}"[:255],
    )
    return InvoiceSpec(
        customer_id=customer.pk,
        billing_entity_id=customer.billing_entity_id,
        currency=commitment.currency,
        timezone=customer.applicable_timezone,
        billed_at=at,
        lines=(line,),
        purchase_order_number=contract.purchase_order_number,
        kind=Invoice.Kind.CREDIT,
    )


def _grant(row: PrepaidInstalment, actor: Actor, at: datetime) -> None:
    commitment = row.commitment
    contract, invoice = commitment.contract, row.line.invoice
    if invoice is None:
        return
    new = Grant(
        customer_id=contract.customer_id,
        billing_entity_id=invoice.billing_entity_id,
        amount=row.amount,
        valid_from=commitment.starts_on,
        valid_until=commitment.ends_on,
        source=f"{contract.number} {commitment.invoice_name or LABEL}",
        source_uuid=row.uuid,
        group_keys=_groups(contract),
    )
    row.credit = prepaid_credits.grant(new=new, actor=actor, at=at)
    row.save(update_fields=["credit"])


def _groups(contract: Contract) -> list[str]:
    """Return the keys under which the lines of a contract's products are on invoices: the ids of its subscriptions."""
    return sorted(ContractItem.objects.filter(contract=contract).values_list("external_id", flat=True))


def _close(commitment: ContractCommitment, contract: Contract, actor: Actor, at: datetime) -> None:
    """Let what is left expire, or go on, once all time of the commitment is billed and issued."""
    span = Span(commitment.starts_on, commitment.cut_on or commitment.ends_on)
    left = [row for row in known.credits_of(commitment) if row.status == PrepaidCredit.Status.ACTIVE]
    if not left or contract_rows.today(contract, at) <= span.last:
        return
    if not contract_lines.is_billed(contract=contract, span=span) or contract_lines.has_drafts(
        contract=contract, span=span
    ):
        return
    following = _following(commitment)
    is_undecided = contract.state == Contract.State.ACTIVE and contract.ends_on <= commitment.ends_on
    if commitment.rolls_over and commitment.cut_on is None and is_undecided:
        # Neither renewed nor ended yet, however late that is: what would expire now could not go on.
        return
    for credit in left:
        if following is None:
            prepaid_credits.expire(credit_id=credit.pk, on=span.last, actor=actor, at=at)
        else:
            prepaid_credits.roll_over(
                credit_id=credit.pk,
                valid_until=following.ends_on,
                source=f"{contract.number} {following.invoice_name or LABEL}, rolled over",
                on=span.last,
                actor=actor,
                at=at,
            )


def _following(commitment: ContractCommitment) -> ContractCommitment | None:
    if not commitment.rolls_over or commitment.cut_on is not None:
        return None
    return ContractCommitment.objects.filter(follows=commitment).order_by("pk").first()


def _settle(commitment: ContractCommitment, at: datetime) -> None:
    rows = list(PrepaidInstalment.objects.filter(commitment=commitment))
    expected = prepaid_instalments.expected(
        planned=known.planned(commitment), cut_on=commitment.cut_on, is_whole=commitment.is_whole
    )
    is_over = _day(at, commitment.contract) > (commitment.cut_on or commitment.ends_on)
    is_granted = len(rows) == expected and all(row.credit_id is not None for row in rows)
    if not is_over or not is_granted or any(row.left for row in known.credits_of(commitment)):
        return
    commitment.settled_at = at
    commitment.save(update_fields=["settled_at"])
    audit.record(
        actor=actors.job("prepaid commitments"),
        at=at,
        verb="settle_commitment",
        instance=commitment.contract,
        new={"commitment": str(commitment)},
    )


def _day(at: datetime, contract: Contract) -> date:
    return dates.local_date(at, contract_rows.zone(contract))
