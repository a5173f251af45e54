"""A changed grace period reaches drafts at once, and a customer with credit keeps its billing entity."""

from datetime import date, timedelta
from typing import Any

import pytest
from moneyed import Money

from config.kernel import jobs
from config.kernel.errors import Invalid
from customers.models import Customer
from customers.services import billing_entities, customers
from invoicing.models import Invoice, PrepaidCredit
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db
TOMORROW = make.AT + timedelta(days=1)


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(invoice_grace_period=5))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(jobs, "enqueue", lambda path, **_: found.append(path))
    return found


def upsert(**values: Any) -> Customer:
    return customers.upsert(values={"external_id": "c1", **values}, actor=make.ACTOR, at=TOMORROW)  # type: ignore[typeddict-item]


def test_a_shorter_grace_finalizes_what_is_over(customer: Customer, sent: list[str]) -> None:
    draft = make.draft(customer, "1.00").invoice

    upsert(name="Other")
    upsert(invoice_grace_period=4)
    draft.refresh_from_db()
    assert (draft.issuing_date, sent) == (date(2026, 5, 5), [])

    upsert(invoice_grace_period=0)
    draft.refresh_from_db()
    assert (draft.issuing_date, draft.status) == (date(2026, 5, 1), Invoice.Status.DRAFT)
    assert sent == ["billing.tasks.finalize_drafts"]


def test_a_sellers_terms_reach_its_drafts(customer: Customer, sent: list[str]) -> None:
    draft = make.draft(customer, "1.00").invoice

    billing_entities.update(
        code="acme", values={"invoice_grace_period": 2, "net_payment_term": 10}, actor=make.ACTOR, at=make.AT
    )

    draft.refresh_from_db()
    assert (draft.issuing_date, draft.payment_due_date) == (date(2026, 5, 3), date(2026, 5, 13))
    assert sent == []


def test_a_customer_moves_without_its_documents_unless_it_has_credit(customer: Customer, sent: list[str]) -> None:
    other = make.make_entity("globex")
    old, draft = make.issue(customer, "1.00"), make.draft(customer, "2.00").invoice
    credit = PrepaidCredit.objects.create(
        created_at=make.AT,
        updated_at=make.AT,
        customer=customer,
        billing_entity=customer.billing_entity,
        currency="EUR",
        amount=Money("5.00", "EUR"),
        valid_from=date(2026, 5, 1),
        valid_until=date(2026, 12, 31),
        priority=50,
        source="test",
        source_uuid=customer.uuid,
    )
    with pytest.raises(Invalid, match="unused prepaid credit"):
        upsert(billing_entity_code="globex")
    PrepaidCredit.objects.filter(pk=credit.pk).update(
        status="expired", closed_amount=Money("5.00", "EUR"), closed_on=date(2026, 5, 1)
    )

    moved = upsert(billing_entity_code="globex")

    assert moved.billing_entity == other
    draft.refresh_from_db()
    assert (draft.billing_entity_id, old.billing_entity_id) == (customer.billing_entity_id,) * 2
    assert make.issue(moved, "3.00").number == "GLOBEX-001-001"
    assert upsert(billing_entity_code="acme").billing_entity_id == customer.billing_entity_id
    assert make.issue(upsert(), "4.00").number == "ACME-001-002"
