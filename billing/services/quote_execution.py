"""Turning terms that were agreed on into what they say: customer, contract, subscriptions, coupons, credits, invoices.

Owns the order in which these are made, in one transaction: what cannot be made leaves nothing of the rest. Coupons and
credits come first, so that the first invoices use them. Whether somebody agreed is `order_forms`'.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from billing.domain.quote_values import QuoteCoupon, QuoteCredits, QuoteOneOff, QuoteTerms
from billing.models import Contract, Quote, Subscription
from billing.services import quote_contracts
from config.kernel import dates, errors, money
from config.kernel.actors import Actor
from config.platform.services import approvals, tellings
from customers.models import Customer
from customers.queries import customers as known_customers
from customers.services import applied_coupons, customers
from customers.services.applied_coupons import OwnTerms
from customers.services.customers import CustomerValues
from invoicing.domain import wallets
from invoicing.models import Invoice
from invoicing.services import approval_actions, one_off_invoices, wallet_top_ups
from invoicing.services.one_off_invoices import OneOff, OneOffFee
from invoicing.services.wallet_top_ups import TopUp
from invoicing.services.wallets import WalletValues


class CustomerExists(errors.NotAllowed):
    """The prospect of a quote has the external id of a customer."""


@dataclass(frozen=True)
class Made:
    """What an execution made. ``record`` names all of it by public ids and numbers."""

    customer: Customer
    contract: Contract | None
    invoices: tuple[Invoice, ...]
    record: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
@tellings.gathered
def execute(
    *,
    quote: Quote,
    terms: QuoteTerms,
    currency: str,
    seen: str,
    purchase_order_number: str = "",
    is_offered: bool = False,
    actor: Actor,
    at: datetime,
) -> Made:
    """Make all that terms say. The caller holds the lock of the quote, and sees to it that this is done once.

    ``seen`` is the state of the contract that an amendment or renewal was submitted for; empty takes it as it is. A
    ``purchase_order_number`` of the customer's stands where the terms have none. Where it ``is_offered``, sent to the
    customer, whoever sent it had the second person that given credits need. Days without a date are the
    customer's local day of ``at``. Raises ContractChanged, and whatever a part raises: then nothing is made.
    """
    customer = customer_of(quote=quote, currency=currency, actor=actor, at=at)
    customer = _agreed(customer, terms, actor, at)
    before = Invoice.objects.filter(customer=customer).order_by("-pk").values_list("pk", flat=True).first() or 0
    order_number = terms.purchase_order_number or purchase_order_number
    coupons = [_coupon(customer, row, currency, actor, at) for row in terms.coupons]
    with approvals.agreed(actor=actor, is_offered=is_offered):
        granted = [_wallet(customer, row, currency, order_number, actor, at) for row in terms.credits]
    contract, amendments = quote_contracts.make(
        quote=quote,
        customer=customer,
        terms=terms,
        seen=seen,
        purchase_order_number=order_number,
        actor=actor,
        at=at,
    )
    if terms.one_offs:
        _one_offs(customer, terms, currency, order_number, actor, at)
    invoices = tuple(Invoice.objects.filter(customer=customer, pk__gt=before).order_by("pk"))
    return Made(
        customer=known_customers.by_external_id(external_id=customer.external_id),
        contract=contract,
        invoices=invoices,
        record={
            "customer": customer.external_id,
            "contract": "" if contract is None else contract.number,
            "amendments": amendments,
            "subscriptions": _subscriptions(contract),
            "invoices": [str(invoice.uuid) for invoice in invoices],
            "coupons": coupons,
            "wallets": granted,
        },
    )


def customer_of(*, quote: Quote, currency: str, actor: Actor, at: datetime) -> Customer:
    """Return the customer of a quote, made of the prospect where there is none yet. Needs a transaction; idempotent.

    Nobody becomes a customer who was there before: whoever signs would buy in that one's name, and see its account.
    Raises CustomerExists (`customer_exists`), and as `customers.upsert`.
    """
    if quote.customer is not None:
        return known_customers.by_external_id(external_id=quote.customer.external_id)
    demand_newcomer(quote)
    external_id = str(quote.prospect.get("external_id") or "") or _free_id(slugify(quote.number))
    values: dict[str, Any] = {
        **quote.prospect,
        "currency": currency,
        "external_id": external_id,
        "billing_entity_code": quote.billing_entity.code,
    }
    return customers.upsert(values=CustomerValues(**values), actor=actor, at=at)  # type: ignore[typeddict-item]


def demand_newcomer(quote: Quote) -> None:
    """Demand that no customer has the external id of a quote's prospect. Raises CustomerExists (`customer_exists`)."""
    external_id = str(quote.prospect.get("external_id") or "")
    if quote.customer is None and external_id and _is_taken(external_id):
        raise CustomerExists(
            "customer_exists",
            f"There is a customer {external_id} by now: make the quote for that customer, or give the prospect of "
            f"{quote.number} another external id.",
        )


