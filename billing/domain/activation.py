"""Subscriptions that begin once they are paid. Owns the terms of such a rule, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from config.kernel import errors

MAX_TIMEOUT_HOURS = 24 * 366


class RuleType(StrEnum):
    """What a subscription waits for."""

    PAYMENT = "payment"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is agreed: the first invoice is paid before the subscription runs, within some hours if any are given."""

    type: RuleType = RuleType.PAYMENT
    timeout_hours: int | None = None

    def __post_init__(self) -> None:
        if self.timeout_hours is not None and not 0 < self.timeout_hours <= MAX_TIMEOUT_HOURS:
            raise _refused("timeout_hours", "value_is_out_of_range")

    def expires_at(self, since: datetime) -> datetime | None:
        """Return until when the payment is waited for; nothing where it may come at any time."""
        return None if self.timeout_hours is None else since + timedelta(hours=self.timeout_hours)


def demand_one(rules: Sequence[Rule]) -> None:
    """Refuse more than one rule of a type. Raises Invalid (`activation_rules`)."""
    if len({rule.type for rule in rules}) < len(rules):
        raise errors.Invalid(
            "validation_errors", "There is one payment to wait for.", {"activation_rules": ["value_is_duplicated"]}
        )


def _refused(field: str, code: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", f"{field}: {code}", {f"activation_rules.{field}": [code]})
