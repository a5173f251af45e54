"""Choosing when a change or an end takes effect, as fields of a form: now, at the end of the period, or a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from billing.domain import chosen_times
from billing.domain.chosen_times import ChosenTime, Timing
from config.platform.admin.forms import ReasonForm

AUTOMATIC = ("", "as the prices decide")
NOW = (Timing.NOW.value, "now")
PERIOD_END = (Timing.PERIOD_END.value, "at the end of the period")


class ChosenTimeForm(ReasonForm):
    """When, with the day where it is a day. ``seen`` is what the subscription was when the page was shown."""

    day_text = "on a day"
    first_choices: Sequence[tuple[str, str]] = (NOW,)

    when = forms.ChoiceField(label="When", required=False)
    day = forms.DateField(label="Day", required=False, help_text="In the customer's time zone.")
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["when"].choices = [*self.first_choices, PERIOD_END, (Timing.DATE.value, self.day_text)]

    def clean(self) -> dict[str, Any]:
        """A day and the choice of a day go together."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        is_day = values.get("when") == Timing.DATE
        if is_day and not values.get("day") and "day" not in self.errors:
            self.add_error("day", "Which day?")
        if values.get("day") and not is_day:
            self.add_error("when", "A day is given: choose the day, or leave it empty.")
        return values


def chosen(values: Mapping[str, Any]) -> ChosenTime | None:
    """Return what was chosen; None where nothing was."""
    if values.get("day"):
        return chosen_times.on(values["day"])
    return ChosenTime(Timing(values["when"])) if values.get("when") else None
