"""The sample's quotes, one of every kind of news: a draft, one that a manager has to approve, one that the customer
has, one that was signed, and a change of the contract that runs.

They are made once, by the sample's sales people; a sample that has quotes keeps them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import Group
from django.db import transaction

from billing.domain.quote_terms import (
    ChangeKind,
    QuoteChange,
    QuoteCommitment,
    QuoteCredits,
    QuoteItem,
    QuoteOneOff,
    QuotePhase,
    QuoteTerms,
)
from billing.models import Contract, Quote, QuoteApprovalRule
from billing.services import order_forms, quote_approval_rules, quote_versions, quotes
from billing.services.order_forms import Signer
from billing.services.quote_approval_rules import RuleValues
from billing.services.quotes import NewQuote
from config.demo import price_list, staff, workspaces
from config.demo.buyers import Buyer
from config.kernel import dates

Subject = QuoteApprovalRule.Subject

_DAYS = 30
_TERMS = "Prices are before tax. Usage is invoiced monthly in arrears by the price list that is part of this offer."
_SENT_RANK, _SIGNED_RANK = 9, 21
_PROSPECT = {
    "name": "Harbourlight Observatory Trust",
    "legal_name": "Harbourlight Observatory Trust plc",
    "email": "procurement@harbourlight.example",
    "address_line1": "3 Signal House",
    "city": "Whitby",
    "zipcode": "YO21 3PU",
    "country": "GB",
}


def make(people: Sequence[Buyer], *, at: datetime) -> None:
    """Make the rules and the quotes, unless there is any quote."""
    if Quote.objects.exists():
        return
    with transaction.atomic():
        _rules(at)
        _waits_for_approval(people, at)
        _with_the_customer(people[_SENT_RANK], at)
        _signed(people[_SIGNED_RANK], at)
        _amends(at)
        _draft(people[_SENT_RANK], at)


def _rules(at: datetime) -> None:
    manager, finance = (Group.objects.get(name=one.role) for one in (staff.MANAGER, staff.FINANCE))
    for values in (
        RuleValues("Deep discounts", Subject.DISCOUNT, Decimal("0.2"), manager.pk),
        RuleValues("Long terms", Subject.TERM, Decimal(24), finance.pk),
        RuleValues("Late payment", Subject.PAYMENT_TERM, Decimal(45), finance.pk),
    ):
        quote_approval_rules.create(values=values, actor=staff.acts(staff.CONTROLLER), at=at)


def _waits_for_approval(people: Sequence[Buyer], at: datetime) -> None:
    """Three years for somebody new, with a ramp: the discount and the term need two consents."""
    seller = next(one.seller for one in people if one.seller.currency == "GBP")
    plan = price_list.plan_code("growth", "GBP")
    ramp = (
        QuotePhase(plan_code=plan, discount_rate=Decimal("0.35")),
        QuotePhase(plan_code=plan, after_months=12, discount_rate=Decimal("0.25")),
        QuotePhase(plan_code=plan, after_months=24, discount_rate=Decimal("0.1")),
    )
    terms = QuoteTerms(
        term_months=36,
        renewal="automatic",
        notice_days=60,
        uplift_rate=Decimal("0.03"),
        payment_term_days=30,
        terms_text=_TERMS,
        items=(QuoteItem(phases=ramp, name="Gateway for the public archive"),),
        credits=(QuoteCredits(name="Launch credits", paid_credits=Decimal(500), granted_credits=Decimal(50)),),
    )
    new = NewQuote(
        kind=Quote.Kind.NEW,
        name="Public archive, three years",
        prospect=_PROSPECT,
        billing_entity_code=seller.code,
        currency="GBP",
        terms=terms,
        introduction="Thank you for the tour of the archive. This is what we talked about on Tuesday.",
        valid_until=(at + timedelta(days=_DAYS)).date(),
    )
    _submitted(new, at)


def _with_the_customer(buyer: Buyer, at: datetime) -> None:
    """A second environment for a customer, sent and not answered yet."""
    plan = price_list.plan_code("growth", buyer.seller.currency)
    terms = QuoteTerms(
        term_months=12,
        renewal="automatic",
        notice_days=30,
        terms_text=_TERMS,
        items=(QuoteItem(phases=(QuotePhase(plan_code=plan, discount_rate=Decimal("0.15")),), name="Staging"),),
        commitments=(QuoteCommitment(amount_cents=60_000, invoice_name="Yearly commitment"),),
    )
    quote = _submitted(_to(buyer, "Staging environment", terms, at, days=6), at)
    _send(quote, at)


def _signed(buyer: Buyer, at: datetime) -> None:
    """Support for a year, signed on paper: the contract that it made begins with the next month."""
    plan = price_list.plan_code("starter", buyer.seller.currency)
    terms = QuoteTerms(
        starts_on=dates.add_months(at.date().replace(day=1), 1),
        term_months=12,
        terms_text=_TERMS,
        items=(QuoteItem(phases=(QuotePhase(plan_code=plan, discount_rate=Decimal("0.05")),), name="Sandbox"),),
    )
    quote = _submitted(_to(buyer, "Sandbox for a year", terms, at), at)
    form = quote.versions.get().order_form
    signer = Signer(name="Ines Albrecht", title="Head of IT", email="ines.albrecht@customer.example")
    order_forms.record_signature(order_form_id=form.pk, signer=signer, actor=staff.acts(staff.SALES), at=at)


def _amends(at: datetime) -> None:
    """A year more of the contract that runs, with a larger commitment: not sent yet."""
    contract = Contract.objects.filter(state=Contract.State.ACTIVE, renewal="automatic").order_by("pk").first()
    if contract is None:
        return
    ends_on = dates.add_months(contract.starts_on, 24) - timedelta(days=1)
    terms = QuoteTerms(changes=(QuoteChange(kind=ChangeKind.EXTEND_TERM.value, ends_on=ends_on),))
    new = NewQuote(
        kind=Quote.Kind.AMENDMENT,
        name="One more year",
        contract_number=contract.number,
        terms=terms,
        valid_until=(at + timedelta(days=_DAYS)).date(),
    )
    _submitted(new, at)


def _draft(buyer: Buyer, at: datetime) -> None:
    """On-site days that sales is still writing up."""
    terms = QuoteTerms(one_offs=(QuoteOneOff(add_on_code=workspaces.SUPPORT["code"], units=Decimal(16)),))
    new = _to(buyer, "Two days on site", terms, at, kind=Quote.Kind.ONE_OFF)
    quotes.create(new=new, actor=staff.acts(staff.SALES), at=at)


def _to(
    buyer: Buyer, name: str, terms: QuoteTerms, at: datetime, *, kind: str = Quote.Kind.NEW, days: int = _DAYS
) -> NewQuote:
    return NewQuote(
        kind=kind,
        name=name,
        external_customer_id=buyer.external_id,
        terms=terms,
        introduction="As agreed on the phone.",
        valid_until=(at + timedelta(days=days)).date(),
    )


def _submitted(new: NewQuote, at: datetime) -> Quote:
    actor = staff.acts(staff.SALES)
    quote = quotes.create(new=new, actor=actor, at=at)
    quote_versions.submit(version_id=quote.versions.get().pk, actor=actor, at=at)
    return quote


def _send(quote: Quote, at: datetime) -> None:
    form = quote.versions.get().order_form
    to = ["procurement@customer.example"]
    order_forms.send(
        order_form_id=form.pk, to=to, message="Our offer, as promised.", actor=staff.acts(staff.SALES), at=at
    )
