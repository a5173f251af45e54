"""One company for all tests of a module, and people of every role. What a test changes is rolled back after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client

from config.platform.services import roles
from tests.admin import worlds
from tests.factories.company import Company, make_company

NOW = datetime(2026, 5, 20, 10, 30, tzinfo=UTC)
ROLES = ("Finance admin", "Accountant", "Sales", "Sales manager", "Auditor", "Engineer")
"""The groups that a new installation has."""


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[Company]:
    """A small company as it stands on 20 May 2026."""
    with django_db_blocker.unblock(), time_machine.travel(NOW, tick=False), transaction.atomic():
        yield worlds.standing("company", _company)
        transaction.set_rollback(True)


def _company() -> Company:
    roles.ensure()
    return make_company(at=NOW, months=2, customers_count=5, events_a_day=1)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    """Every test happens on the same morning."""
    with time_machine.travel(NOW, tick=False):
        yield


def person(role: str) -> User:
    """Somebody with a role; "Superuser" may everything, "Nobody" may sign in and nothing else."""
    name = role.lower().replace(" ", "_")
    user = User.objects.create_user(name, password="x", is_staff=True, is_superuser=role == "Superuser")
    if role in ROLES:
        user.groups.add(Group.objects.get(name=role))
    return user


def signed_in(role: str) -> Client:
    """A browser in which somebody with the role is signed in."""
    client = Client()
    client.force_login(person(role))
    return client


@pytest.fixture
def finance(company: Company, db: None) -> Client:
    """The browser of a finance admin."""
    return signed_in("Finance admin")


@pytest.fixture
def auditor(company: Company, db: None) -> Client:
    """The browser of an auditor."""
    return signed_in("Auditor")


@pytest.fixture
def superuser(company: Company, db: None) -> Client:
    """The browser of a superuser."""
    return signed_in("Superuser")
