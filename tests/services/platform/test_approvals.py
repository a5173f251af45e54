"""Second persons by rules that are data: who needs one, who may be it, and what is done once and by whom."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import IntegrityError, transaction
from moneyed import Money

from catalog.services import approval_actions as catalog_actions
from config.kernel import actors, errors
from config.kernel.actors import Actor
from config.platform.models import ApprovalRequest, ApprovalRule, AuditEntry
from config.platform.queries import approvals as known
from config.platform.services import approval_actions, approval_rules, approvals
from config.platform.services.approval_rules import RuleValues
from config.platform.services.approvals import ApprovalRequired, Wish
from invoicing.services import approval_actions as invoicing_actions
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
VOID = invoicing_actions.VOID_INVOICE
LATER = datetime(2026, 5, 5, 12, tzinfo=UTC)


def group(name: str = "Checkers") -> Group:
    return Group.objects.get_or_create(name=name)[0]


def rule(
    above: str | None = "1000.00", currency: str = "EUR", *, of: str = "Checkers", action: str = VOID
) -> ApprovalRule:
    limit = None if above is None else Decimal(above)
    values = RuleValues(action, group(of).pk, currency if limit is not None else "", limit)
    return approval_rules.create(values=values, actor=ACTOR, at=AT)


def person(name: str, *groups: str, may: str = "invoicing.void_invoice") -> Actor:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set([group(one) for one in groups])
    if may:
        app, codename = may.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return Actor(kind="user", label=name.title(), user_id=user.pk, address="10.0.0.1", client="browser")


def refusal(amount: Money | None, actor: Actor, action: str = VOID) -> ApprovalRequired | None:
    try:
        approvals.demand(action=action, amount=amount, actor=actor)
    except ApprovalRequired as required:
        return required
    return None


def asked(maker: Actor, amount: str = "1000.01", **values: Any) -> ApprovalRequest:
    required = refusal(Money(amount, "EUR"), maker)
    assert required is not None
    wish = Wish("void_issued", "Void", "invoicing.invoice", 7, "INV-7", {"reason": ["wrong"]}, [], "wrong")
    return approvals.ask(wish=replace(wish, **values), refusal=required, actor=maker, at=AT)


@pytest.mark.parametrize(
    ("rules", "amount", "groups"),
    [
        ([], "9999.99 EUR", None),
        ([("1000", "EUR", "A")], "999.99 EUR", None),
        ([("1000", "EUR", "A")], "1000.00 EUR", None),  # above the limit, not at it
        ([("1000", "EUR", "A")], "1000.01 EUR", {"A"}),
        ([("1000", "EUR", "A"), ("5000", "EUR", "B")], "1000.01 EUR", {"A"}),
        ([("1000", "EUR", "A"), ("5000", "EUR", "B")], "5000.01 EUR", {"B"}),  # the highest limit decides
        ([("1000", "EUR", "A"), ("1000", "EUR", "B")], "2000 EUR", {"A", "B"}),
        ([("1000", "EUR", "A")], "1 JPY", {"A"}),  # no limit in yen: nothing to compare with
        ([("1000", "EUR", "A"), ("150000", "JPY", "A")], "1 JPY", None),
        ([(None, "", "A")], "0.01 EUR", {"A"}),
        ([(None, "", "A"), ("1000", "EUR", "B")], "1 EUR", {"A"}),
        ([(None, "", "A"), ("1000", "EUR", "B")], "1001 EUR", {"B"}),
        ([(None, "", "A"), ("1000", "EUR", "B")], "1 JPY", {"A"}),
        ([("1000", "EUR", "A"), (None, "", "B")], None, {"A", "B"}),  # without an amount every rule applies
    ],
)
def test_which_rule_applies(
    rules: list[tuple[str | None, str, str]], amount: str | None, groups: set[str] | None
) -> None:
    for above, currency, name in rules:
        rule(above, currency, of=name)
    money = None if amount is None else Money(*amount.split())
    found = known.needed(action=VOID, amount=money)
    assert (None if found is None else set(found.group_names)) == groups


def test_jobs_and_the_system_are_exempt_and_api_keys_are_not() -> None:
    rule()
    much = Money("5000", "EUR")
    assert refusal(much, actors.job("billing")) is None
    assert refusal(much, actors.SYSTEM) is None
    for kind in ("user", "api_key", "customer"):
        required = refusal(much, Actor(kind=kind, label="somebody"))
        assert required is not None
        assert (required.code, required.details["groups"]) == ("approval_required", ["Checkers"])
    with pytest.raises(ApprovalRequired):  # a client cannot ask: nobody stands behind it
        approvals.ask(
            wish=Wish("v", "V", "invoicing.invoice", 1, "x", {}, []),
            refusal=required,
            actor=Actor(kind="api_key", label="key"),
            at=AT,
        )
    assert not ApprovalRequest.objects.exists()


def test_what_is_asked_is_done_once_by_another_person() -> None:
    rule()
    maker, checker = person("maker", "Checkers"), person("checker", "Checkers")
    row = asked(maker)
    done: list[str] = []

    def perform(actor: Actor) -> str:
        assert refusal(Money("5000", "EUR"), actor) is None  # within the request nothing has to be asked for
        done.append(actor.label)
        return "outcome"

    with pytest.raises(errors.Conflict):
        asked(maker)  # one waits already
    with pytest.raises(approvals.NotYourDecision):
        approvals.approve(request_id=row.pk, perform=perform, actor=maker, at=LATER)
    assert done == []

    found = approvals.approve(request_id=row.pk, perform=perform, actor=checker, at=LATER, remark="fine")

    assert (found.outcome, found.request.status, found.request.decided_at) == ("outcome", "approved", LATER)
    assert done == ["Checker for maker"]  # both are named
    assert refusal(Money("5000", "EUR"), checker) is not None  # outside of it, it has to be asked for again
    with pytest.raises(approvals.UnableToDecide):
        approvals.approve(request_id=row.pk, perform=perform, actor=checker, at=LATER)
    entries = AuditEntry.objects.filter(object_type="platform.approvalrequest").order_by("pk")
    assert [(one.verb, one.actor_label, one.reason, one.address) for one in entries] == [
        ("ask", "Maker", "wrong", "10.0.0.1"),
        ("approve", "Checker", "fine", "10.0.0.1"),
    ]
    assert entries[1].new["asked_by"] == "maker"
    assert asked(maker).pk != row.pk  # another one may be asked for now


def test_who_may_not_decide() -> None:
    rule()
    row = asked(person("maker"))
    for actor in (
        person("stranger"),
        person("without_right", "Checkers", may=""),
        person("other_group", "Others"),
        Actor(kind="api_key", label="key"),
    ):
        with pytest.raises(approvals.NotYourDecision):
            approvals.approve(request_id=row.pk, perform=lambda _: 1 / 0, actor=actor, at=LATER)
        with pytest.raises(approvals.NotYourDecision):
            approvals.reject(request_id=row.pk, remark="no", actor=actor, at=LATER)
        with pytest.raises(approvals.NotYourDecision):
            approvals.withdraw(request_id=row.pk, actor=actor, at=LATER)
    root = User.objects.create_superuser("root")
    with pytest.raises(approvals.NotYourDecision):  # not even a superuser who is in none of the groups
        approvals.reject(request_id=row.pk, remark="no", actor=Actor("user", "Root", root.pk), at=LATER)
    row.refresh_from_db()
    assert row.status == "waiting"


def test_the_database_refuses_an_own_decision() -> None:
    rule()
    maker = person("maker", "Checkers")
    row = asked(maker)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApprovalRequest.objects.filter(pk=row.pk).update(
            status="approved", decided_by_id=maker.user_id, decided_at=LATER
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        ApprovalRequest.objects.filter(pk=row.pk).update(status="approved")
    asked(maker, object_id=8)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApprovalRequest.objects.filter(object_id=8).update(object_id=7)


def test_what_refuses_when_it_is_done_leaves_nothing_behind() -> None:
    rule()
    row, checker = asked(person("maker")), person("checker", "Checkers")

    def perform(_: Actor) -> None:
        rule("7", of="Written meanwhile")
        raise errors.NotAllowed("not_voidable", "It is voided already.")

    found = approvals.approve(request_id=row.pk, perform=perform, actor=checker, at=LATER)

    assert (found.request.status, found.request.remark) == ("failed", "It is voided already.")
    assert not ApprovalRule.objects.filter(above_amount=7).exists()


def test_what_changed_under_the_eyes_is_not_decided() -> None:
    rule()
    row, checker = asked(person("maker")), person("checker", "Checkers")

    def perform(_: Actor) -> None:
        raise approvals.Stale("approval_changed", "Look again.")

    with pytest.raises(approvals.Stale):
        approvals.approve(request_id=row.pk, perform=perform, actor=checker, at=LATER)
    row.refresh_from_db()
    assert row.status == "waiting"


def test_rejected_and_withdrawn() -> None:
    rule()
    maker, checker = person("maker", "Checkers"), person("checker", "Checkers")
    first = asked(maker)
    with pytest.raises(errors.Invalid):
        approvals.reject(request_id=first.pk, remark=" ", actor=checker, at=LATER)
    assert approvals.reject(request_id=first.pk, remark="no", actor=checker, at=LATER).status == "rejected"
    second = asked(maker)
    assert set(known.waiting_for(User.objects.get(username="checker"))) == {second}
    assert not known.waiting_for(User.objects.get(username="maker")).exists()  # one's own waits for others
    with pytest.raises(approvals.NotYourDecision):
        approvals.withdraw(request_id=second.pk, actor=checker, at=LATER)
    assert approvals.withdraw(request_id=second.pk, actor=maker, at=LATER).status == "withdrawn"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"action": "no_such"}, "action"),
        ({"group_id": 0}, "group"),
        ({"currency": "EUR", "above_amount": None}, "above_amount"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": ""}, "currency"),
        ({"above_amount": Decimal(-1)}, "above_amount"),
        ({"above_amount": Decimal("0.001")}, "above_amount"),
        ({"above_amount": Decimal(10) ** 16}, "above_amount"),
        ({"action": catalog_actions.PUBLISH_PRICES}, "above_amount"),  # prices have no amount
        ({"action": invoicing_actions.MANUAL_ENTRY, "counts": "document"}, "counts"),  # does not add up
        ({"action": invoicing_actions.GRANT_CREDITS, "counts": "customer"}, "counts"),
        ({"action": invoicing_actions.DECLARE_PAID, "days": 30}, "days"),
    ],
)
def test_bad_rules_are_refused(values: dict[str, Any], field: str) -> None:
    given = {"action": VOID, "group_id": group().pk, "currency": "EUR", "above_amount": Decimal(1), **values}
    with pytest.raises(errors.Invalid) as refused:
        approval_rules.create(values=RuleValues(**given), actor=ACTOR, at=AT)
    assert field in refused.value.details
    assert not ApprovalRule.objects.exists()


def test_what_is_usual_depends_on_the_action_and_rules_that_were_there_stay_as_they_were() -> None:
    assert (rule().counts, rule(action=invoicing_actions.REFUND_FEE).counts) == ("document", "each")
    steps = importlib.import_module("config.platform.migrations.0013_second_persons").Migration.operations
    defaults = [one.field.default for one in steps if getattr(one, "name", "") == "counts"]
    assert defaults == ["each", "document"]  # what is written into existing rows, then of new ones


def test_rules_are_changed_and_switched_off_and_noted() -> None:
    row = rule()
    with pytest.raises(errors.Invalid):
        rule()  # the same twice
    values = RuleValues(VOID, group().pk, "EUR", Decimal(2000))
    approval_rules.change(rule_id=row.pk, values=values, is_active=True, actor=ACTOR, at=LATER)
    approval_rules.change(rule_id=row.pk, values=values, is_active=True, actor=ACTOR, at=LATER)
    approval_rules.change(rule_id=row.pk, values=values, is_active=False, actor=ACTOR, at=LATER)
    assert refusal(Money("5000", "EUR"), person("maker")) is None
    notes = AuditEntry.objects.filter(object_type="platform.approvalrule").order_by("pk")
    assert [(one.verb, one.old.get("above"), one.new["above"], one.new["is_active"]) for one in notes] == [
        ("create", None, "1000.00 EUR", True),
        ("update", "1000.00 EUR", "2000.00 EUR", True),
        ("update", "2000.00 EUR", "2000.00 EUR", False),
    ]


def test_rules_may_need_a_second_person_themselves() -> None:
    guard = rule(None, action=approval_actions.CHANGE_RULES)
    maker = person("maker", may="platform.change_approvalrule")
    with pytest.raises(ApprovalRequired):
        approval_rules.create(values=RuleValues(VOID, group().pk), actor=maker, at=AT)
    values = RuleValues(guard.action, guard.group_id)
    with pytest.raises(ApprovalRequired):
        approval_rules.change(rule_id=guard.pk, values=values, is_active=False, actor=maker, at=AT)
    assert ApprovalRule.objects.get().is_active


def test_a_grant_covers_what_was_asked_for_and_no_more() -> None:
    """Asked for 1,000.01 of the checkers: more than 5,000.00, and credits, are for others to approve."""
    rule()
    rule("5000", of="Directors")
    rule(None, of="Directors", action=invoicing_actions.GRANT_CREDITS)
    row, checker = asked(person("maker")), person("checker", "Checkers")

    def perform(action: str, amount: str) -> Callable[[Actor], None]:
        return lambda actor: approvals.demand(action=action, amount=Money(amount, "EUR"), actor=actor)

    for action, amount in ((VOID, "5000.01"), (invoicing_actions.GRANT_CREDITS, "1")):
        with pytest.raises(approvals.NotYourDecision) as refused:
            approvals.approve(request_id=row.pk, perform=perform(action, amount), actor=checker, at=LATER)
        assert refused.value.code == "more_than_asked"
    row.refresh_from_db()
    assert row.status == "waiting"  # nothing is decided: somebody else may
    # 5,000.00 is more than was asked for, but within what checkers approve
    found = approvals.approve(request_id=row.pk, perform=perform(VOID, "5000.00"), actor=checker, at=LATER)
    assert found.request.status == "approved"


def test_a_form_that_is_sent_twice_asks_once() -> None:
    rule()
    maker = person("maker")
    values = {"once": ["token"], "amount": ["5000"]}
    asked(maker, object_id=None, values=values)
    with pytest.raises(approvals.AlreadyAsked):
        asked(maker, object_id=None, values=values)
    asked(maker, object_id=None, values={**values, "once": ["another"]})  # the same again, on purpose
    assert ApprovalRequest.objects.count() == 2
