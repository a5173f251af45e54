"""What a new or changed subscription must keep to: its dates and its id. Owns the refusals; the service writes."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from config.kernel import dates, errors

MAX_EXTERNAL_ID = 255


class InvalidTerms(errors.Invalid):
    """The dates or choices of a subscription do not fit together."""


def starts_later(*, subscription_at: datetime, at: datetime, zone: ZoneInfo) -> bool:
    """Say whether a subscription waits: its local day of start has not come. One that starts later today is active."""
    return first_day(subscription_at=subscription_at, zone=zone) > dates.local_date(at, zone)


def first_day(*, subscription_at: datetime, zone: ZoneInfo) -> date:
    """Return the local date of the start."""
    return dates.local_date(subscription_at, zone)


def check_end(*, ending_at: datetime | None, subscription_at: datetime, at: datetime) -> None:
    """Refuse an end that is not in the future or not after the start. Raises InvalidTerms (`ending_at`)."""
    if ending_at is not None and (ending_at <= at or ending_at <= subscription_at):
        raise InvalidTerms(
            "invalid_date",
            "A subscription has to end in the future and after its start.",
            {"ending_at": ["invalid_date"]},
        )


def check_unused_time(*, option: str | None, pay_in_advance: bool) -> None:
    """Refuse to agree on giving unused time back where none is paid in advance; keeping it can always be said.

    Raises InvalidTerms (`on_termination_credit_note`).
    """
    if not pay_in_advance and option not in (None, "", "skip"):
        raise _refused("on_termination_credit_note", "value_must_be_blank")


def agreed_unused_time(*, option: str | None, pay_in_advance: bool) -> str:
    """Return what is kept of such an agreement: nothing in arrears."""
    return (option or "") if pay_in_advance else ""


def check_start(*, subscription_at: datetime, agreed: datetime, has_started: bool) -> None:
    """Refuse to move the start of a subscription that has started. Raises InvalidTerms (`subscription_at`).

    The same second is the same start: interfaces show no more of it, and clients send back what they were shown.
    """
    if has_started and subscription_at.replace(microsecond=0) != agreed.replace(microsecond=0):
        raise _refused("subscription_at", "modification_not_allowed")


def check_external_id(external_id: str) -> None:
    """Refuse an id that no address can name. Raises InvalidTerms (`external_id`)."""
    if not external_id.strip():
        raise _refused("external_id", "value_is_mandatory")
    if len(external_id) > MAX_EXTERNAL_ID:
        raise _refused("external_id", "value_is_too_long")


def _refused(field: str, code: str) -> InvalidTerms:
    return InvalidTerms(code, f"{field}: {code}", {field: [code]})
