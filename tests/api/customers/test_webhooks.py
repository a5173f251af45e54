"""What webhook endpoints are told of customers: made, changed, checked, retired; and nothing where nothing happened."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from customers.models import VatCheck
from customers.services import tax_decisions, vat_checks
from tests.factories import catalog as goods
from tests.factories import customers as parties
from tests.factories.listening import Told
from tests.factories.platform import ACTOR, AT, ApiClient

pytestmark = pytest.mark.django_db

CHECKERS = "tests.factories.vat_checkers"
EXEMPTION = {"reason": "nonprofit", "certificate_number": "7"}


@pytest.fixture
def told() -> Told:
    parties.make_default_entity(country="FR")
    return Told("customer.")


def send(api: ApiClient, **values: Any) -> None:
    answered = api.call("post", "customers", {"customer": {"external_id": "acme", **values}})
    assert answered.status_code == 200, answered.content


def test_an_upsert_is_told_as_what_it_was(told: Told) -> None:
    api = ApiClient()
    goods.make_tax()
    steps: list[tuple[dict[str, Any], list[str]]] = [
        ({"name": "Acme", "metadata": [{"key": "a", "value": "1"}]}, ["customer.created"]),
        ({"name": "Acme"}, []),
        ({"name": "Acme SA", "email": "a@example.com"}, ["customer.updated"]),
        ({"metadata": [{"key": "a", "value": "2"}]}, ["customer.updated"]),
        ({"tax_codes": ["vat"]}, ["customer.updated"]),
        ({"tax_codes": ["vat"]}, []),
        ({"tax_exemption": EXEMPTION, "city": "Nice"}, ["customer.updated"]),
        ({"tax_exemption": EXEMPTION}, []),
        ({"tax_exemption": None}, ["customer.updated"]),
        ({"tax_exemption": None}, []),
    ]
    for values, expected in steps:
        send(api, **values)
        rows = told.rows()
        assert [name for name, _ in rows] == expected, values
        if rows:
            assert rows[0][1] == api.read("customers/acme").json()["customer"]
    assert api.call("delete", "customers/acme").status_code == 200
    assert told.news("external_id", "name") == [("customer.deleted", "acme", "Acme SA")]
    send(api)
    assert told.news("external_id", "name") == [("customer.created", "acme", None)]


def test_a_refused_one_was_never_told(told: Told) -> None:
    answered = ApiClient().call("post", "customers", {"customer": {"external_id": "acme", "country": "XX"}})
    assert (answered.status_code, told.news()) == (422, [])


@override_settings(VIES_CHECKER=f"{CHECKERS}.every_number")
def test_a_checked_number_is_told_with_its_answer(told: Told) -> None:
    parties.make_default_entity(country="FR", eu_tax_management=True)
    parties.make_customer("c", country="IT", tax_identification_number="IT00743110157")
    assert told.news("external_id") == [("customer.created", "c")]

    vat_checks.run(as_of=AT)

    rows = told.rows()
    # Its taxes are others by the answer, and the number was checked.
    assert [name for name, _ in rows] == ["customer.updated", "customer.vies_check"]
    content = rows[1][1]
    assert [tax["code"] for tax in content["taxes"]] == ["lago_eu_reverse_charge"]
    check = content.pop("vies_check")
    assert content == ApiClient().read("customers/c").json()["customer"] == rows[0][1]
    assert (check["valid"], check["vat_number"], check["country_code"]) == (True, "IT00743110157", "IT")
    vat_checks.run(as_of=AT)
    tax_decisions.decide_waiting(as_of=AT)
    assert told.news() == []  # the answer is kept
    # Who comes with a number that is known hears of it at once.
    parties.make_customer("d", country="IT", tax_identification_number="IT00743110157")
    assert told.news("external_id") == [("customer.created", "d"), ("customer.vies_check", "d")]
    check_row = VatCheck.objects.get()
    vat_checks.ask_again(check_id=check_row.pk, actor=ACTOR, at=AT)
    vat_checks.run(as_of=AT)
    assert told.news("external_id") == [("customer.vies_check", "c"), ("customer.vies_check", "d")]


@override_settings(VIES_CHECKER=f"{CHECKERS}.nobody_answers")
def test_a_question_without_an_answer_is_not_told(told: Told) -> None:
    parties.make_default_entity(country="FR", eu_tax_management=True)
    parties.make_customer("c", country="IT", tax_identification_number="IT00743110157")
    told.news()
    vat_checks.run(as_of=AT)
    assert told.news() == []
