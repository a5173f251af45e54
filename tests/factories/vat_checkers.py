"""Checkers of VAT numbers that tests name in VIES_CHECKER: they answer at once, and nobody is asked."""

from __future__ import annotations

from datetime import datetime

from customers.services.vies import Answer, Unavailable


def every_number(*, number: str, at: datetime) -> Answer:
    """Say that a number is registered."""
    return Answer(is_valid=True, name="A registered company", told_by="a test")


def no_number(*, number: str, at: datetime) -> Answer:
    """Say that a number is not registered."""
    return Answer(is_valid=False, told_by="a test")


def nobody_answers(*, number: str, at: datetime) -> Answer:
    """Say that the register is down."""
    raise Unavailable("MS_UNAVAILABLE")
