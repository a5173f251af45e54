"""Which terms of a fixed charge go together."""

from __future__ import annotations

import pytest

from catalog.domain import fixed_charges

IN_ADVANCE = {"pay_in_advance": ["invalid_charge_model"]}
BY_THE_DAY = {"prorated": ["invalid_charge_model"]}
# model, in advance, by the day -> what is refused
TERMS = [
    ("standard", False, False, None),
    ("standard", False, True, None),
    ("standard", True, False, None),
    ("standard", True, True, None),
    ("graduated", False, False, None),
    ("graduated", False, True, None),
    ("graduated", True, False, None),
    ("graduated", True, True, BY_THE_DAY),
    ("volume", False, False, None),
    ("volume", False, True, None),
    ("volume", True, False, IN_ADVANCE),
    ("volume", True, True, IN_ADVANCE),
    ("", False, False, {"charge_model": ["value_is_mandatory"]}),
    ("package", False, False, {"charge_model": ["value_is_invalid"]}),
    ("percentage", True, True, {"charge_model": ["value_is_invalid"]}),
    ("nonsense", False, False, {"charge_model": ["value_is_invalid"]}),
]


@pytest.mark.parametrize(("model", "advance", "prorated", "details"), TERMS)
def test_terms(model: str, details: dict[str, list[str]] | None, *, advance: bool, prorated: bool) -> None:
    found = None
    try:
        fixed_charges.check(model=model, pay_in_advance=advance, prorated=prorated)
    except fixed_charges.TermsDisagree as refusal:
        found = refusal.details
    assert found == details
