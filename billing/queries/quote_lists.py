"""Quotes as lists show them: the newest version of each, and the few that somebody looks for. Never writes."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib.auth.models import AbstractBaseUser, Group
from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from billing.models import Quote, QuoteApproval, QuoteVersion

SOON = 14
"""Days before a quote that was sent is called about to expire."""

_LATER = QuoteVersion.objects.filter(quote=OuterRef("quote"), number__gt=OuterRef("number"))
_UNREAD = ("terms", "introduction")


def with_versions(rows: QuerySet[Quote]) -> QuerySet[Quote]:
    """Fetch with quotes their versions, newest first, without the terms of each. One more statement."""
    versions = QuoteVersion.objects.defer(*_UNREAD).order_by("quote_id", "-number")
    return rows.prefetch_related(Prefetch("versions", queryset=versions))


def newest(*, states: tuple[str, ...]) -> QuerySet[QuoteVersion]:
    """Return versions that are the newest of their quote and in one of the states."""
    return QuoteVersion.objects.filter(~Exists(_LATER), state__in=states)


def in_states(rows: QuerySet[Quote], *states: str) -> QuerySet[Quote]:
    """Narrow to quotes whose newest version is in one of the states."""
    return rows.filter(pk__in=newest(states=states).values("quote"))


def expiring(rows: QuerySet[Quote], *, today: date, days: int = SOON) -> QuerySet[Quote]:
    """Narrow to quotes at the customer that are valid for so many days more, or not any more."""
    found = newest(states=("approved", "sent")).filter(valid_until__lte=today + timedelta(days=days))
    return rows.filter(pk__in=found.values("quote"))


def waiting_for(rows: QuerySet[Quote], *, person: AbstractBaseUser) -> QuerySet[Quote]:
    """Narrow to quotes that need the consent of a person: of a group of theirs, and not submitted by themselves.

    A superuser may consent for every group.
    """
    return rows.filter(pk__in=approvals_for(person=person).values("version__quote"))


def approvals_for(*, person: AbstractBaseUser) -> QuerySet[QuoteApproval]:
    """Return the open approvals that a person may decide."""
    found = QuoteApproval.objects.filter(
        state=QuoteApproval.State.PENDING, version__state=QuoteVersion.State.IN_APPROVAL
    ).exclude(version__submitted_by=person.pk)
    if getattr(person, "is_superuser", False):
        return found
    return found.filter(group__in=Group.objects.filter(user=person.pk))
