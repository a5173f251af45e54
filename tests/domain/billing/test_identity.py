"""Keys of billed items: the same for the same thing over all versions, different for everything else."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from billing.domain import identity

CHARGE = "6f1f9a52-9d6b-4f1e-8a39-0a5f2f0f5c11"
FILTER = "0f4f3a0e-9c0e-4a34-b1f8-2b7b4e0d9a22"


def test_the_same_thing_has_the_same_key() -> None:
    once = identity.item_key(charge_key=CHARGE, filter_key=FILTER, group={"a": "1", "b": "2"})
    again = identity.item_key(charge_key=CHARGE, filter_key=FILTER, group={"b": "2", "a": "1"})

    assert once == again


def test_the_key_is_pinned() -> None:
    # Stored keys guard time that was billed long ago: they must never come out differently.
    assert identity.item_key() == 1865633295283712619
    assert identity.item_key(charge_key=CHARGE) == 333279184264056850


def test_different_things_have_different_keys() -> None:
    keys = [
        identity.item_key(),
        identity.item_key(charge_key=CHARGE),
        identity.item_key(charge_key=FILTER),
        identity.item_key(charge_key=CHARGE, filter_key=FILTER),
        identity.item_key(charge_key=FILTER, filter_key=CHARGE),
        identity.item_key(charge_key=CHARGE, group={"a": "1"}),
        identity.item_key(charge_key=CHARGE, group={"a": "2"}),
        identity.item_key(charge_key=CHARGE, group={"b": "1"}),
    ]

    assert len(set(keys)) == len(keys)


@given(st.uuids(), st.none() | st.uuids(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_keys_fit_their_range(charge: uuid.UUID, of: uuid.UUID | None, group: dict[str, str]) -> None:
    key = identity.item_key(charge_key=str(charge), filter_key=None if of is None else str(of), group=group)

    # int8range(key, key, '[]') needs the key plus one to be a bigint too.
    assert 0 <= key < 2**62
