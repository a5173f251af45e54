"""The quick way through a serializer gives what the serializer gives, whatever an object is and holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money
from rest_framework import serializers

from config.platform.api import rendering
from config.platform.api.serializers import Constant, DecimalString, Instant, MinorUnits, TextOrNull


@dataclass
class Owner:
    name: str
    uuid: UUID

    def shout(self) -> str:
        """Return the name, as a method that a field names."""
        return self.name.upper()


@dataclass
class Thing:
    name: str | None
    amount: Money | None
    units: Decimal
    at: datetime | None
    owner: Owner | None
    parts: list[Any]
    facts: dict[str, Any] = field(default_factory=dict)


class OwnerShape(serializers.Serializer):  # type: ignore[type-arg]
    lago_id = serializers.UUIDField(source="uuid")
    hex_id = serializers.UUIDField(source="uuid", format="hex")
    name = serializers.CharField()
    loud = serializers.CharField(source="shout")
    secret = serializers.CharField(source="name", write_only=True)


class OddShape(serializers.Serializer):  # type: ignore[type-arg]
    """One that shows its objects in a way of its own."""

    def to_representation(self, instance: Owner) -> dict[str, Any]:
        """Return a word."""
        return {"odd": instance.name}


class ThingShape(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    name_or_null = TextOrNull(source="name")
    amount_cents = MinorUnits(source="amount", allow_null=True)
    units = DecimalString()
    at = Instant(allow_null=True)
    owner = OwnerShape()
    owner_name = serializers.CharField(source="owner.name", default=None)
    loud = serializers.CharField(source="owner.shout", required=False)
    odd = OddShape(source="owner")
    same = OwnerShape(source="owner")
    parts = OwnerShape(many=True)
    odd_parts = OddShape(source="parts", many=True)
    facts = serializers.DictField()
    deep = serializers.CharField(source="facts.items", required=False)
    missing = serializers.CharField(required=False)
    missing_too = serializers.CharField(default="d")
    constant = Constant([])
    whole = OwnerShape(source="owner", allow_null=True)
    counted = serializers.SerializerMethodField()

    def get_counted(self, thing: Thing) -> str:
        """Return how many parts there are, with a word of the context."""
        return f"{self.context['word']} {len(thing.parts)}"


texts = st.text(max_size=5)
owners = st.builds(Owner, name=texts, uuid=st.uuids())
things = st.builds(
    Thing,
    name=st.none() | texts,
    amount=st.none() | st.integers(0, 10**6).map(lambda cents: Money(Decimal(cents) / 100, "EUR")),
    units=st.integers(0, 10**6).map(lambda units: Decimal(units) / 1000),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    owner=st.none() | owners,
    parts=st.lists(owners, max_size=3),
    facts=st.dictionaries(st.sampled_from(["items", "other"]), texts),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(things, max_size=4))
def test_it_is_what_the_serializer_gives(rows: list[Thing]) -> None:
    context = {"word": "parts:"}
    expected = ThingShape(rows, many=True, context=context).data
    assert rendering.render(ThingShape, rows, context=context) == [dict(row) for row in expected]


@pytest.mark.parametrize("row", [{"name": "a", "uuid": UUID(int=1), "shout": "b"}, Owner("a", UUID(int=1))])
def test_objects_and_dicts(row: Any) -> None:
    assert rendering.render(OwnerShape, [row]) == [dict(OwnerShape(row).data)]


def test_what_the_serializer_refuses_is_refused() -> None:
    with pytest.raises(AttributeError):
        _ = OwnerShape(object()).data
    with pytest.raises(AttributeError):
        rendering.render(OwnerShape, [object()])
