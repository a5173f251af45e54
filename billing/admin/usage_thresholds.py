"""Usage thresholds on the page of a subscription: how far its usage is, which were passed, and the verb that agrees on
thresholds of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms

from billing.models import AppliedUsageThreshold, Subscription
from billing.queries import lifetime_usage, usage_thresholds
from billing.services import subscription_updates
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.admin import cells, threshold_fields
from config.platform.admin.blocks import Block, Row, Table, columns
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome

_LIVING = (Subscription.Status.PENDING, Subscription.Status.ACTIVE, Subscription.Status.PAUSED)
_PASSED = 50


class ThresholdForm(threshold_fields.ThresholdFields, VerbForm):
    """The amounts, and whether usage is billed at them at all."""

    aliases = threshold_fields.ALIASES

    is_off = forms.BooleanField(
        label="Turned off", required=False, help_text="Usage is billed only when its period is over, whatever it is."
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        """Read the amounts."""
        cleaned = super().clean() or self.cleaned_data
        threshold_fields.check(self, cleaned, currency=self.currency)
        return cleaned


class AgreeThresholds(ObjectVerb):
    """Agree on usage thresholds with the customer."""

    name = "usage_thresholds"
    label = "Usage thresholds"
    icon = "speed"
    permission = "billing.change_subscription"
    explanation = (
        "Thresholds of its own go in place of its plan's, also after a change of plan. Without any, the plan's go. "
        "Usage that is beyond one already is billed within a minute."
    )
    confirm = "Save"

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """One that is over has no usage to come."""
        if instance.status not in _LIVING:
            raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")

    def form(self, *, data: Any, instance: Subscription, at: datetime) -> ThresholdForm:
        """Its own thresholds as they are."""
        currency = instance.plan_version.currency
        start: dict[str, Any] = dict(threshold_fields.initial(usage_thresholds.own(instance), currency=currency))
        return ThresholdForm(
            data, initial={**start, "is_off": instance.progressive_billing_disabled}, currency=currency
        )

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Agree on them."""
        subscription_updates.update(
            subscription_id=instance.pk,
            changes={"progressive_billing_disabled": values["is_off"]},
            thresholds=values["threshold_values"],
            actor=actor,
            at=at,
        )
        return Outcome("The thresholds were saved.")


def blocks(subscription: Subscription, *, at: datetime) -> tuple[Block, ...]:
    """How far the usage is towards each threshold, and what was passed; nothing where there are none and were none."""
    rows = usage_thresholds.applicable(subscription)
    passed = list(
        AppliedUsageThreshold.objects.filter(subscription=subscription)
        .select_related("invoice")
        .order_by("-pk")[:_PASSED]
    )
    if not rows and not passed:
        return ()
    found = [_passed(passed)] if passed else []
    return (_progress(subscription, at), *found) if rows and subscription.started_at else tuple(found)


def _progress(subscription: Subscription, at: datetime) -> Table:
    lifetime = lifetime_usage.read(subscription=subscription, at=at)
    currency = subscription.plan_version.currency
    note = "turned off: " if subscription.progressive_billing_disabled else ""
    return Table(
        f"Usage thresholds: {note}{cells.money_text(lifetime.total)} used since the first day",
        columns("Threshold#", "Used#", "Passed"),
        tuple(
            Row(
                (
                    cells.money(money.from_minor(one.amount_cents, currency)),
                    cells.percent(one.ratio),
                    cells.EMPTY if one.reached_at is None else cells.instant(one.reached_at),
                )
            )
            for one in usage_thresholds.progress(lifetime)
        ),
    )


def _passed(rows: list[AppliedUsageThreshold]) -> Table:
    return Table(
        "Passed",
        columns("When", "Threshold", "Amount#", "Usage by then#", "Billed by"),
        tuple(
            Row(
                (
                    cells.instant(row.created_at),
                    row.name or ("recurring" if row.recurring else cells.EMPTY),
                    cells.money(money.from_minor(row.amount_cents, row.currency)),
                    cells.money(money.from_minor(row.lifetime_cents, row.currency)),
                    cells.EMPTY if row.invoice is None else cells.to(row.invoice),
                )
            )
            for row in rows
        ),
    )
