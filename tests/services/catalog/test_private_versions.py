"""Private versions of plans: made of others, carried over to others, and never sold; and how own terms are joined."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from catalog.models import PlanVersion
from catalog.queries import plans as known
from catalog.services import plans, price_lists, private_terms, private_versions, taxes
from catalog.services.price_lists import ChargeContent, PriceList
from tests.factories import catalog as goods
from tests.factories.platform import ACTOR, AT

LATER = datetime(2026, 3, 1, tzinfo=UTC)
KEYS = [UUID(int=number) for number in range(3)]


def charge(number: int, amount: str = "1", *, model: str = "standard", **values: Any) -> ChargeContent:
    return ChargeContent(
        key=KEYS[number],
        metric_id=number,
        code=f"c{number}",
        charge_model=model,
        properties={"amount": amount},
        invoice_display_name="",
        filters=(),
        tax_ids=(),
        since=AT,
        **values,
    )


def price_list(*charges: ChargeContent, cents: int = 100) -> PriceList:
    return PriceList(interval="monthly", amount=Money(cents, "EUR"), tax_ids=(), charges=charges)


def row(number: int, **terms: Any) -> dict[str, Any]:
    return {"id": str(KEYS[number]), "code": f"c{number}", **terms}


def test_values_are_kept_as_json_has_them() -> None:
    kept = private_terms.stored({"trial_period": Decimal("1.50"), "charges": ({"id": KEYS[1], "flag": True},)})
    assert kept == {"trial_period": "1.50", "charges": [{"id": str(KEYS[1]), "flag": True}]}


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [
        ({}, {"amount_cents": 1}, {"amount_cents": 1}),
        ({"amount_cents": 1, "name": "A"}, {"amount_cents": 2}, {"amount_cents": 2, "name": "A"}),
        (
            {"minimum_commitment": {"amount_cents": 1}},
            {"minimum_commitment": {"invoice_display_name": "M"}},
            {"minimum_commitment": {"amount_cents": 1, "invoice_display_name": "M"}},
        ),
        (
            {"charges": [row(0, properties={"amount": "1"}), row(1, min_amount_cents=5)]},
            {"charges": [row(1, properties={"amount": "2"}), row(2, min_amount_cents=7)]},
            {
                "charges": [
                    row(0, properties={"amount": "1"}),
                    row(1, min_amount_cents=5, properties={"amount": "2"}),
                    row(2, min_amount_cents=7),
                ]
            },
        ),
    ],
)
def test_terms_are_joined_by_name_and_by_charge(
    before: dict[str, Any], asked: dict[str, Any], after: dict[str, Any]
) -> None:
    found = private_terms.merged(before, asked)
    assert {name: value for name, value in found.items() if value != []} == after


def test_another_version_gives_all_that_was_not_agreed() -> None:
    own = price_list(charge(0, "0.5"), charge(1, "9"), cents=70)
    onto = price_list(charge(0, "3", min_amount_cents=11), charge(2, "4"), cents=500)

    found = private_terms.rebased({"charges": [row(0, properties={"amount": "0.5"})]}, own=own, onto=onto)

    # The price of the first is its own, its minimum is not; the second left, the third came.
    assert found == price_list(charge(0, "0.5", min_amount_cents=11), charge(2, "4"), cents=500)
    assert private_terms.rebased({"amount_cents": 7000}, own=own, onto=onto).amount == Money(70, "EUR")


def test_terms_end_by_name_or_charge() -> None:
    terms = {"name": "A", "amount_cents": 1, "charges": [row(0, min_amount_cents=1), row(1, min_amount_cents=2)]}
    assert private_terms.without(terms, ["name", f"charges.{KEYS[0]}"]) == {
        "amount_cents": 1,
        "charges": [row(1, min_amount_cents=2)],
    }
    assert private_terms.without({"charges": [row(0)]}, [f"charges.{KEYS[0]}"]) == {}


@given(
    amounts=st.lists(st.sampled_from(["1", "2", "3"]), min_size=3, max_size=3),
    others=st.lists(st.sampled_from(["1", "2", "3"]), min_size=3, max_size=3),
    agreed=st.sets(st.integers(0, 2)),
    fee=st.booleans(),
)
def test_carrying_over_keeps_what_was_agreed_and_nothing_else(
    amounts: list[str], others: list[str], agreed: set[int], fee: bool
) -> None:
    own = price_list(*(charge(number, amount) for number, amount in enumerate(amounts)), cents=1)
    onto = price_list(*(charge(number, amount) for number, amount in enumerate(others)), cents=2)
    terms: dict[str, Any] = {"charges": [row(number, properties={"amount": amounts[number]}) for number in agreed]}
    terms |= {"amount_cents": 100} if fee else {}

    found = private_terms.rebased(terms, own=own, onto=onto)

    for number, one in enumerate(found.charges):
        assert one.properties["amount"] == (amounts if number in agreed else others)[number]
    assert found.amount == (own if fee else onto).amount
    # Once more changes nothing, and onto what it was made of it is the same again.
    assert private_terms.rebased(terms, own=found, onto=onto) == found
    assert dataclasses.replace(found, charges=onto.charges, amount=onto.amount) == onto
    left = private_terms.differing(terms, own=found, base=onto, names={})
    differing = {number for number in agreed if amounts[number] != others[number]}
    assert {r["code"] for r in left.get("charges", ())} == {f"c{number}" for number in differing}
    assert ("amount_cents" in left) == fee


@pytest.mark.django_db
def test_a_private_version_is_made_and_the_plan_stays() -> None:
    metric = goods.make_metric("calls")
    goods.make_tax("reduced", "0.07")
    version = goods.make_plan("pro", charges=[goods.standard(metric, "1", code="calls")])
    terms: Any = {"tax_codes": ["reduced"], "charges": [{"code": "calls", "properties": {"amount": "2"}}]}

    private = private_versions.make(version=version, terms=terms, at=LATER)
    same = private_versions.make(version=private, terms=terms, at=LATER)
    nothing = private_versions.make(version=version, terms={"amount_cents": 2900, "name": "Pro"}, at=LATER)

    assert (private.base_id, private.number, private.is_current) == (version.pk, 2, False)
    assert (same.pk, nothing.pk) == (private.pk, version.pk)
    assert private_versions.has(version=private, terms=terms, at=LATER)
    assert not private_versions.has(version=version, terms=terms, at=LATER)
    assert PlanVersion.objects.count() == 2
    assert known.by_code(code="pro").pk == version.pk
    assert list(known.current()) == [version]


@pytest.mark.django_db
def test_carried_over_terms_forget_a_tax_that_is_no_more() -> None:
    goods.make_tax("reduced", "0.07")
    version = goods.make_plan("pro")
    private = private_versions.make(version=version, terms={"tax_codes": ["reduced"], "amount_cents": 1}, at=LATER)

    taxes.delete(code="reduced", actor=ACTOR, at=LATER)
    onto = plans.update(code="pro", values={"amount_cents": 5000}, actor=ACTOR, at=LATER)
    found = private_versions.rebase(version=private, onto=onto, at=LATER)

    assert (found.base_id, found.number, found.overrides) == (onto.pk, 4, {"amount_cents": 1})
    assert private_versions.rebase(version=found, onto=onto, at=LATER).pk == found.pk
    assert private_versions.rebase(version=version, onto=onto, at=LATER).pk == onto.pk
    content = price_lists.read(private_versions.without(version=found, terms=["amount_cents"], at=LATER))
    assert content == price_lists.read(onto)
