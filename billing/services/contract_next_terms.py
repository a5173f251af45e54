"""The end of a term: the next one with its uplift, and the end of what is not renewed. Owns writing these; what is due
on which day is `billing.domain.renewals`', notice `contract_renewals`'.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import DateField, ExpressionWrapper, F
from moneyed import Money

from billing.domain import contract_states, contract_terms, renewals, uplifts
from billing.domain.contract_states import Verb
from billing.domain.contract_terms import Span
from billing.domain.ramps import Phase
from billing.domain.renewals import Decision, Renewal
from billing.domain.uplifts import Scope
from billing.models import Contract, ContractAmendment, ContractCommitment, ContractItem, ContractTerm, Subscription
from billing.queries import sold_contracts
from billing.services import contract_phases, contract_prices, contract_rows, contract_turns, webhook_types
from billing.services.contract_phases import Terms
from config.kernel import dates, db, money
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

_EASTERNMOST = timedelta(hours=14)


@transaction.atomic
@tellings.gathered
def renew_due(*, customer_ids: Collection[int], as_of: datetime, actor: Actor) -> int:
    """Renew the contracts of these customers whose deadline for notice has passed, and return how many those were.

    So that nobody bills a new term by the prices of the last one where the job is late. The caller holds the locks of
    the customers; one query where there is none. Raises as `renew_or_end`.
    """
    latest = dates.local_date(as_of + _EASTERNMOST, ZoneInfo("UTC"))
    deadline = ExpressionWrapper(F("ends_on") - F("notice_days"), output_field=DateField())
    rows = Contract.objects.filter(
        customer_id__in=customer_ids, state=Contract.State.ACTIVE, renewal=Contract.Renewal.AUTOMATIC
    )
    due = rows.annotate(deadline=deadline).filter(deadline__lt=latest).order_by("customer_id", "pk")
    ids = list(due.values_list("pk", flat=True))
    return sum(renew_or_end(contract_id=pk, actor=actor, at=as_of) is Decision.RENEW for pk in ids)


@transaction.atomic
@tellings.gathered
def renew_or_end(*, contract_id: int, actor: Actor, at: datetime) -> Decision:
    """Renew an active contract whose deadline for notice has passed, or end one whose last day is over; else wait.

    Terms that are missing after a long pause of the job are added one after the other. Returns what was done last;
    may be called any number of times. Raises what own terms and billing raise.
    """
    contract = contract_rows.locked(contract_id)
    done = Decision.WAIT
    while contract.state == Contract.State.ACTIVE:
        decision = renewals.decide(
            renewal=Renewal(contract.renewal),
            ends_on=contract.ends_on,
            notice_days=contract.notice_days,
            is_noticed=sold_contracts.notice(contract) is not None,
            today=contract_rows.today(contract, at),
        )
        if decision is Decision.WAIT:
            return done
        done = decision
        if decision is Decision.END:
            _end(contract, actor, at)
        else:
            _renew(contract, actor, at)
    return done


def _renew(contract: Contract, actor: Actor, at: datetime) -> None:
    """Add a term: its number is taken once, by the database."""
    terms = list(contract.terms.order_by("number"))
    months = [term.months for term in terms]
    last = terms[-1].ends_on
    if any(one is None for one in months):
        span = contract_terms.term(starts_on=_after(last), months=contract.renewal_months)
    else:
        elapsed = sum(one for one in months if one is not None)
        span = contract_terms.following(
            anchor=contract.starts_on, elapsed_months=elapsed, last=last, months=contract.renewal_months
        )
    rate = contract.uplift_rate
    term = ContractTerm.objects.create(
        created_at=at,
        contract=contract,
        number=terms[-1].number + 1,
        starts_on=span.first,
        ends_on=span.last,
        months=contract.renewal_months,
        uplift_rate=rate,
    )
    before = contract_rows.facts(contract)
    going_on = _until_the_end(contract)
    contract.ends_on, contract.updated_at = span.last, at
    contract.save(update_fields=["ends_on", "updated_at"])
    _commit_again(contract, terms[-1], span, rate, at)
    for item in going_on:
        if rate:
            _raise_prices(contract, item, span, rate, at)
        elif sold_contracts.minimum(item=item, day=last) != sold_contracts.minimum(item=item, day=span.first):
            _begin_anew(item, span, at)
        else:
            contract_phases.extend(item=item, last=span.last, at=at)
        contract_turns.prepare(item=item, at=at)
        current = sold_contracts.living(item)
        if current is not None:
            held = db.lock_one(Subscription.objects.select_related("plan_version__plan").filter(pk=current.pk))
            held.customer = contract.customer
            contract_turns.schedule_next(current=held, actor=actor, at=at)
    contract_rows.amend(
        contract=contract,
        kind=ContractAmendment.Kind.RENEWAL,
        effective_on=term.starts_on,
        before={"ends_on": last.isoformat()},
        after={
            "ends_on": span.last.isoformat(),
            "term": term.number,
            "uplift_rate": str(rate),
            "items": [contract_rows.noted_item(item) for item in going_on],
        },
        reason="No notice was given by the deadline.",
        actor=actor,
        at=at,
    )
    audit.record(actor=actor, at=at, verb="renew", instance=contract, old=before, new=contract_rows.facts(contract))
    tellings.tell(webhook_types.CONTRACT_RENEWED, contract, at=at)


def _raise_prices(contract: Contract, item: ContractItem, span: Span, rate: Decimal, at: datetime) -> None:
    """Add a phase for the new term, whose prices are those of the last one with the uplift."""
    phases = contract_phases.of(item)
    row = sold_contracts.phases(item)[-1]
    version = contract_prices.own_version(phase=row, at=at)
    overrides = contract_prices.uplifted(
        phase=row,
        version=version,
        rate=rate,
        scope=Scope(contract.uplift_scope),
        at=at,
        raises_minimum=sold_contracts.minimum(item=item, day=row.ends_on) is None,
    )
    new = Phase(span, Terms(row.plan_version, overrides))
    contract_phases.write(item=item, phases=[*phases, new], at=at)
    item.ends_on = span.last
    item.save(update_fields=["ends_on"])


def _begin_anew(item: ContractItem, span: Span, at: datetime) -> None:
    """Add a phase for the new term on the terms of the last one, whose minimum ends."""
    phases = contract_phases.of(item)
    terms = phases[-1].terms
    contract_phases.write(item=item, phases=[*phases, Phase(span, Terms(terms.version, terms.overrides))], at=at)
    item.ends_on = span.last
    item.save(update_fields=["ends_on"])


def _commit_again(contract: Contract, term: ContractTerm, span: Span, rate: Decimal, at: datetime) -> None:
    """Commit to the same for the new term; with an uplift of all prices the amounts rise too."""
    rows = ContractCommitment.objects.filter(
        contract=contract, renews=True, ends_on=term.ends_on, cut_on__isnull=True
    ).prefetch_related("taxes")
    for row in rows.order_by("pk"):
        if row.kind == ContractCommitment.Kind.PERIOD and not rate:
            # Its phase goes on as well: there is nothing to tell the periods of the terms apart by.
            row.ends_on = span.last
            row.save(update_fields=["ends_on"])
            continue
        amount = row.amount
        if contract.uplift_scope == Contract.UpliftScope.ALL:
            raised = uplifts.amount(before=amount.amount, rate=rate, currency=contract.currency)
            amount = Money(raised, contract.currency)
        new = ContractCommitment.objects.create(
            created_at=at,
            contract=contract,
            kind=row.kind,
            item=row.item,
            starts_on=span.first,
            ends_on=span.last,
            renews=True,
            follows=row,
            instalments=row.instalments,
            grant_on=row.grant_on,
            rolls_over=row.rolls_over,
            invoice_name=row.invoice_name,
            currency=contract.currency,
            amount=money.rounded(amount),
        )
        new.taxes.set(row.taxes.all())


def _end(contract: Contract, actor: Actor, at: datetime) -> None:
    old = {"state": contract.state}
    contract.state = contract_states.after(state=contract.state, verb=Verb.END).value
    contract.ended_at = contract.updated_at = at
    contract.save(update_fields=["state", "ended_at", "updated_at"])
    audit.record(actor=actor, at=at, verb="end", instance=contract, old=old, new={"state": contract.state})
    tellings.tell(webhook_types.CONTRACT_ENDED, contract, at=at)


def _until_the_end(contract: Contract) -> list[ContractItem]:
    """Return the products that the contract still has at its end: those that were removed before are not renewed."""
    return [item for item in contract_rows.items(contract) if item.ends_on == contract.ends_on]


def _after(day: date) -> date:
    return Span(day, day).after
