"""The people of the sample's selling companies: who quotes, who approves, who closes the month, who only reads.

All of them sign in with the administrator's password, so that whoever tries the sample can be each of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User

from config.kernel.actors import Actor


@dataclass(frozen=True)
class Person:
    """Somebody who works here, in the role of that name."""

    username: str
    first_name: str
    last_name: str
    role: str


SALES = Person("sam.doyle", "Sam", "Doyle", "Sales")
MANAGER = Person("maya.lund", "Maya", "Lund", "Sales manager")
FINANCE = Person("finn.oduya", "Finn", "Oduya", "Finance admin")
CONTROLLER = Person("carla.reyes", "Carla", "Reyes", "Finance admin")
AUDITOR = Person("aiko.tanaka", "Aiko", "Tanaka", "Auditor")
PEOPLE = (SALES, MANAGER, FINANCE, CONTROLLER, AUDITOR)


def hire(*, password: str) -> None:
    """Make the people who are missing. Without a password they cannot sign in before somebody gives them one."""
    users = get_user_model()
    for person in PEOPLE:
        if users.objects.filter(username=person.username).exists():
            continue
        user = users.objects.create_user(
            person.username,
            email=f"{person.username}@tidehaven.example",
            password=password or None,
            first_name=person.first_name,
            last_name=person.last_name,
            is_staff=True,
        )
        user.groups.add(Group.objects.get(name=person.role))


def acts(person: Person) -> Actor:
    """Return somebody as the actor of a service call."""
    user: User = get_user_model().objects.get(username=person.username)
    return Actor(kind="user", label=user.get_full_name(), user_id=user.pk)
