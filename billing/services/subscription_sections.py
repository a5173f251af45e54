"""Which custom sections the invoices of a subscription have, where it has its own. Owns choosing them, and what an
invoice that several subscriptions share has; what a document says of them is invoicing's.
"""

from __future__ import annotations

from collections.abc import Sequence

from billing.queries.contracts import Contract
from customers.models import BillingEntity, Customer
from customers.queries import custom_sections


def chosen(*, codes: Sequence[str] | None) -> list[int] | None:
    """Return the keys of custom sections by their codes, in their order; None where none are chosen. Raises NotFound
    (`invoice_custom_section_not_found`).
    """
    return None if codes is None else [section.pk for section in custom_sections.by_codes(codes=codes)]


def shared(*, members: Sequence[Contract]) -> tuple[int, ...] | None:
    """Return the sections of an invoice of these subscriptions of one customer and seller: those of all of them, each
    once, in their order. None where no one has its own. Where one of several has none, the customer's are read.
    """
    own = [member.custom_section_ids for member in members]
    if all(ids is None for ids in own):
        return None
    given = _given(members[0]) if None in own else ()
    return tuple(dict.fromkeys(pk for ids in own for pk in (given if ids is None else ids)))


def _given(member: Contract) -> tuple[int, ...]:
    customer = Customer.objects.select_related("billing_entity").get(pk=member.customer_id)
    seller = BillingEntity.objects.get(pk=member.billing_entity_id)
    return tuple(section.pk for section in custom_sections.of_customer(customer, seller))
