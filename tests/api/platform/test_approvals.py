"""What waits for a second person, over the API: to be read and told, never decided."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from config.kernel.actors import Actor
from config.platform.models import WebhookEvent
from config.platform.services import approval_rules, approvals
from config.platform.services.approval_rules import RuleValues
from config.platform.services.approvals import ApprovalRequired, Wish
from invoicing.services import approval_actions, write_offs
from tests.factories import invoicing as make
from tests.factories import webhooks
from tests.factories.platform import client_of

pytestmark = pytest.mark.django_db


def asked(number: str = "1") -> Any:
    person, _ = User.objects.get_or_create(username="alice", first_name="Alice")
    actor = Actor(kind="user", label="Alice", user_id=person.pk)
    invoice = make.issue(make.make_customer(make.make_entity(f"s{number}"), f"c{number}"), "500")
    with pytest.raises(ApprovalRequired) as refusal:
        write_offs.write_off(invoice_id=invoice.pk, amount=Money("60.5", "EUR"), reason="x", actor=actor, at=make.AT)
    wish = Wish("write_off", "Write off", "invoicing.invoice", invoice.pk, str(invoice), {"secret": ["x"]}, (), "gone")
    return invoice, approvals.ask(wish=wish, refusal=refusal.value, actor=actor, at=make.AT)


@pytest.fixture(autouse=True)
def _rule() -> None:
    group = Group.objects.create(name="Checkers")
    values = RuleValues(approval_actions.WRITE_OFF, group.pk, "EUR", Decimal(10))
    approval_rules.create(values=values, actor=make.ACTOR, at=make.AT)


def test_what_waits_is_listed_and_shown() -> None:
    invoice, row = asked()
    client = client_of()
    listed = client.call("get", "approvals?status[]=waiting&action[]=write_off").json()
    (found,) = listed["approvals"]
    assert client.call("get", f"approvals/{row.uuid}").json()["approval"] == found
    assert {name: found[name] for name in ("status", "resource_type", "resource_id", "amount_cents", "groups")} == {
        "status": "waiting",
        "resource_type": "Invoice",
        "resource_id": str(invoice.uuid),
        "amount_cents": 6050,
        "groups": ["Checkers"],
    }
    assert (found["asked_by"], found["reason"], found["decided_by"]) == ("Alice", "gone", None)
    assert "secret" not in str(found)
    for query, count in ((f"resource_id={invoice.uuid}", 1), (f"resource_id={row.uuid}", 0), ("status[]=approved", 0)):
        assert len(client.call("get", f"approvals?{query}").json()["approvals"]) == count
    assert len(client.call("get", "approvals?resource_id=nonsense").json()["approvals"]) == 0
    assert client.call("get", f"approvals/{invoice.uuid}").json()["code"] == "approval_not_found"
    for method in ("post", "put", "delete"):
        assert client.call(method, f"approvals/{row.uuid}", {"approval": {"status": "approved"}}).status_code == 405
    row.refresh_from_db()
    assert row.status == "waiting"


def test_more_requests_are_no_more_queries() -> None:
    client, found = client_of(), []
    for number in range(3):
        asked(str(number))
        with CaptureQueriesContext(connection) as captured:
            client.call("get", "approvals")
        found.append(len(captured))
    assert found[1] == found[2]


def test_asking_and_deciding_are_told() -> None:
    webhooks.make_endpoint(event_types=["approval.requested", "approval.decided"])
    _, row = asked()
    approvals.withdraw(
        request_id=row.pk, actor=Actor("user", "Alice", row.asked_by_id), at=make.AT, remark="found the money"
    )
    told = WebhookEvent.objects.order_by("pk").values_list("event_type", "body")
    assert [name for name, _ in told] == ["approval.requested", "approval.decided"]
    bodies = [bytes(body).decode() if not isinstance(body, str | dict) else str(body) for _, body in told]
    assert "waiting" in bodies[0]
    assert "found the money" in bodies[1]
