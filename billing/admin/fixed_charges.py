"""Fixed charges on a subscription's page: how many units it has, and agreeing on another number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from billing.domain import fixed_units as rules
from billing.domain import worked_sum
from billing.models import Subscription
from billing.queries import fixed_units
from billing.services import fixed_changes
from catalog.models import FixedCharge
from catalog.queries import plans
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Fact, Facts, Note, Row, Sum, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome

Status = Subscription.Status
NOW, NEXT = "now", "next"


class ChangeUnitsForm(ReasonForm):
    """Which fixed charge, how many of it, and from when on."""

    sections = (("", ("fixed_charge", "units", "start", "reason")),)

    fixed_charge = forms.ModelChoiceField(FixedCharge.objects.none(), empty_label=None)
    units = forms.DecimalField(min_value=Decimal(0), max_digits=30, decimal_places=15)
    start = forms.ChoiceField(
        label="From", choices=[(NEXT, "the next period on"), (NOW, "now on")], help_text="Nothing is ever given back."
    )


class ChangeUnits(ObjectVerb):
    """Agree on another number of units of a fixed charge."""

    name = "change_units"
    label = "Change units"
    icon = "pin"
    permission = "billing.change_units"
    explanation = (
        "The subscription gets a number of its own, whatever its plan says later. Of what is paid in advance, "
        "units that are added now are invoiced at once; fewer units cost less from the next period on."
    )
    confirm = "Change the units"
    form_class = ChangeUnitsForm
    weighs = True

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """There have to be fixed charges, and the subscription must not be over."""
        if instance.status not in (Status.ACTIVE, Status.PENDING):
            raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")
        if not plans.fixed_charges(instance.plan_version).exists():
            raise errors.NotAllowed("fixed_charge_not_found", "Its plan has no fixed charges.")

    def form(self, *, data: Any, instance: Subscription, at: datetime) -> VerbForm:
        """The fixed charges of its plan."""
        form = super().form(data=data, instance=instance, at=at)
        form.fields["fixed_charge"].queryset = plans.fixed_charges(instance.plan_version)
        return form

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What it has."""
        return (table(instance, at=at),)

    def weigh(
        self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """What is invoiced now, by the calculation that will be made."""
        charge: FixedCharge = values["fixed_charge"]
        item = None
        if values["start"] == NOW and instance.status == Status.ACTIVE:
            item = fixed_changes.preview(subscription_id=instance.pk, code=charge.code, units=values["units"], at=at)
        if item is None:
            return (table(instance, at=at), Note("Nothing is invoiced now.", Tone.INFO))
        facts = Facts(
            "Invoiced now, before tax",
            (
                Fact("Fixed charge", str(charge)),
                Fact("Units", cells.number(item.units)),
                Fact("Amount", cells.money(item.amount)),
            ),
        )
        lines = tuple((line.label, line.formula, line.result) for line in worked_sum.sentences(item.trace))
        blocks: tuple[Block, ...] = (table(instance, at=at), facts, Sum(lines))
        if item.amount.amount:
            return blocks
        return (*blocks, Note("An invoice of nothing tells the change; nothing is given back.", Tone.WARN))

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Agree on it."""
        charge = fixed_changes.change(
            subscription_id=instance.pk,
            code=values["fixed_charge"].code,
            units=values["units"],
            immediately=values["start"] == NOW,
            reason=values["reason"],
            actor=actor,
            at=at,
        )
        when = "now" if values["start"] == NOW else "from the next period on"
        return Outcome(f"{charge}: {cells.number_text(values['units'])} units {when}.")


def table(subscription: Subscription, *, at: datetime) -> Table:
    """The fixed charges of a subscription: units now, what comes next, and whose number it is."""
    history = fixed_units.histories(subscription_ids=[subscription.pk]).get(subscription.pk, {})
    zone = subscription.customer.applicable_timezone
    # Numbers that came with own terms of a change of plan.
    agreed = {row["id"] for row in subscription.plan_version.overrides.get("fixed_charges", ()) if "units" in row}
    agreed |= {key for _, key in fixed_units.overridden(subscription_ids=[subscription.pk])}
    rows = []
    for charge in plans.fixed_charges(subscription.plan_version):
        written = history.get(str(charge.key), ())
        coming = rules.coming(written, at)
        rows.append(
            Row(
                (
                    cells.stack(str(charge), charge.add_on.name),
                    cells.number(rules.at(written, at) if written else charge.units),
                    cells.EMPTY
                    if coming is None
                    else f"{cells.number_text(coming.units)} from {cells.day_of(coming.effective_at, zone)}",
                    "its own" if str(charge.key) in agreed else "the plan's",
                    "in advance" if charge.pay_in_advance else "in arrears",
                    charge.get_charge_model_display() + (", by days" if charge.prorated else ""),
                )
            )
        )
    return Table(
        "Fixed charges",
        columns("Fixed charge", "Units#", "Next", "Number", "Billed", "Price"),
        tuple(rows),
        empty="Its plan has no fixed charges.",
    )