def _is_taken(external_id: str) -> bool:
    return Customer.objects.filter(external_id=external_id, deleted_at__isnull=True).exists()


def _free_id(wanted: str) -> str:
    number, found = 1, wanted
    while _is_taken(found):
        number += 1
        found = f"{wanted}-{number}"
    return found


def _agreed(customer: Customer, terms: QuoteTerms, actor: Actor, at: datetime) -> Customer:
    """Give the customer the payment term that was agreed on, if one was."""
    if terms.payment_term_days is None:
        return customer
    values = CustomerValues(external_id=customer.external_id, net_payment_term=terms.payment_term_days)
    return customers.upsert(values=values, actor=actor, at=at)


def _coupon(customer: Customer, row: QuoteCoupon, currency: str, actor: Actor, at: datetime) -> str:
    own = OwnTerms()
    if row.amount_cents is not None:
        own["amount_cents"], own["amount_currency"] = row.amount_cents, currency
    if row.percentage_rate is not None:
        own["rate"] = row.percentage_rate
    if row.frequency:
        own["frequency"] = row.frequency
    if row.frequency_duration is not None:
        own["frequency_duration"] = row.frequency_duration
    applied = applied_coupons.apply(
        external_customer_id=customer.external_id, coupon_code=row.coupon_code, terms=own, actor=actor, at=at
    )
    return str(applied.uuid)


def _wallet(customer: Customer, row: QuoteCredits, currency: str, order_number: str, actor: Actor, at: datetime) -> str:
    values = WalletValues(
        external_customer_id=customer.external_id,
        name=row.name or "Credits",
        currency=currency,
        rate_amount=row.rate_amount,
        purchase_order_number=order_number,
    )
    if row.expires_after_months is not None:
        zone = dates.zone(customer.applicable_timezone)
        last = dates.add_months(dates.local_date(at, zone), row.expires_after_months)
        values["expiration_at"] = dates.start_of_day(last, zone)
    wanted = TopUp(
        paid_credits=row.paid_credits,
        granted_credits=row.granted_credits,
        ignore_paid_top_up_limits=True,
        purchase_order_number=order_number,
    )
    wallet = wallet_top_ups.create_wallet(values=values, wanted=wanted, actor=actor, at=at)
    return str(wallet.uuid)


def demand_second(*, terms: QuoteTerms, currency: str, actor: Actor) -> None:
    """Ask for the second person that credits need which are given: once they are offered, the customer may take them.

    Raises ApprovalRequired.
    """
    for row in terms.credits:
        if row.granted_credits:
            amount = wallets.money_of(row.granted_credits, rate=row.rate_amount, currency=currency)
            approvals.demand(action=approval_actions.GRANT_CREDITS, amount=amount, actor=actor)


def _one_offs(
    customer: Customer, terms: QuoteTerms, currency: str, order_number: str, actor: Actor, at: datetime
) -> Invoice:
    return one_off_invoices.create(
        wanted=OneOff(
            external_customer_id=customer.external_id,
            fees=[_fee(row, currency) for row in terms.one_offs],
            currency=currency,
            net_payment_term=terms.payment_term_days,
            purchase_order_number=order_number,
        ),
        actor=actor,
        at=at,
    )


def _fee(row: QuoteOneOff, currency: str) -> OneOffFee:
    price: Decimal | None = None
    if row.unit_amount_cents is not None:
        price = money.from_minor(row.unit_amount_cents, currency).amount * (1 - row.discount_rate)
    return OneOffFee(
        add_on_code=row.add_on_code,
        units=row.units,
        unit_amount=price,
        invoice_display_name=row.name,
        tax_codes=row.tax_codes,
    )


def _subscriptions(contract: Contract | None) -> list[str]:
    if contract is None:
        return []
    rows = Subscription.objects.filter(contract_item__contract=contract).order_by("pk")
    return [str(public_id) for public_id in rows.values_list("uuid", flat=True)]
