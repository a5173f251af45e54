"""Deciding the taxes of customers whose seller has its VAT of the EU decided. Owns the step from facts to the taxes of
the customer, and the record of why.

Taxes that somebody chose by hand stay. Whether a VAT number is registered is `vat_checks`' to find out.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from catalog.domain import vat_rates
from catalog.models import Tax
from catalog.queries import taxes
from catalog.queries import vat_rates as known_rates
from catalog.services import vat_rates as rates
from config.kernel import actors, db, events
from config.kernel.actors import Actor
from config.platform.services import audit, tellings
from customers.domain import eu_vat
from customers.domain.eu_vat import Basis, Check, Decision, Facts
from customers.domain.facts import TaxesDecided
from customers.models import Customer, TaxDecision, VatCheck
from customers.services import vat_questions, webhook_types

CHUNK = 200


def decide(*, customer: Customer, actor: Actor, at: datetime) -> TaxDecision | None:
    """Decide the taxes of a customer anew and write down why, where that changed; return the newest decision.

    Nothing is decided, and None returned, where the seller does not have it. A number that nobody asked about yet is
    asked about once the transaction is committed; until there is an answer the decision is provisional, and invoices
    wait. Tells TaxesDecided when they need not wait any more. Idempotent. The caller holds the lock of the customer.
    """
    seller = customer.billing_entity
    if not seller.eu_tax_management:
        return _leave(customer, at)
    by_hand = [tax for tax in customer.taxes.all() if not vat_rates.is_managed(tax.code)]
    number = eu_vat.normalized(customer.tax_identification_number, country=customer.country)
    check = vat_questions.of(number=number, at=at) if number and not by_hand else None
    facts = Facts(
        seller_country=seller.country,
        country=customer.country,
        zipcode=customer.zipcode,
        number=number,
        check=Check.NONE if check is None else Check(check.status),
    )
    if by_hand:
        decision, wanted = Decision(code="", basis=Basis.BY_HAND), by_hand
    else:
        territories = known_rates.territories(country=facts.country)
        decision = eu_vat.decide(facts=facts, territories=territories)
        wanted = _taxes(decision, actor, at)
    return _record(customer, decision, facts, check, wanted, actor, at)


@transaction.atomic
@tellings.gathered
def redecide(*, customer_id: int, actor: Actor, at: datetime) -> TaxDecision | None:
    """Lock a customer and decide its taxes anew; see `decide`."""
    customer = db.lock_one(Customer.objects.select_related("billing_entity").filter(pk=customer_id))
    return decide(customer=customer, actor=actor, at=at)


def decide_waiting(*, as_of: datetime) -> int:
    """Decide the taxes of customers that wait for it, each in a transaction of its own. Returns how many.

    Those whose VAT number is still to be checked go on waiting. May run any number of times.
    """
    waiting = Customer.objects.filter(awaits_tax_decision=True, deleted_at__isnull=True)
    waiting = waiting.exclude(vat_check__status=VatCheck.Status.PENDING).order_by("pk").values_list("pk", flat=True)
    done = 0
    for customer_id in list(waiting[: CHUNK * 10]):
        redecide(customer_id=customer_id, actor=actors.job("vat_checks"), at=as_of)
        done += 1
    return done


def ask_for_all(*, billing_entity_id: int) -> None:
    """Have the taxes of all customers of a seller decided anew, in the background; until then their invoices wait."""
    Customer.objects.filter(billing_entity_id=billing_entity_id, deleted_at__isnull=True).update(
        awaits_tax_decision=True
    )
    vat_questions.wake()


def release_all(*, billing_entity_id: int, at: datetime) -> None:
    """Let nothing wait for the taxes of a seller's customers any more; what was decided stays.

    Tells TaxesDecided for each that waited. The seller does not have them decided any more.
    """
    waiting = Customer.objects.select_related("billing_entity").filter(
        billing_entity_id=billing_entity_id, awaits_tax_decision=True
    )
    for customer in db.lock(waiting):
        _leave(customer, at)


def _leave(customer: Customer, at: datetime) -> None:
    """Nobody decides for this customer any more: what was decided stays, and nothing waits."""
    if customer.awaits_tax_decision:
        customer.awaits_tax_decision = False
        customer.save(update_fields=["awaits_tax_decision"])
        events.publish(TaxesDecided(customer_id=customer.pk, at=at))


def _taxes(decision: Decision, actor: Actor, at: datetime) -> list[Tax]:
    found = list(taxes.listed().filter(code=decision.code))
    if not found:
        rates.ensure(actor=actor, at=at)
        found = taxes.by_codes(codes=[decision.code])
    return found


def _record(
    customer: Customer,
    decision: Decision,
    facts: Facts,
    check: VatCheck | None,
    wanted: list[Tax],
    actor: Actor,
    at: datetime,
) -> TaxDecision:
    before = {tax.pk: tax.code for tax in customer.taxes.all()}
    if before.keys() != {tax.pk for tax in wanted}:
        customer.taxes.set(wanted)
        tellings.tell(webhook_types.UPDATED, customer, at=at)
    if check is not None and check.pk != customer.vat_check_id and check.status != VatCheck.Status.PENDING:
        tellings.tell(webhook_types.VIES_CHECK, customer, at=at)
    waited = customer.awaits_tax_decision
    if waited != decision.is_provisional or customer.vat_check_id != (check.pk if check else None):
        customer.awaits_tax_decision, customer.vat_check = decision.is_provisional, check
        customer.save(update_fields=["awaits_tax_decision", "vat_check"])
    row = TaxDecision(
        created_at=at,
        customer=customer,
        basis=TaxDecision.Basis(decision.basis.value),
        tax_code=decision.code,
        is_provisional=decision.is_provisional,
        facts=_told(facts),
    )
    last = TaxDecision.objects.filter(customer=customer).first()
    if last is None or _said(last) != _said(row):
        row.save(force_insert=True)
        audit.record(
            actor=actor,
            at=at,
            verb="decide_taxes",
            instance=customer,
            old={"tax_codes": sorted(before.values())},
            new={"tax_codes": sorted(tax.code for tax in wanted), **row.facts},
            reason=row.get_basis_display() + (" (provisional)" if row.is_provisional else ""),
        )
        last = row
    if waited and not decision.is_provisional:
        events.publish(TaxesDecided(customer_id=customer.pk, at=at))
    return last


def _told(facts: Facts) -> dict[str, str]:
    return {
        "seller_country": facts.seller_country,
        "country": facts.country,
        "zipcode": facts.zipcode,
        "vat_number": facts.number,
        "vat_check": facts.check.value,
    }


def _said(row: TaxDecision) -> tuple[object, ...]:
    return row.basis, row.tax_code, row.is_provisional, row.facts
