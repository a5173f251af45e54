"""``/rehearsals`` and ``/parked_accounts``: asked for by a key, signed off by people alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from billing.models import ParkedAccount, Rehearsal
from billing.services import rehearsal_computing, rehearsals
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import customers as parties
from tests.factories import migration_stories as people
from tests.factories.billing import instant
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db
URL, PARKED = "rehearsals", "parked_accounts"


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def rehearsal(api: ApiClient) -> dict[str, Any]:
    parties.make_default_entity()
    customer = parties.make_customer("acme")
    made.make_subscription(customer, goods.make_plan(cents=2900), at=instant("2026-05-01"))
    answer = api.call("post", URL, {"rehearsal": {"as_of": "2026-06-01T00:10:00Z", "reason": "May"}})
    assert answer.status_code == 200, answer.json()
    shown: dict[str, Any] = answer.json()["rehearsal"]
    assert (shown["state"], shown["as_of"], shown["totals"]) == ("waiting", "2026-06-01T00:10:00Z", [])
    rehearsal_computing.compute(rehearsal_id=Rehearsal.objects.get().pk, at=timezone.now())
    return shown


def test_a_rehearsal_is_read(api: ApiClient, rehearsal: dict[str, Any]) -> None:
    address = f"{URL}/{rehearsal['lago_id']}"

    shown = api.call("get", address).json()["rehearsal"]
    found = api.call("get", f"{address}/invoices").json()

    assert (shown["state"], shown["invoices_count"], shown["flagged_count"]) == ("ready", 1, 0)
    assert [(one["currency"], one["total_amount_cents"], one["causes"]) for one in shown["totals"]] == [
        ("EUR", 2900, {"new": 2900})
    ]
    (invoice,) = found["rehearsed_invoices"]
    assert (invoice["external_customer_id"], invoice["billing_date"]) == ("acme", "2026-06-01")
    assert (invoice["total_amount_cents"], invoice["previous_total_amount_cents"]) == (2900, None)
    assert invoice["expected_amount_cents"] == 2900
    (line,) = invoice["lines"]
    assert (line["units"], line["amount_cents"], line["previous_amount_cents"]) == ("1", 2900, None)
    for asked, count in (
        ("flagged=true", 0),
        ("flagged=false", 1),
        ("cause=new", 1),
        ("cause=tax", 0),
        ("external_customer_id=acme", 1),
        ("external_customer_id=other", 0),
    ):
        assert len(api.call("get", f"{address}/invoices?{asked}").json()["rehearsed_invoices"]) == count, asked
    assert api.call("get", f"{URL}?state=ready").json()["meta"]["total_count"] == 1
    assert api.call("get", f"{URL}?state=dropped").json()["meta"]["total_count"] == 0


def test_a_key_signs_nothing_off(api: ApiClient, rehearsal: dict[str, Any]) -> None:
    address = f"{URL}/{rehearsal['lago_id']}"

    refused = api.call("post", f"{address}/sign_off", {})

    assert (refused.status_code, refused.json()["code"]) == (403, "person_required")
    assert api.call("post", f"{address}/bill", {}).status_code == 405
    row = Rehearsal.objects.get()
    rehearsals.sign_off(rehearsal_id=row.pk, acknowledged=0, actor=people.person("ben"), at=timezone.now())
    assert api.call("get", address).json()["rehearsal"]["signed_off_by"] == "ben"
    assert api.call("post", f"{address}/bill", {}).status_code == 200
    assert Rehearsal.objects.get().bill_asked_at is not None
    assert api.call("post", f"{address}/drop", {"rehearsal": {"reason": "Wrong."}}).status_code == 200
    assert api.call("post", f"{address}/drop", {}).status_code == 405


def test_bad_input_is_refused(api: ApiClient) -> None:
    late = (timezone.now() + timedelta(days=500)).isoformat()
    for content in ({"as_of": late}, {"as_of": "soon"}, {"reason": "x" * 2001}):
        assert api.call("post", URL, {"rehearsal": content}).status_code == 422, content
    for address in (f"{URL}/{uuid4()}", f"{URL}/nothing", f"{URL}/{uuid4()}/invoices", f"{PARKED}/{uuid4()}"):
        assert api.call("get", address).status_code == 404
    assert api.call("get", f"{URL}?state=odd").status_code == 422
    assert not Rehearsal.objects.exists()


def test_an_account_is_parked_and_released(api: ApiClient) -> None:
    parties.make_default_entity()
    parties.make_customer("acme")
    tomorrow = (timezone.now() + timedelta(days=3)).date().isoformat()
    content = {"external_customer_id": "acme", "reason": "Disputed.", "until": tomorrow}

    answer = api.call("post", PARKED, {"parked_account": content})

    assert answer.status_code == 200, answer.json()
    shown = answer.json()["parked_account"]
    assert (shown["external_customer_id"], shown["until"], shown["released_at"]) == ("acme", tomorrow, None)
    for wrong, field in (
        (content, "customer"),
        ({**content, "reason": ""}, "reason"),
        ({**content, "until": "2026-01-01"}, "until"),
    ):
        refused = api.call("post", PARKED, {"parked_account": wrong})
        assert (refused.status_code, field in refused.json()["error_details"]) == (422, True), wrong
    unknown = api.call("post", PARKED, {"parked_account": {**content, "external_customer_id": "no"}})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "customer_not_found")
    assert api.call("delete", f"{PARKED}/{shown['lago_id']}").json()["parked_account"]["released_by"]
    assert api.call("get", PARKED).json()["parked_accounts"] == []
    assert len(api.call("get", f"{PARKED}?released=true").json()["parked_accounts"]) == 1
    assert ParkedAccount.objects.get().released_at is not None
