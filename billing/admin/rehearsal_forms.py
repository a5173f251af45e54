"""The forms of rehearsals and parked accounts: which moment is rehearsed, what is agreed to, who waits and until when.

Owns reading the fields; what is allowed is the services' to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from billing.models import ParkedAccount, Rehearsal
from config.kernel import dates
from config.platform.admin.forms import ReasonForm, SearchWidget, VerbForm
from customers.models import BillingEntity, Customer

NOON = time(12)
_YEARS = range(1900, 2201)


class RehearseForm(VerbForm):
    """Which moment, in which zone, and what for."""

    sections = (("The moment", ("day", "clock", "zone")), ("For the record", ("reason",)))
    aliases = {"as_of": "day"}
    unweighed = VerbForm.unweighed | {"shown"}

    shown = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    day = forms.DateField(label="Day", help_text="What is due by then is computed, with the usage known so far.")
    clock = forms.TimeField(
        label="Time of day",
        widget=forms.TextInput(attrs={"placeholder": "12:00", "autocomplete": "off"}),
        help_text="By noon a day has begun everywhere between America and Asia.",
        error_messages={"invalid": "Write it like 12:00."},
    )
    zone = forms.ChoiceField(label="Of the time zone", help_text="The installation's, or that of a billing entity.")
    reason = forms.CharField(
        label="What for",
        max_length=1000,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Month end"}),
        help_text="Shown in the list of rehearsals and kept in the audit trail.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = timezone.get_current_timezone_name()
        sellers = BillingEntity.objects.order_by("pk").values_list("name", "timezone")
        by_zone: dict[str, list[str]] = {own: ["installation"]}
        for name, zone in sellers:
            by_zone.setdefault(zone, []).append(name)
        self.fields["zone"].choices = [(zone, f"{zone} ({', '.join(names)})") for zone, names in by_zone.items()]

    def clean_day(self) -> date:
        """Refuse days that have no moment in every time zone, or that nobody means."""
        day: date = self.cleaned_data["day"]
        if day.year not in _YEARS:
            raise forms.ValidationError("Choose a day between 1900 and 2200.")
        return day


def moment(values: Mapping[str, Any]) -> datetime:
    """Return the moment that was chosen; a time that a change of the clocks leaves out is the one after it."""
    return datetime.combine(values["day"], values["clock"], tzinfo=dates.zone(values["zone"])).astimezone(UTC)


class SignOffForm(VerbForm):
    """That everything was looked at. With flagged invoices a tick that names their number is needed."""

    sections = (("What you agree to", ("flagged", "failures", "supersedes", "remark")),)
    aliases = {"acknowledged": "flagged"}

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    flagged = forms.BooleanField(required=False)
    failures = forms.BooleanField(required=False)
    supersedes = forms.BooleanField(required=False)
    remark = forms.CharField(
        label="Remark",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "What was checked, and with whom"}),
        help_text="Kept with the sign-off and in the audit trail.",
    )

    def ask(self, *, flagged: int, failures: int, other: Rehearsal | None) -> None:
        """Say how many there are, and ask only for what there is. ``other`` is signed off for the same moment."""
        self._ask("flagged", flagged, "I looked at the flagged invoice", "I looked at the {} flagged invoices")
        self._ask("failures", failures, "One customer fails and is not billed", "{} customers fail and are not billed")
        replaced = "" if other is None else f"It takes the place of {str(other).lower()}, which is dropped"
        self._ask("supersedes", 0 if other is None else 1, replaced, replaced)

    def _ask(self, name: str, count: int, one: str, many: str) -> None:
        if not count:
            del self.fields[name]
            return
        field = self.fields[name]
        field.label = one if count == 1 else many.format(count)
        field.required = True
        field.error_messages["required"] = "Tick it: it is part of what you sign."


class ParkForm(ReasonForm):
    """Why, and until when."""

    until = forms.DateField(
        label="Until",
        required=False,
        help_text="On this day it is released by itself, and billed for all that came due. Empty: until somebody "
        "releases it.",
    )


class ParkCustomerForm(ParkForm):
    """Whom, why, until when."""

    sections = (("Account", ("customer", "until", "reason")),)
    aliases = {"customer_id": "customer"}

    customer = forms.ModelChoiceField(
        Customer.objects.filter(deleted_at__isnull=True),
        widget=SearchWidget(ParkedAccount._meta.get_field("customer")),
        help_text="Search by name, e-mail or external id.",
        error_messages={"invalid_choice": "There is no such customer."},
    )
