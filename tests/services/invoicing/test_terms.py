"""Drafts follow the terms of their customer and seller, and issued documents never do."""

from datetime import UTC, date, datetime, timedelta

import pytest

from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from invoicing.services import invoices, terms
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return make.make_entity(invoice_grace_period=5, net_payment_term=14)


def redate(at: datetime = make.AT, *, takes_term: bool = False, **of: int) -> int:
    return len(terms.redate(takes_term=takes_term, actor=make.ACTOR, at=at, **of))


def dates_of(invoice: Invoice) -> tuple[date, date, date]:
    invoice.refresh_from_db()
    return invoice.issuing_date, invoice.payment_due_date, invoice.finalize_after.date()


def test_a_draft_follows_its_customers_grace(entity: BillingEntity) -> None:
    customer = make.make_customer(entity)
    draft, issued = make.draft(customer, "1.00").invoice, make.issue(customer, "2.00")
    assert dates_of(draft) == (date(2026, 5, 6), date(2026, 5, 20), date(2026, 5, 6))
    before = dates_of(issued)
    Customer.objects.filter(pk=customer.pk).update(invoice_grace_period=1, net_payment_term=30)

    assert redate(customer_id=customer.pk) == 1
    assert dates_of(draft) == (date(2026, 5, 2), date(2026, 5, 16), date(2026, 5, 2))
    assert redate(customer_id=customer.pk, takes_term=True) == 1
    assert dates_of(draft) == (date(2026, 5, 2), date(2026, 6, 1), date(2026, 5, 2))
    assert redate(customer_id=customer.pk, takes_term=True) == 0
    assert dates_of(issued) == before


def test_terms_of_a_seller_are_for_customers_without_their_own(entity: BillingEntity) -> None:
    plain, own = make.make_customer(entity, "c1"), make.make_customer(entity, "c2", invoice_grace_period=9)
    elsewhere = make.make_customer(make.make_entity("globex", invoice_grace_period=5), "c3")
    drafts = [make.draft(one, "1.00").invoice for one in (plain, own, elsewhere)]
    BillingEntity.objects.update(invoice_grace_period=0)

    assert redate(billing_entity_id=entity.pk) == 1
    assert [dates_of(draft)[0].day for draft in drafts] == [1, 10, 6]


@pytest.mark.parametrize(
    ("of_seller", "of_customer", "issued"),
    [
        (("current_period_end", "keep_anchor"), ("", ""), date(2026, 4, 30)),
        (("current_period_end", "keep_anchor"), ("next_period_start", ""), date(2026, 5, 1)),
        (("next_period_start", "align_with_finalization_date"), ("", "keep_anchor"), date(2026, 5, 1)),
        (("next_period_start", "align_with_finalization_date"), ("", ""), date(2026, 5, 6)),
    ],
)
def test_the_policy_is_for_periodic_invoices(
    entity: BillingEntity, of_seller: tuple[str, str], of_customer: tuple[str, str], issued: date
) -> None:
    entity.issuing_date_anchor, entity.issuing_date_adjustment = of_seller
    entity.save()
    customer = make.make_customer(entity, issuing_date_anchor=of_customer[0], issuing_date_adjustment=of_customer[1])
    periodic, other = (make.draft(customer, "1.00", is_periodic=flag).invoice for flag in (True, False))

    assert dates_of(periodic) == (issued, issued + timedelta(days=14), date(2026, 5, 6))
    assert dates_of(other) == (date(2026, 5, 6), date(2026, 5, 20), date(2026, 5, 6))

    late = datetime(2026, 5, 6, 1, tzinfo=UTC)
    invoices.finalize_many(invoice_ids=[periodic.pk, other.pk], actor=make.ACTOR, at=late)

    assert dates_of(periodic)[0] == issued
    assert dates_of(other)[0] == date(2026, 5, 6)


def test_only_subscriptions_have_grace(entity: BillingEntity) -> None:
    draft = make.draft(make.make_customer(entity), "1.00", kind="one_off", net_payment_term=3).invoice

    assert dates_of(draft) == (date(2026, 5, 1), date(2026, 5, 4), date(2026, 5, 1))


def test_a_seller_may_change_its_scheme_and_no_number_is_missing_or_twice(entity: BillingEntity) -> None:
    first, second = make.make_customer(entity, "c1"), make.make_customer(entity, "c2")
    numbers = []
    for scheme, prefix in [
        ("per_customer", "ACME"),
        ("per_billing_entity", "ACME"),
        ("per_customer", "ACME"),
        ("per_billing_entity", "NEW"),
    ]:
        BillingEntity.objects.filter(pk=entity.pk).update(document_numbering=scheme, document_number_prefix=prefix)
        numbers += [make.issue(one, "1.00").number for one in (first, second)]

    assert numbers == [
        "ACME-001-001",
        "ACME-002-001",
        "ACME-202605-001",
        "ACME-202605-002",
        "ACME-001-002",
        "ACME-002-002",
        "NEW-202605-003",
        "NEW-202605-004",
    ]
