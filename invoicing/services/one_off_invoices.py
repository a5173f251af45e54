"""One-off invoices: add-ons sold by the piece, outside of any subscription. Owns putting one together and issuing it.

It is issued at once, without grace. Only taxes change what it comes to: no coupon, credit or wallet pays it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from catalog.models import AddOn
from catalog.queries import add_ons, taxes
from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import outbox
from customers.models import BillingEntity, Customer
from customers.queries import billing_entities, custom_sections, customers
from customers.services import agreed_currencies
from invoicing.domain import one_off
from invoicing.domain.one_off import Item, Sale
from invoicing.domain.specs import InvoiceSpec
from invoicing.models import Invoice
from invoicing.services import drafting, finalization
from invoicing.services.drafting import Drafted

MOST_DAYS = 3650


@dataclass(frozen=True)
class OneOffFee:
    """What is sold of an add-on; None means as the add-on says. ``unit_amount`` is in major units, unrounded.

    ``from_at`` and ``to_at`` are the first and the last second of the service. ``tax_codes`` replace all other taxes.
    """

    add_on_code: str
    units: Decimal = Decimal(1)
    unit_amount: Decimal | None = None
    invoice_display_name: str = ""
    description: str | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    tax_codes: Sequence[str] = ()


@dataclass(frozen=True)
class OneOff:
    """A one-off invoice as it is asked for. Empty: the customer's currency, seller and terms.

    ``custom_section_codes`` are the custom sections of this invoice; None leaves them to the customer, an empty list
    leaves them out. ``key`` becomes the public id: the same key again makes no second invoice.
    """

    external_customer_id: str
    fees: Sequence[OneOffFee]
    currency: str = ""
    billing_entity_code: str = ""
    net_payment_term: int | None = None
    purchase_order_number: str = ""
    skip_automatic_payment: bool = False
    custom_section_codes: Sequence[str] | None = None
    key: UUID | None = None


@transaction.atomic
def create(*, wanted: OneOff, actor: Actor, at: datetime) -> Invoice:
    """Make a one-off invoice and issue it at once; one of nothing may be closed instead, where nobody wants those.

    Each line is rounded once, its taxes like those of any invoice. A customer without a currency gets this one. Called
    again with a ``key`` it returns the first invoice; without one it is not idempotent. Raises NotFound for whatever is
    named and does not exist (`customer_not_found`, `fees_not_found`, `add_on_not_found`, `tax_not_found`,
    `billing_entity_not_found`, `invoice_custom_section_not_found`), InvalidOneOff with codes per field, and what
    drafting raises.
    """
    if wanted.key is not None:
        db.advisory_lock(f"invoicing.one_off:{wanted.key}")
        first = Invoice.objects.filter(uuid=wanted.key).first()
        if first is not None:
            return first
    drafted = _draft(wanted, actor, at)
    return finalization.finalize(invoice_id=drafted.invoice.pk, actor=actor, at=at)


def preview(*, wanted: OneOff, actor: Actor, at: datetime) -> Drafted:
    """Return the invoice as `create` would make it, with its lines; nothing is kept. Raises as `create`."""
    with outbox.silence(), transaction.atomic():
        drafted = _draft(wanted, actor, at)
        transaction.set_rollback(True)
    return drafted


def _draft(wanted: OneOff, actor: Actor, at: datetime) -> Drafted:
    found = customers.by_external_id(external_id=wanted.external_customer_id)
    customer = db.lock_one(Customer.objects.filter(pk=found.pk))
    seller = _seller(wanted, customer)
    one_off.demand_lines(len(wanted.fees))
    currency = _currency(wanted, customer)
    term = wanted.net_payment_term
    if term is not None and not 0 <= term <= MOST_DAYS:
        raise _refused("net_payment_term", "value_is_out_of_range", "The payment term is too long.")
    sections = None
    if wanted.custom_section_codes is not None:
        chosen = custom_sections.by_codes(codes=wanted.custom_section_codes)
        sections = tuple(section.pk for section in chosen)
    spec = InvoiceSpec(
        kind=one_off.KIND,
        customer_id=customer.pk,
        billing_entity_id=seller.pk,
        currency=currency,
        timezone=customer.timezone or seller.timezone,
        billed_at=at,
        lines=one_off.lines(sold=_sold(wanted.fees), currency=currency, at=at),
        purchase_order_number=wanted.purchase_order_number,
        net_payment_term=term,
        skip_automatic_payment=wanted.skip_automatic_payment,
        custom_section_ids=sections,
        uuid=wanted.key,
    )
    agreed_currencies.agree(customer=customer, currency=currency, actor=actor, at=at)
    return drafting.draft_many(specs=[spec], actor=actor, at=at)[0]


def _seller(wanted: OneOff, customer: Customer) -> BillingEntity:
    if wanted.billing_entity_code:
        return billing_entities.by_code(code=wanted.billing_entity_code)
    return customer.billing_entity


def _currency(wanted: OneOff, customer: Customer) -> str:
    """Return what is invoiced in. The price of an add-on alone decides no currency."""
    currency = wanted.currency or customer.currency
    if not currency:
        raise _refused("currency", "value_is_mandatory", "The customer has no currency yet: name one.")
    if not money.known(currency):
        raise _refused("currency", "invalid_currency", f"{currency} is no currency.")
    if customer.currency and customer.currency != currency:
        message = f"The customer is billed in {customer.currency}, not in {currency}."
        raise _refused("currency", "currencies_does_not_match", message)
    return currency


def _sold(fees: Sequence[OneOffFee]) -> list[tuple[Item, Sale]]:
    codes = list(dict.fromkeys(fee.add_on_code for fee in fees))
    rows = {row.code: row for row in add_ons.listed().filter(code__in=codes)}
    missing = [code for code in codes if code not in rows]
    if missing:
        raise errors.NotFound("add_on_not_found", f"There is no add-on {missing[0]}.")
    known = taxes.by_codes(codes=list(dict.fromkeys(code for fee in fees for code in fee.tax_codes)))
    tax_ids = {tax.code: tax.pk for tax in known}
    return [(_item(rows[fee.add_on_code]), _sale(fee, tax_ids)) for fee in fees]


def _item(row: AddOn) -> Item:
    return Item(
        uuid=row.uuid,
        code=row.code,
        name=row.name,
        label=row.invoice_display_name,
        description=row.description,
        price=row.amount,
        is_tax_inclusive=row.tax_inclusive,
        tax_ids=tuple(tax.pk for tax in row.taxes.all()),
    )


def _sale(fee: OneOffFee, tax_ids: dict[str, int]) -> Sale:
    return Sale(
        units=fee.units,
        unit_amount=fee.unit_amount,
        label=fee.invoice_display_name,
        description=fee.description,
        from_at=fee.from_at,
        to_at=fee.to_at,
        tax_ids=tuple(tax_ids[code] for code in dict.fromkeys(fee.tax_codes)),
    )


def _refused(field: str, code: str, message: str) -> one_off.InvalidOneOff:
    return one_off.InvalidOneOff(code, message, {field: [code]})
