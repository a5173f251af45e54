"""Trying the expression of a metric on an event that a person types. Nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from catalog.domain.expressions import evaluating, parsing
from catalog.domain.expressions.evaluating import Event
from catalog.models import BillableMetric
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome


class NothingComputed(errors.NotAllowed):
    """The metric has no expression."""


class SampleEventForm(VerbForm):
    """The event to try it on."""

    aliases = {"event": "properties"}

    properties = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": '{"bytes": 1500000000}'}),
        help_text="The properties of an event, as JSON.",
    )

    def clean_properties(self) -> dict[str, Any]:
        """Read them as they are read when an event comes in: figures are exact."""
        try:
            found = json.loads(self.cleaned_data["properties"], parse_float=Decimal)
        except (ValueError, RecursionError, ArithmeticError) as error:
            raise forms.ValidationError("This is not JSON.") from error
        if not isinstance(found, dict):
            raise forms.ValidationError("Properties are a JSON object: “{…}”.")
        return found


class TryExpression(ObjectVerb):
    """Compute the expression of a metric for an event."""

    name = "try"
    label = "Try expression"
    icon = "calculate"
    permission = "catalog.view_billablemetric"
    explanation = (
        "Computes the metric's property for an event with these properties, now. Nothing is stored or changed."
    )
    confirm = "Compute"
    form_class = SampleEventForm

    def check(self, *, instance: BillableMetric, at: datetime) -> None:
        """Only an expression can be tried."""
        if not instance.expression:
            raise NothingComputed("nothing_computed", "The metric has no expression: its property is sent.")

    def perform(self, *, instance: BillableMetric, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Compute it. Raises NotEvaluable with the position of the part that has no value."""
        event = Event(code=instance.event_code, timestamp=Decimal(int(at.timestamp())), properties=values["properties"])
        value = evaluating.text(evaluating.evaluate(expression=parsing.parse(instance.expression), event=event))
        # Half a surrogate pair can be typed as an escape, and no page can show it.
        return Outcome(f"{instance.field_name} = {value.encode(errors='replace').decode()}")
