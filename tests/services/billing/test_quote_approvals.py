"""Consents: rules ask for them, a second person of the group gives them, and the database holds everybody to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.utils import IntegrityError

from billing.domain import quote_terms
from billing.domain.quote_states import InvalidQuoteState
from billing.models import OrderForm, Quote, QuoteApproval, QuoteVersion
from billing.services import quote_approval_rules, quote_approvals, quote_versions, quotes
from billing.services.quote_approval_rules import InvalidRule, RuleValues
from billing.services.quote_approvals import NotYours
from billing.services.quote_versions import QuoteChanged
from billing.services.quotes import NewQuote
from catalog.models import PlanVersion
from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import Customer
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db
AT = instant("2026-01-02")


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def plan() -> PlanVersion:
    return goods.make_plan("platform", cents=100000)


@pytest.fixture
def sam() -> User:
    return made.person("sam", groups=("Heads",))


@pytest.fixture
def quote(customer: Customer, plan: PlanVersion, sam: User) -> Quote:
    made.rule("0.2")
    made.rule("24", "Finance", subject="term_months")
    offered = {
        "term_months": 36,
        "items": [{"external_id": "sub", "phases": [{"plan_code": "platform", "discount_rate": "0.25"}]}],
    }
    return made.draft(customer, offered, by=sam)


def test_a_second_person_of_each_group_consents(quote: Quote, sam: User) -> None:
    version = made.submit(quote, by=sam)
    first, second = version.approvals.order_by("pk")
    head, finance = made.person("head", groups=("Heads",)), made.person("fin", groups=("Finance",))
    boss = User.objects.create_superuser("boss")

    assert version.state == "in_approval"
    assert [first.cause, second.cause] == ["discount of 25% is above 20%", "term of 36 months is above 24 months"]
    for who, code in [
        (made.actor(sam), "own_quote"),
        (made.actor(finance), "not_in_the_group"),
        (ACTOR, "person_needed"),
    ]:
        with pytest.raises(NotYours) as refused:
            quote_approvals.approve(approval_id=first.pk, remark="", actor=who, at=AT)
        assert refused.value.code == code
    quote_approvals.approve(approval_id=first.pk, remark="Fine", actor=made.actor(head), at=AT)
    version.refresh_from_db()
    assert version.state == "in_approval"
    assert not OrderForm.objects.exists()
    with pytest.raises(errors.NotAllowed):
        quote_approvals.approve(approval_id=first.pk, remark="", actor=made.actor(boss), at=AT)

    quote_approvals.approve_all(version_id=version.pk, remark="", actor=made.actor(boss), at=AT)

    version.refresh_from_db()
    form = OrderForm.objects.get()
    assert (version.state, form.number, form.state) == ("approved", "OF-2026-0001", "generated")
    # Valid through 31 January.
    assert form.expires_at == instant("2026-02-01")
    assert AuditEntry.objects.filter(verb="approve", object_id=version.pk).count() == 2


def test_a_rejection_voids_the_version_and_keeps_the_reason(quote: Quote, sam: User) -> None:
    version = made.submit(quote, by=sam)
    head = made.actor(made.person("head", groups=("Heads",)))
    first, second = version.approvals.order_by("pk")

    with pytest.raises(errors.Invalid):
        quote_approvals.reject(approval_id=first.pk, remark=" ", actor=head, at=AT)
    quote_approvals.reject(approval_id=first.pk, remark="Too low", actor=head, at=AT)

    version.refresh_from_db()
    second.refresh_from_db()
    assert (version.state, version.void_reason, second.state) == ("voided", "Rejected: Too low", "dropped")
    clone = quote_versions.clone(version_id=version.pk, actor=made.actor(sam), at=AT)
    assert (clone.number, clone.terms["items"][0]["phases"][0]["plan_version"]) == (2, None)


def test_who_made_the_quote_does_not_approve_it_either(quote: Quote, sam: User) -> None:
    other = made.person("olga", groups=("Heads",))
    version = made.submit(quote, by=other)
    approval = version.approvals.order_by("pk")[0]

    with pytest.raises(NotYours, match="own"):
        quote_approvals.approve(approval_id=approval.pk, remark="", actor=made.actor(sam), at=AT)
    assert not quote_approvals.may_decide(approval=approval, actor=made.actor(other))
    with pytest.raises(IntegrityError, match="of their own"), transaction.atomic():
        QuoteApproval.objects.filter(pk=approval.pk).update(state="approved", decided_by=other, decided_at=AT)


def test_who_wrote_what_was_copied_does_not_approve_it_either(quote: Quote, sam: User) -> None:
    olga, mia = made.person("olga", groups=("Heads",)), made.person("mia")
    first = made.version_of(quote)
    quote_versions.change(
        version_id=first.pk,
        terms=quote_terms.read(first.terms),
        introduction="Of Olga",
        valid_until=first.valid_until,
        actor=made.actor(olga),
        at=AT,
    )
    quote_versions.clone(version_id=first.pk, actor=made.actor(mia), at=AT)

    approval = made.submit(quote, by=mia).approvals.order_by("pk")[0]

    with pytest.raises(NotYours, match="own"):
        quote_approvals.approve(approval_id=approval.pk, remark="", actor=made.actor(olga), at=AT)


@pytest.mark.parametrize("step", ["create", "change", "submit"])
def test_who_knows_the_key_that_wrote_it_does_not_approve_it_either(
    quote: Quote, customer: Customer, sam: User, step: str
) -> None:
    olga = made.person("olga", groups=("Heads",))
    by = {name: made.actor(sam) for name in ("create", "change", "submit")}
    by[step] = replace(ACTOR, behind=(olga.pk,))
    terms = quote_terms.read(made.version_of(quote).terms)
    new = NewQuote(kind="new", name="By key", external_customer_id=customer.external_id, terms=terms)
    version = made.version_of(quotes.create(new=new, actor=by["create"], at=AT))
    quote_versions.change(
        version_id=version.pk,
        terms=terms,
        introduction="Hello",
        valid_until=date(2026, 3, 1),
        actor=by["change"],
        at=AT,
    )
    if step != "submit":  # a copy keeps who is behind it
        version = quote_versions.clone(version_id=version.pk, actor=made.actor(sam), at=AT)
    version = quote_versions.submit(version_id=version.pk, actor=by["submit"], at=AT)
    approval = version.approvals.order_by("pk")[0]

    assert version.behind == [olga.pk]
    with pytest.raises(NotYours, match="own"):
        quote_approvals.approve(approval_id=approval.pk, remark="", actor=made.actor(olga), at=AT)
    with pytest.raises(IntegrityError, match="of their own"), transaction.atomic():
        QuoteApproval.objects.filter(pk=approval.pk).update(state="approved", decided_by=olga, decided_at=AT)
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        QuoteVersion.objects.filter(pk=version.pk).update(behind=[])
    zoe = made.actor(made.person("zoe", groups=("Heads",)))
    assert quote_approvals.approve(approval_id=approval.pk, remark="", actor=zoe, at=AT).state == "approved"


def test_programs_approve_only_what_needs_nobody(quote: Quote, sam: User) -> None:
    version = made.version_of(quote)

    with pytest.raises(errors.NotAllowed) as refused:
        quote_versions.approve_freely(version_id=version.pk, actor=ACTOR, at=AT)

    version.refresh_from_db()
    assert refused.value.code == "quote_needs_approval"
    assert version.state == "draft"
    plain = quote_terms.read(made.terms("platform"))
    quote_versions.change(
        version_id=version.pk, terms=plain, introduction="", valid_until=date(2026, 3, 1), actor=ACTOR, at=AT
    )
    assert quote_versions.approve_freely(version_id=version.pk, actor=ACTOR, at=AT).state == "approved"


def test_drafts_are_changed_by_who_saw_them(quote: Quote, sam: User) -> None:
    version = made.version_of(quote)
    seen = quote_versions.seen_of(version)
    common: dict[str, Any] = {
        "version_id": version.pk,
        "introduction": "",
        "valid_until": None,
        "actor": ACTOR,
        "at": AT,
    }

    incomplete = quote_versions.change(terms=quote_terms.read({"term_months": 6}), seen=seen, **common)

    assert (incomplete.term_months, incomplete.total_amount.amount) == (6, 0)
    with pytest.raises(QuoteChanged):
        quote_versions.change(terms=quote_terms.read({}), seen=seen, **common)
    with pytest.raises(quote_terms.InvalidTerms):
        made.submit(quote, by=sam)
    assert made.version_of(quote).state == "draft"


def test_what_left_the_draft_stays(quote: Quote, sam: User) -> None:
    version = made.submit(quote, by=sam)

    with pytest.raises(InvalidQuoteState):
        quote_versions.change(
            version_id=version.pk, terms=quote_terms.read({}), introduction="", valid_until=None, actor=ACTOR, at=AT
        )
    for change in ("terms = '{}'", "total_amount = 1", "valid_until = NULL", "submitted_by_id = NULL"):
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE billing_quoteversion SET {change} WHERE id = %s", [version.pk])
    with pytest.raises(IntegrityError, match="voided, not deleted"), transaction.atomic():
        QuoteVersion.objects.filter(pk=version.pk)._raw_delete(using="default")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"threshold": Decimal("1.1")}, "threshold"),
        ({"subject": "mood"}, "subject"),
        ({"subject": "total_amount"}, "currency"),
        ({"currency": "EUR"}, "currency"),
        ({"group_id": 0}, "group"),
        ({"name": ""}, "name"),
    ],
)
def test_rules_that_cannot_be(values: dict[str, Any], field: str) -> None:
    group = made.rule("0.5").group_id
    content = {"name": "x", "subject": "discount_rate", "threshold": Decimal("0.2"), "group_id": group, **values}

    with pytest.raises(InvalidRule) as refused:
        quote_approval_rules.create(values=RuleValues(**content), actor=ACTOR, at=AT)

    assert field in refused.value.details


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"kind": "gift"}, "kind"),
        ({"kind": "amendment"}, "contract_number"),
        ({"external_customer_id": ""}, "external_customer_id"),
        ({"external_customer_id": "", "prospect": {"email": "a@b.c"}}, "prospect.name"),
        ({"external_customer_id": "", "prospect": {"name": "x", "external_id": "c1"}}, "prospect.external_id"),
        ({"external_customer_id": "", "prospect": {"name": "x", "country": "XX"}}, "prospect.country"),
        ({"external_customer_id": "", "prospect": {"name": "x", "shoe_size": 44}}, "prospect.shoe_size"),
        ({"prospect": {"name": "x"}}, "prospect"),
        ({"owner_id": 0}, "owner_id"),
    ],
)
def test_quotes_that_cannot_be(customer: Customer, sam: User, values: dict[str, Any], field: str) -> None:
    with pytest.raises(quotes.InvalidQuote) as refused:
        made.draft(customer, {}, by=sam, **{"billing_entity_code": "acme", **values})

    assert field in refused.value.details
    assert not Quote.objects.exists()


def test_the_same_key_is_the_same_quote_or_a_conflict(customer: Customer, sam: User) -> None:
    seller = parties.make_entity("seller")
    prospect = {"name": "Ada", "email": "ada@example.com"}
    asked = NewQuote(
        kind="new",
        name="Platform",
        prospect=prospect,
        billing_entity_code=seller.code,
        currency="EUR",
        owner_id=sam.pk,
        once=uuid4(),
    )
    first = quotes.create(new=asked, actor=made.actor(sam), at=AT)

    assert quotes.create(new=asked, actor=made.actor(sam), at=AT).pk == first.pk
    assert quotes.create(new=replace(asked, currency="", owner_id=None), actor=made.actor(sam), at=AT).pk == first.pk
    changes: tuple[dict[str, Any], ...] = (
        {"prospect": {**prospect, "email": "eve@example.com"}},
        {"currency": "USD"},
        {"billing_entity_code": customer.billing_entity.code},
        {"owner_id": made.person("olga").pk},
        {"contract_number": "CT-2026-0001"},
    )
    for change in changes:
        with pytest.raises(errors.Conflict) as refused:
            quotes.create(new=replace(asked, **change), actor=made.actor(sam), at=AT)
        assert refused.value.code == "quote_is_made", change
    assert Quote.objects.count() == 1
