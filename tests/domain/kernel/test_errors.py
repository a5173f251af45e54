"""The kinds of refusal."""

from __future__ import annotations

import pytest

from config.kernel import errors


def test_a_refusal_carries_code_message_and_details() -> None:
    refusal = errors.Invalid("validation_errors", "The rate is wrong.", {"rate": ["invalid_rate"]})
    assert (refusal.code, refusal.message) == ("validation_errors", "The rate is wrong.")
    assert refusal.details == {"rate": ["invalid_rate"]}
    assert str(refusal) == "The rate is wrong."


def test_without_a_message_the_code_is_told_in_words() -> None:
    assert str(errors.NotFound("customer_not_found")) == "Customer not found."


@pytest.mark.parametrize(
    "kind",
    [errors.Invalid, errors.NotFound, errors.NotAllowed, errors.Forbidden, errors.Conflict, errors.BadRequest],
)
def test_every_kind_is_a_domain_error(kind: type[errors.DomainError]) -> None:
    with pytest.raises(errors.DomainError):
        raise kind("some_code")


def test_details_are_a_copy() -> None:
    codes = ["value_is_invalid"]
    refusal = errors.Invalid("validation_errors", details={"name": codes})
    codes.append("value_is_too_long")
    assert refusal.details == {"name": ["value_is_invalid"]}
