"""Sets an installation up as far as that happens on the server itself: tables, roles, schedule, administrator, API key.

Everything else of the sample goes through the API.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q

from billing.models import Subscription
from config import upgrading
from config.demo import sellers, usage
from config.kernel import actors, dates, errors
from config.platform.queries import api_keys as known_keys
from config.platform.services import api_keys, installation, schedule
from customers.models import Customer
from customers.queries import billing_entities as known_entities
from customers.services import billing_entities

USER = "admin"
_ACTOR = actors.Actor(kind="system", label="sample company")


class NotASample(errors.NotAllowed):
    """The database holds somebody's own customers."""


def prepare(*, at: datetime, say: upgrading.Say = lambda _: None) -> None:
    """Bring the database up to date and fill the schedule. Safe to repeat.

    Raises NotASample for a database with customers that the sample did not make: invented invoices have no place there.
    """
    upgrading.bring_up_to_date(say=say)
    ours = Q(external_id=usage.COMMUNITY) | Q(external_id__startswith=usage.PREFIX)
    if Customer.objects.exists() and not Customer.objects.filter(ours).exists():
        raise NotASample("not_a_sample", "This database has customers of its own: the sample is not loaded into it.")
    schedule.sync()
    installation.ensure(at=at)


def first_month() -> date | None:
    """Return the first month of the sample that the database holds already, or nothing."""
    found = Subscription.objects.filter(external_id=usage.subscription_id(usage.COMMUNITY)).order_by("pk").first()
    return dates.local_date(found.subscription_at, dates.zone(sellers.EUROPE.timezone)) if found else None


def administrator(*, password: str) -> str:
    """Make the administrator where there is none, and return the password: a new one unless one is given.

    An administrator who is there keeps the password; the text is empty where it is not the one given.
    """
    user = get_user_model().objects.filter(username=USER).first()
    if user is not None:
        return password if password and user.check_password(password) else ""
    password = password or secrets.token_urlsafe(9)
    get_user_model().objects.create_superuser(username=USER, email="admin@tidehaven.example", password=password)
    return password


def api_key(*, secret: str, at: datetime) -> str:
    """Return the secret if it still opens the API, else that of a new key."""
    if secret and known_keys.usable(secret=secret, at=at) is not None:
        return secret
    return api_keys.create(name="Sample company", actor=_ACTOR, at=at).secret


@transaction.atomic
def logos(*, at: datetime) -> None:
    """Give the selling companies without a logo theirs: drawings are no part of the API."""
    for seller in sellers.SELLERS:
        if not known_entities.by_code(code=seller.code).logo:
            billing_entities.update(code=seller.code, values={"logo": seller.logo()}, actor=_ACTOR, at=at)
