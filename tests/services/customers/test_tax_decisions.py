"""Taxes that are decided for customers: what is asked, what is written, who waits, and what a person's choice does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import Customer, TaxDecision, VatCheck
from customers.services import tax_decisions, vat_checks
from customers.services.vies import Answer
from tests.factories.customers import make_customer, make_default_entity
from tests.factories.invoicing import make_tax
from tests.factories.platform import ACTOR, AT

pytestmark = pytest.mark.django_db

CHECKERS = "tests.factories.vat_checkers"


def _codes(customer: Customer) -> list[str]:
    return sorted(customer.taxes.values_list("code", flat=True))


def _seller(**values: Any) -> None:
    make_default_entity(**{"country": "FR", "eu_tax_management": True, **values})


def test_a_company_of_another_country_waits_for_its_check_and_is_charged_nothing_then() -> None:
    _seller()

    customer = make_customer("c", country="IT", tax_identification_number="IT 00743110157")

    assert (_codes(customer), customer.awaits_tax_decision) == (["lago_eu_it_standard"], True)
    check = VatCheck.objects.get()
    assert (check.number, check.status, check.attempts) == ("IT00743110157", "pending", 0)

    round_ = vat_checks.run(as_of=AT)

    customer.refresh_from_db()
    assert (round_.answered, round_.unanswered) == (1, 0)
    assert (_codes(customer), customer.awaits_tax_decision) == (["lago_eu_reverse_charge"], False)
    told = [(row.basis, row.is_provisional) for row in TaxDecision.objects.order_by("pk")]
    assert told == [("consumer", True), ("reverse_charge", False)]
    assert AuditEntry.objects.filter(verb="decide_taxes", reason="company in another country of the EU").count() == 1
    assert vat_checks.run(as_of=AT).answered == 0  # an answer is kept


def test_no_answer_is_asked_for_again_later_and_never_means_not_valid(settings: Any) -> None:
    _seller()
    settings.VIES_CHECKER = f"{CHECKERS}.nobody_answers"
    customer = make_customer("c", country="IT", tax_identification_number="IT00743110157")
    for minutes in (0, 2, 6):  # after 2, then 4 minutes more
        assert vat_checks.run(as_of=AT + timedelta(minutes=minutes)).unanswered == 1
        assert vat_checks.run(as_of=AT + timedelta(minutes=minutes, seconds=30)).unanswered == 0
    customer.refresh_from_db()
    check = VatCheck.objects.get()
    assert (check.status, check.attempts, check.error) == ("pending", 3, "MS_UNAVAILABLE")
    assert customer.awaits_tax_decision

    settings.VIES_CHECKER = f"{CHECKERS}.no_number"
    vat_checks.run(as_of=AT + timedelta(minutes=14))

    customer.refresh_from_db()
    assert (_codes(customer), customer.awaits_tax_decision) == (["lago_eu_it_standard"], False)


def test_an_old_answer_goes_on_counting_while_nobody_answers(settings: Any) -> None:
    _seller()
    customer = make_customer("c", country="IT", tax_identification_number="IT00743110157")
    vat_checks.run(as_of=AT)
    settings.VIES_CHECKER = f"{CHECKERS}.nobody_answers"

    assert vat_checks.run(as_of=AT + timedelta(days=91)).unanswered == 1

    customer.refresh_from_db()
    assert (_codes(customer), customer.awaits_tax_decision) == (["lago_eu_reverse_charge"], False)
    assert VatCheck.objects.get().status == "valid"


def test_a_person_decides_about_a_number_that_nobody_answers_for() -> None:
    _seller()
    customer = make_customer("c", country="IT", tax_identification_number="IT00743110157")
    answer = Answer(is_valid=True, told_by="Ann")
    vat_checks.settle(check_id=VatCheck.objects.get().pk, answer=answer, actor=ACTOR, at=AT, reason="letter seen")
    customer.refresh_from_db()
    assert _codes(customer) == ["lago_eu_reverse_charge"]
    assert AuditEntry.objects.get(verb="check").reason == "letter seen"


def test_taxes_that_somebody_chose_stay_until_they_are_taken_off() -> None:
    _seller()
    from_hand = make_customer("c", country="IT")
    assert _codes(from_hand) == ["lago_eu_it_standard"]

    make_tax("own")
    make_customer("c", tax_codes=["own", "lago_eu_it_standard"])
    assert _codes(from_hand) == ["own"]
    make_customer("c", country="DE")
    assert _codes(from_hand) == ["own"]
    assert TaxDecision.objects.first().basis == "by_hand"  # type: ignore[union-attr]
    make_customer("c", tax_codes=[])
    assert _codes(from_hand) == ["lago_eu_de_standard"]


def test_the_same_again_decides_nothing_anew() -> None:
    _seller()
    for _ in range(2):
        make_customer("c", country="IT")
    assert TaxDecision.objects.count() == 1
    make_customer("c", zipcode="00146", city="Roma")
    assert TaxDecision.objects.count() == 2  # the postcode is a fact that it was decided from


def test_a_seller_that_begins_has_its_customers_decided_and_they_wait_meanwhile() -> None:
    make_default_entity(country="FR")
    customer = make_customer("c", country="IT")
    assert (_codes(customer), TaxDecision.objects.count()) == ([], 0)

    make_default_entity(eu_tax_management=True)
    customer.refresh_from_db()
    assert customer.awaits_tax_decision

    assert vat_checks.run(as_of=AT).decided == 1
    customer.refresh_from_db()
    assert (_codes(customer), customer.awaits_tax_decision) == (["lago_eu_it_standard"], False)


def test_a_seller_that_stops_leaves_what_was_decided_and_nobody_waits() -> None:
    _seller()
    customer = make_customer("c", country="IT", tax_identification_number="IT00743110157")
    make_default_entity(eu_tax_management=False)
    customer.refresh_from_db()
    assert (_codes(customer), customer.awaits_tax_decision) == (["lago_eu_it_standard"], False)
    make_customer("c", country="DE")
    assert _codes(customer) == ["lago_eu_it_standard"]


def test_a_seller_outside_the_eu_is_refused_and_keeps_what_it_has() -> None:
    make_default_entity(country="US")
    with pytest.raises(errors.Invalid) as refused:
        make_default_entity(eu_tax_management=True)
    assert refused.value.details == {"eu_tax_management": ["billing_entity_must_be_in_eu"]}
    _seller()
    with pytest.raises(errors.Invalid):
        make_default_entity(country="US")


def test_without_a_checker_the_form_decides_at_once(settings: Any) -> None:
    settings.VIES_CHECKER = None
    _seller()
    right = make_customer("right", country="IT", tax_identification_number="IT00743110157")
    wrong = make_customer("wrong", country="IT", tax_identification_number="IT00743110158")
    assert (_codes(right), _codes(wrong)) == (["lago_eu_reverse_charge"], ["lago_eu_it_standard"])
    assert not right.awaits_tax_decision
    assert {row.told_by for row in VatCheck.objects.all()} == {"the form of the number"}


def test_exemption_is_granted_changed_and_ended() -> None:
    make_customer("c")
    with pytest.raises(errors.Invalid) as refused:
        make_customer("c", tax_exemption={"reason": "because"})
    assert refused.value.details == {"tax_exemption.reason": ["value_is_invalid"]}
    customer = make_customer("c", tax_exemption={"reason": "diplomatic", "certificate_number": "D-1"})
    assert customer.tax_exemption.certificate_number == "D-1"
    make_customer("c", name="C")
    assert Customer.objects.get(external_id="c").tax_exemption.reason == "diplomatic"
    make_customer("c", tax_exemption=None)
    assert not hasattr(Customer.objects.get(external_id="c"), "tax_exemption")
    verbs = list(AuditEntry.objects.filter(verb__contains="exempt").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["exempt_from_tax", "end_tax_exemption"]


def test_a_number_that_two_customers_have_is_asked_about_once() -> None:
    _seller()
    found = [make_customer(name, country="IT", tax_identification_number="IT00743110157") for name in ("a", "b")]
    assert vat_checks.run(as_of=AT).answered == 1
    assert [_codes(one) for one in found] == [["lago_eu_reverse_charge"]] * 2
    assert tax_decisions.decide_waiting(as_of=AT) == 0
