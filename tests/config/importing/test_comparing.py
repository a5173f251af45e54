"""What counts as a difference between an object there and the same object here."""

from __future__ import annotations

from typing import Any

import pytest

from config.importing import own_terms
from config.importing.comparing import differences


@pytest.mark.parametrize(
    ("theirs", "ours", "fields"),
    [
        ({"rate": 19.0}, {"rate": "19"}, []),  # numbers are compared as numbers
        ({"units": "10.0"}, {"units": "10.5"}, ["units"]),
        ({"flag": False}, {}, []),  # nothing said is nothing lost
        ({"new": None, "list": [], "text": ""}, {}, []),
        ({"new": "x"}, {}, ["new"]),
        ({"lago_id": "a", "created_at": "b", "lago_customer_id": 1}, {}, []),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": "2026-01-01T01:00:00.000+01:00"}, []),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": "2026-01-02T00:00:00Z"}, ["at"]),
        ({"codes": ["b", "a"]}, {"codes": ["a", "b"]}, []),
        ({"taxes": [{"code": "a", "rate": 1}]}, {"taxes": [{"code": "b"}, {"code": "a", "rate": 1}]}, []),
        ({"taxes": [{"code": "a"}]}, {"taxes": []}, ["taxes[a]"]),
        ({"rows": [{"n": 1}, {"n": 2}]}, {"rows": [{"n": 1}, {"n": 3}]}, ["rows[1].n"]),
        ({"deep": {"er": {"x": 1}}}, {"deep": {"er": {"x": 2}}}, ["deep.er.x"]),
        ({"deep": {"x": 1}}, {"deep": None}, ["deep"]),
    ],
)
def test_differences(theirs: Any, ours: Any, fields: list[str]) -> None:
    assert [one.field for one in differences(theirs, ours)] == fields


def test_own_terms_are_what_differs() -> None:
    charge = {"code": "calls", "properties": {"amount": "1"}, "min_amount_cents": 0, "taxes": [], "filters": []}
    plan = {"name": "P", "amount_cents": 100, "charges": [charge], "fixed_charges": [{"code": "f", "units": "1.0"}]}
    assert own_terms.between(plan, plan) == {}
    own = {
        **plan,
        "amount_cents": 80,
        "charges": [{**charge, "properties": {"amount": "2", "grouped_by": ["a"]}}],
        "fixed_charges": [{"code": "f", "units": "3.0"}],
        "minimum_commitment": {"amount_cents": 500, "taxes": [{"code": "vat"}]},
    }
    assert own_terms.between(plan, own) == {
        "amount_cents": 80,
        "charges": [{"code": "calls", "properties": {"amount": "2", "pricing_group_keys": ["a"]}}],
        "fixed_charges": [{"code": "f", "units": "3.0"}],
        "minimum_commitment": {"amount_cents": 500, "tax_codes": ["vat"]},
    }
