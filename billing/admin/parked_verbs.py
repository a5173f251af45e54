"""Parking accounts and releasing them in the admin: from the list, from a customer, from a rehearsed invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from billing.admin import rehearsal_forms
from billing.models import ParkedAccount, RehearsedInvoice
from billing.queries import parked_accounts as known
from billing.services import parked_accounts
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note
from config.platform.admin.bulk import BulkVerb
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from customers.models import Customer

RIGHT = "billing.park_account"
WHAT_WAITS = (
    "No billing run bills a parked account, and none of its drafts is issued by the clock, while the others go on. "
    "What came due meanwhile is billed by the first run after its release. Usage goes on being taken in."
)


class ParkCustomer(ListVerb):
    """Park an account by its name."""

    name = "park"
    label = "Park an account"
    icon = "pause_circle"
    variant = theme.ActionVariant.PRIMARY
    permission = RIGHT
    explanation = WHAT_WAITS
    confirm = "Park it"
    form_class = rehearsal_forms.ParkCustomerForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Park it."""
        customer = values["customer"]
        row = parked_accounts.park(
            customer_id=customer.pk, reason=values["reason"], until=values["until"], actor=actor, at=at
        )
        return Outcome(_parked(row))


class ParkAccount(ObjectVerb):
    """Park a customer from its page."""

    name = "park"
    label = "Park"
    icon = "pause_circle"
    permission = RIGHT
    explanation = WHAT_WAITS
    confirm = "Park it"
    form_class = rehearsal_forms.ParkForm

    def check(self, *, instance: Customer, at: datetime) -> None:
        """Only one that is billed. Raises NotAllowed."""
        if instance.deleted_at is not None:
            raise errors.NotAllowed("retired", f"{instance} is retired.")
        demand_billed(instance)

    def perform(self, *, instance: Customer, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Park it."""
        row = parked_accounts.park(
            customer_id=instance.pk, reason=values["reason"], until=values["until"], actor=actor, at=at
        )
        return Outcome(_parked(row))


class ParkRehearsed(ObjectVerb):
    """Park the customer of a rehearsed invoice: it is left out of the run."""

    name = "park"
    label = "Park the account"
    icon = "pause_circle"
    variant = theme.ActionVariant.PRIMARY
    permission = RIGHT
    explanation = WHAT_WAITS
    confirm = "Park it"
    form_class = rehearsal_forms.ParkForm

    def check(self, *, instance: RehearsedInvoice, at: datetime) -> None:
        """Only one that is billed. Raises NotAllowed."""
        demand_billed(instance.customer)

    def preview(self, *, instance: RehearsedInvoice, at: datetime) -> Sequence[Block]:
        """What it is about."""
        total = instance.total_amount
        return (
            Facts(
                instance.customer.display_name,
                (
                    Fact("Billing day", cells.day(instance.billing_date)),
                    Fact("It would come to", cells.EMPTY if total is None else cells.money_text(total)),
                    Fact("Why it is conspicuous", "; ".join(flag["says"] for flag in instance.flags) or cells.EMPTY),
                ),
            ),
        )

    def perform(self, *, instance: RehearsedInvoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Park it."""
        row = parked_accounts.park(
            customer_id=instance.customer_id,
            reason=values["reason"],
            until=values["until"],
            rehearsal_id=instance.rehearsal_id,
            actor=actor,
            at=at,
        )
        return Outcome(_parked(row))


class Release(ObjectVerb):
    """Let billing go on."""

    name = "release"
    label = "Release"
    icon = "play_circle"
    variant = theme.ActionVariant.PRIMARY
    permission = RIGHT
    explanation = (
        "The next billing run bills all that came due meanwhile. A rehearsal that was made while it was parked does "
        "not have it; the run of one that was made before bills it as it was rehearsed."
    )
    confirm = "Release it"
    form_class = ReasonForm

    def check(self, *, instance: ParkedAccount, at: datetime) -> None:
        """Each parking is released once. Raises NotAllowed."""
        if instance.released_at is not None:
            raise errors.NotAllowed("released_already", "The account was released already.")

    def preview(self, *, instance: ParkedAccount, at: datetime) -> Sequence[Block]:
        """Why it was parked."""
        return (Note(f"Parked by {instance.parked_label}: {instance.reason}", Tone.WARN),)

    def perform(self, *, instance: ParkedAccount, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Release it."""
        row = parked_accounts.release(parked_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome(f"{row.customer.display_name} was released.")


def demand_billed(customer: Customer) -> None:
    """Refuse what is parked already. Raises NotAllowed."""
    row = known.of_customer(customer_id=customer.pk)
    if row is not None:
        raise errors.NotAllowed("already_parked", f"{customer.display_name} is parked already, by {row.parked_label}.")


def _parked(row: ParkedAccount) -> str:
    until = "until it is released" if row.until is None else f"until {cells.day_text(row.until)}"
    return f"{row.customer.display_name} is parked {until}."


pages.extend(Customer, ParkAccount())
pages.extend_bulk(Customer, BulkVerb(ParkAccount(), "Park"))
