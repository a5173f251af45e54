"""Two people approve at once: it is done once. The control shows what happens without the lock and the trigger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from moneyed import Money

from config.kernel import db
from config.kernel.actors import Actor
from config.platform.models import ApprovalRequest, AuditEntry
from config.platform.services import approval_rules, approvals, audit
from config.platform.services.approval_rules import RuleValues
from config.platform.services.approvals import Decided, Wish
from tests.concurrency import threads
from tests.factories.platform import ACTOR, AT

pytestmark = pytest.mark.django_db(transaction=True)


def person(name: str, group: Group) -> Actor:
    user = User.objects.create_user(name)
    user.groups.add(group)
    user.user_permissions.add(Permission.objects.get(codename="void_invoice"))
    return Actor(kind="user", label=name, user_id=user.pk)


@pytest.fixture
def calls() -> list[Callable[[], Any]]:
    """Four people who approve the same request."""
    group = Group.objects.create(name="Checkers")
    approval_rules.create(values=RuleValues("void_invoice", group.pk), actor=ACTOR, at=AT)
    maker = person("maker", group)
    try:
        approvals.demand(action="void_invoice", amount=Money(1, "EUR"), actor=maker)
    except approvals.ApprovalRequired as refusal:
        wish = Wish("void_issued", "Void", "invoicing.invoice", 7, "INV-7", {}, [])
        row = approvals.ask(wish=wish, refusal=refusal, actor=maker, at=AT)

    def perform(actor: Actor) -> str:
        audit.record(actor=actor, at=AT, verb="done", instance=row)
        return "done"

    return [
        partial(approvals.approve, request_id=row.pk, perform=perform, actor=person(f"c{number}", group), at=AT)
        for number in range(4)
    ]


def test_it_is_done_once(calls: list[Callable[[], Any]]) -> None:
    results = threads.together(calls)
    assert sorted(type(one).__name__ for one in results) == ["Decided", *["UnableToDecide"] * 3]
    assert isinstance(next(one for one in results if not isinstance(one, Exception)), Decided)
    assert AuditEntry.objects.filter(verb="done").count() == 1
    assert AuditEntry.objects.filter(verb="approve").count() == 1
    assert ApprovalRequest.objects.get().status == "approved"


@pytest.fixture
def unlocked(calls: list[Callable[[], Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody read the request, without a lock, before anybody decides it."""
    waiting = threads.threading.Barrier(len(calls))
    plain = approvals.require

    def together(*args: Any, **values: Any) -> None:
        waiting.wait(threads.WAIT_SECONDS)
        plain(*args, **values)

    monkeypatch.setattr(db, "lock_one", lambda rows: rows.get())
    monkeypatch.setattr(approvals, "require", together)


@pytest.fixture
def unguarded() -> Iterator[None]:
    """Let the database take another decision about what was decided."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE platform_approvalrequest DISABLE TRIGGER USER")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE platform_approvalrequest ENABLE TRIGGER USER")


@pytest.mark.usefixtures("unlocked")
def test_without_the_lock_the_database_keeps_the_first_decision(calls: list[Callable[[], Any]]) -> None:
    threads.together(calls)
    assert AuditEntry.objects.filter(verb="done").count() == 1


@pytest.mark.usefixtures("unlocked", "unguarded")
def test_control_with_neither_it_is_done_more_than_once(calls: list[Callable[[], Any]]) -> None:
    threads.together(calls)
    assert AuditEntry.objects.filter(verb="done").count() > 1
