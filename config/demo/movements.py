"""The sample's teams with a workspace alone, who came, went, came back and moved between plans: what moves recurring
revenue in the months that are played.

They have no account in the log. Their days are played like `earlier`'s, through the services behind the API, each at
its own instant and all of a team in one transaction: the scheduler finds a team as it stood at the end, and bills on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from billing.models import Subscription
from billing.services import subscriptions, terminations
from billing.services.subscriptions import NewSubscription
from config.demo import builds, sellers, usage, workspaces
from config.kernel import actors

_ACTOR = actors.Actor(kind="system", label="sample company")
_SELLER = sellers.EUROPE
_LEAVES = ""


@dataclass(frozen=True)
class Turn:
    """From a day of the n-th played month on there is a plan, or none any more."""

    month: int
    day: int
    plan: str


@dataclass(frozen=True)
class Team:
    """A customer, and what became of its workspace."""

    name: str
    city: str
    zipcode: str
    turns: tuple[Turn, ...]

    @property
    def external_id(self) -> str:
        """The customer's id with the seller."""
        return f"team_{self.name.partition(' ')[0].lower()}"

    @property
    def subscription_id(self) -> str:
        """The workspace's id."""
        return workspaces.subscription_id(self.external_id)

    @property
    def customer(self) -> dict[str, Any]:
        """The body for the API."""
        return {
            "external_id": self.external_id,
            "name": self.name,
            "legal_name": self.name,
            "customer_type": "company",
            "billing_entity_code": _SELLER.code,
            "currency": _SELLER.currency,
            "email": f"buchhaltung@{self.name.partition(' ')[0].lower()}.example",
            "address_line1": "Werkstraße 12",
            "zipcode": self.zipcode,
            "city": self.city,
            "country": "DE",
            "billing_configuration": {"document_locale": "de"},
        }


UPGRADES = Team("Tannberg Studio GmbH", "Dresden", "01067", (Turn(0, 1, workspaces.BASIC), Turn(3, 9, workspaces.PLUS)))
DOWNGRADES = Team(
    "Uferwerk Design GmbH", "Bremen", "28195", (Turn(0, 1, workspaces.PLUS), Turn(2, 12, workspaces.BASIC))
)
LEAVES = Team("Wolkenhaus Film GmbH", "Potsdam", "14467", (Turn(0, 1, workspaces.PLUS), Turn(4, 20, _LEAVES)))
COMES_BACK = Team(
    "Quellgrund Foto GmbH",
    "Kassel",
    "34117",
    (Turn(0, 5, workspaces.BASIC), Turn(2, 3, _LEAVES), Turn(4, 11, workspaces.BASIC)),
)
COMES_LATE = Team("Zirbel Werbung GmbH", "Ulm", "89073", (Turn(5, 4, workspaces.PLUS),))
TEAMS = (UPGRADES, DOWNGRADES, LEAVES, COMES_BACK, COMES_LATE)


def external_ids() -> list[str]:
    """Return the ids of all teams."""
    return [team.external_id for team in TEAMS]


def play(*, last_month: date) -> None:
    """Play what is not there yet, up to the last full month. Raises what the services raise."""
    months = usage.months(last_month)
    for team in TEAMS:
        _play(team, months)


@transaction.atomic
def _play(team: Team, months: list[date]) -> None:
    if Subscription.objects.filter(external_id=team.subscription_id).exists():
        return
    for turn in team.turns:
        at = builds.noon(months[turn.month], turn.day)
        if turn.plan == _LEAVES:
            _leave(team, at)
        else:
            _take(team, turn.plan, at)


def _take(team: Team, plan: str, at: datetime) -> None:
    """Begin with a plan, or change to it: at once to a dearer one, else when the month is over."""
    new = NewSubscription(
        external_customer_id=team.external_id,
        plan_code=workspaces.plan_code(plan, _SELLER.currency),
        external_id=team.subscription_id,
        name=workspaces.NAME,
    )
    subscriptions.create(new=new, actor=_ACTOR, at=at)


def _leave(team: Team, at: datetime) -> None:
    """End the workspace; what was billed of days to come is taken off the invoice."""
    active = Subscription.objects.get(external_id=team.subscription_id, status=Subscription.Status.ACTIVE)
    terminations.terminate(
        subscription_id=active.pk,
        on_termination_credit_note=Subscription.UnusedTime.OFFSET.value,
        reason="The project is over.",
        actor=_ACTOR,
        at=at,
    )
