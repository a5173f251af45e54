"""A signature on paper that comes back after the last day counts if it was given in time, with its document."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.storage import InMemoryStorage
from django.db import IntegrityError, transaction

from billing.models import Contract, OrderForm
from billing.services import order_forms, orders, quote_versions, signed_documents
from billing.services.order_forms import SignedDocument
from config.kernel import errors
from config.platform.models import AuditEntry
from config.platform.services import approval_rules, approvals
from config.platform.services.approval_rules import RuleValues
from customers.models import Customer
from invoicing.models import Wallet
from invoicing.services import approval_actions
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db
SCAN = SignedDocument(b"%PDF-1.7 signed")
LATE = "2026-02-03"  # the last day is January 31


@pytest.fixture(autouse=True)
def _storage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_documents, "default_storage", InMemoryStorage())


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def sam() -> User:
    return made.person("sam")


@pytest.fixture
def form(customer: Customer, sam: User) -> OrderForm:
    goods.make_plan("platform", cents=100000, pay_in_advance=True)
    return made.offered(customer, made.terms("platform"), by=sam)


def record(form: OrderForm, sam: User, *, at: str = LATE, **values: Any) -> OrderForm:
    content: dict[str, Any] = {"document": SCAN, "signed_on": date(2026, 1, 30), **values}
    return order_forms.record_signature(
        order_form_id=form.pk, signer=made.SIGNER, actor=made.actor(sam), at=instant(at), **content
    )


@pytest.mark.parametrize("is_expired", [False, True])
def test_it_counts_though_the_offer_is_over(form: OrderForm, sam: User, is_expired: bool) -> None:
    if is_expired:
        assert order_forms.expire_due(as_of=instant("2026-02-02")) == 1

    signed = record(form, sam)

    assert (signed.state, signed.signed_on, signed.version.state) == ("signed", date(2026, 1, 30), "accepted")
    assert Contract.objects.get().starts_on == date(2026, 2, 3)  # without a day of its own: when it is executed
    entry = AuditEntry.objects.get(object_type="billing.orderform", verb="sign")
    assert entry.new["signed_on"] == "2026-01-30"
    assert record(form, sam).pk == signed.pk  # twice is once
    assert Contract.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"signed_on": None}, "order_form_is_expired"),  # as it always was
        ({"document": None}, "validation_errors"),
        ({"signed_on": date(2026, 2, 1)}, "validation_errors"),  # after the last day
        ({"signed_on": date(2025, 12, 31)}, "validation_errors"),  # before there was a document
        ({"signed_on": date(2026, 1, 12), "at": "2026-01-11"}, "validation_errors"),  # still to come
    ],
)
def test_what_does_not_count(form: OrderForm, sam: User, values: dict[str, Any], code: str) -> None:
    with pytest.raises(errors.DomainError) as refused:
        record(form, sam, **values)
    assert refused.value.code == code
    assert not Contract.objects.exists()
    form.refresh_from_db()
    assert form.state == "generated"


def test_it_does_not_take_the_place_of_another_version(form: OrderForm, sam: User) -> None:
    order_forms.expire_due(as_of=instant("2026-02-02"))
    quote_versions.clone(version_id=form.version_id, actor=made.actor(sam), at=instant("2026-02-02"))
    with pytest.raises(errors.NotAllowed, match="Another version"):
        record(form, sam)
    assert not Contract.objects.exists()


def test_the_database_lets_nothing_else_expired_be_signed(form: OrderForm) -> None:
    order_forms.expire_due(as_of=instant("2026-02-02"))
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderForm.objects.filter(pk=form.pk).update(
            state="signed", signer_name="Ada", decided_at=instant(LATE), signed_on=None
        )
    form.refresh_from_db()
    assert form.state == "expired"


@pytest.mark.parametrize("is_sent", [True, False])
def test_given_credits_had_their_second_person_when_sent(customer: Customer, sam: User, is_sent: bool) -> None:
    goods.make_plan("platform", cents=100000)
    given = [{"granted_credits": "50", "rate_amount": "1"}]
    form = made.offered(customer, made.terms("platform", credits=given), by=sam)
    limit = RuleValues(approval_actions.GRANT_CREDITS, Group.objects.create(name="Checkers").pk, "EUR", Decimal(10))
    if is_sent:  # as somebody approved it
        with approvals.looking():
            order_forms.send(
                order_form_id=form.pk, to=["a@example.com"], message="", actor=made.actor(sam), at=instant("2026-01-02")
            )
    approval_rules.create(values=limit, actor=made.actor(sam), at=instant("2026-01-02"))

    if is_sent:
        order = record(form, sam, mode="order_only").order
        assert orders.execute(order_id=order.pk, actor=made.actor(sam), at=instant(LATE)).state == "executed"
        assert Wallet.objects.get().customer_id == customer.pk
        return
    with pytest.raises(approvals.ApprovalRequired):
        record(form, sam)
    assert not Wallet.objects.exists()
