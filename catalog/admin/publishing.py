"""From when on a new version of a plan is sold: the field that every form asks it with, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from catalog.domain import publications
from catalog.domain.publications import Publication
from config.kernel import dates
from config.platform.admin.forms import VerbForm

HELP = (
    "Empty: from now on. Whoever buys the plan from then on gets the new version; existing subscriptions keep theirs "
    "until they are moved."
)
ALIASES = {"effective_at": "effective_date"}
SECTION = ("Sold from", ("effective_date",))


def field() -> forms.DateField:
    """The day from whose start on the version is sold, in the installation's time zone."""
    return forms.DateField(label="Sold from", required=False, widget=forms.DateInput, help_text=HELP)


class PublishForm(VerbForm):
    """When the version begins to be sold."""

    aliases = ALIASES
    effective_date = field()

    def publication(self, *, at: datetime) -> Publication:
        """What was chosen. Raises InvalidMoment."""
        return chosen(self.cleaned_data, at=at)


def chosen(values: Mapping[str, Any], *, at: datetime) -> Publication:
    """What the field means: existing subscriptions keep theirs in any case.

    A day is one of the installation's time zone, today is now. Raises InvalidMoment for a day that is over.
    """
    day = values.get("effective_date")
    zone = dates.zone(timezone.get_current_timezone_name())
    if day is None or day == dates.local_date(at, zone):
        return publications.KEPT
    return publications.sold_from(dates.start_of_day(day, zone), at=at, timezone=zone)
