"""The end of a term: by when notice has to be given, and whether the contract then renews or ends.

Owns the decision and its days, all of them local to the customer; what a renewal costs is `uplifts`'.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from config.kernel import errors

MOST_NOTICE_DAYS = 365


class InvalidNotice(errors.Invalid):
    """The notice period is none that a contract can have, or notice is given when it cannot be."""


class Renewal(StrEnum):
    """What happens when a term is over and nobody said anything."""

    NONE = "none"
    AUTOMATIC = "automatic"


class Decision(StrEnum):
    """What is to be done with a contract today."""

    WAIT = "wait"
    RENEW = "renew"
    END = "end"


def check(*, renewal: Renewal, notice_days: int) -> None:
    """Demand a notice period that leaves a day to decide on: an automatic renewal has one of 1 to 365 days.

    Raises InvalidNotice (`notice_days`).
    """
    least = 1 if renewal is Renewal.AUTOMATIC else 0
    if not least <= notice_days <= MOST_NOTICE_DAYS:
        raise InvalidNotice(
            "value_is_out_of_range",
            f"The notice period is {least} to {MOST_NOTICE_DAYS} days.",
            {"notice_days": ["value_is_out_of_range"]},
        )


def notice_deadline(*, ends_on: date, notice_days: int) -> date:
    """Return the last day on which notice can be given: 30 days before 31 December it is 1 December."""
    return ends_on - timedelta(days=notice_days)


def check_notice(*, given_on: date, ends_on: date, notice_days: int, today: date) -> None:
    """Demand that notice comes in time: by the deadline, and not from the future.

    Raises InvalidNotice (`notice_too_late`, `given_on`).
    """
    deadline = notice_deadline(ends_on=ends_on, notice_days=notice_days)
    if given_on > today:
        raise InvalidNotice("invalid_date", "Notice cannot be given in the future.", {"given_on": ["invalid_date"]})
    if given_on > deadline:
        raise InvalidNotice(
            "notice_too_late",
            f"Notice had to be given by {deadline}. The contract goes on after {ends_on}.",
            {"given_on": ["notice_too_late"]},
        )


def decide(*, renewal: Renewal, ends_on: date, notice_days: int, is_noticed: bool, today: date) -> Decision:
    """Return what the day brings to an active contract whose last term ends on ``ends_on``.

    One that renews does so as soon as the deadline for notice has passed, so that its new prices can be told and
    scheduled before they begin. One that does not ends when its last day is over.
    """
    if renewal is Renewal.AUTOMATIC and not is_noticed:
        deadline = notice_deadline(ends_on=ends_on, notice_days=notice_days)
        return Decision.RENEW if today > deadline else Decision.WAIT
    return Decision.END if today > ends_on else Decision.WAIT
