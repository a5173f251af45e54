"""Coupons in the admin: making one, giving it with a preview of the next invoice, and what is shown of its use."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Subscription
from billing.services import runs
from catalog.models import Coupon
from customers.models import AppliedCoupon, Customer
from invoicing.models import Invoice
from invoicing.services import document_views
from tests.factories import billing as contracts
from tests.factories import catalog as goods
from tests.factories import coupons as make_coupons
from tests.factories import invoicing as make
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db

COUPON = "/admin/catalog/coupon/"
FORM = {
    "name": "Spring",
    "code": "spring",
    "kind": "fixed_amount",
    "amount": "30.00",
    "currency": "EUR",
    "frequency": "once",
    "last_day": "2026-12-31",
    "is_reusable": "on",
}


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(instant("2026-01-10T10:00"), tick=False):
        yield


@pytest.fixture
def customer() -> Customer:
    """A customer who pays 100.00 a month and 20 % of tax, from 1 January on."""
    plan = goods.make_plan("pro", cents=10000)
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.2", name="VAT")]))
    contracts.make_subscription(customer, plan, at=instant("2026-01-01T00:00"))
    return customer


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return answer.content.decode().replace("\xa0", " ")


def test_a_coupon_is_made_given_and_used(admin_client: Client, customer: Customer) -> None:
    made = admin_client.post(f"{COUPON}create/", FORM)
    coupon = Coupon.objects.get()
    assert made["Location"] == f"{COUPON}{coupon.pk}/change/"
    assert coupon.expires_at == instant("2027-01-01T00:00")

    give = f"/admin/customers/customer/{customer.pk}/apply_coupon/"
    chosen = {"coupon": str(coupon.pk), "amount": "", "currency": "", "rate": "", "frequency": ""}
    assert "Spring" in text(admin_client.get(give))
    weighed = admin_client.post(give, chosen)
    shown = text(weighed)
    # 100.00 and 20 %, against 70.00 and 20 %
    for figure in ("of 1 Feb 2026", "€120.00", "-€30.00", "€14.00", "€84.00"):
        assert figure in shown, figure
    assert not AppliedCoupon.objects.exists()
    assert not Invoice.objects.exists()
    admin_client.post(give, {**chosen, "weighed": weighed.context["weighed"]})
    applied = AppliedCoupon.objects.get()
    assert "€30.00 left" in text(admin_client.get(f"/admin/customers/customer/{customer.pk}/change/?tab=coupons"))

    runs.run_scheduled(as_of=instant("2026-02-01T01:00"))
    invoice = Invoice.objects.get()
    assert (invoice.coupons_amount.amount, invoice.total_amount.amount) == (30, 84)
    page = text(admin_client.get(f"/admin/invoicing/invoice/{invoice.pk}/change/"))
    for said in ("Coupon Spring", "-€30.00", "Share of coupons", "come out the same"):
        assert said in page, said
    view = document_views.of(invoice=document_views.read(invoice_id=invoice.pk))
    assert [(fact.label, fact.value) for fact in view.coupons] == [("Coupon Spring", "-€30.00")]
    about = text(admin_client.get(f"{COUPON}{coupon.pk}/change/"))
    for said in ("Given, EUR", "on 1 invoice", str(invoice.number), "used up"):
        assert said in about, said
    assert str(invoice.number) in text(admin_client.get(f"/admin/customers/appliedcoupon/{applied.pk}/change/"))
    kept = admin_client.get(f"{COUPON}{coupon.pk}/edit/").context["form"]
    assert {"kind", "amount", "frequency"}.isdisjoint(kept.fields)


def test_a_draft_tells_what_it_would_take(admin_client: Client, customer: Customer) -> None:
    applied = make_coupons.give(customer, rate="0.5")
    draft = make.draft(customer, "10.00").invoice

    page = text(admin_client.get(f"/admin/invoicing/invoice/{draft.pk}/change/"))

    # 10.00 is halved, and 20 % of that is added
    assert "Issued now it would use coupons: C1 (−€5.00). With tax it would come to €6.00." in page
    off = f"/admin/customers/appliedcoupon/{applied.pk}/take_off/"
    assert "Take it off" in text(admin_client.get(off))
    admin_client.post(off)
    applied.refresh_from_db()
    assert applied.ended_by == "removal"
    assert "would use coupons" not in text(admin_client.get(f"/admin/invoicing/invoice/{draft.pk}/change/"))


def test_what_is_refused_is_told_and_nothing_is_written(admin_client: Client, customer: Customer) -> None:
    make_coupons.make_coupon("usd", currency="USD")
    give = f"/admin/customers/customer/{customer.pk}/apply_coupon/"
    coupon = Coupon.objects.get()

    answer = text(admin_client.post(give, {"coupon": str(coupon.pk)}))
    odd = text(admin_client.post(f"{COUPON}create/", {**FORM, "amount": "0.001"}))
    empty = text(admin_client.post(f"{COUPON}create/", {**FORM, "amount": "", "kind": "percentage"}))

    assert "currency does not match" in answer
    assert "finer than the currency" in odd
    assert "This is needed." in empty
    assert not AppliedCoupon.objects.exists()
    assert Coupon.objects.count() == 1
    assert Subscription.objects.get().next_billing_date is not None


def test_lists_take_a_fixed_number_of_queries(
    admin_client: Client, customer: Customer, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        make_coupons.give(customer, f"c{number}", rate="0.01", frequency="forever")
    with django_assert_max_num_queries(14):
        assert "C5" in text(admin_client.get(COUPON))
    with django_assert_max_num_queries(14):
        assert "C5" in text(admin_client.get("/admin/customers/appliedcoupon/"))
    coupon = Coupon.objects.get(code="c1")
    admin_client.post(f"{COUPON}{coupon.pk}/terminate/")
    admin_client.post(f"{COUPON}{coupon.pk}/delete/")
    coupon.refresh_from_db()
    assert (coupon.terminated_at is not None, coupon.deleted_at is not None) == (True, True)
    assert AppliedCoupon.objects.filter(status="active").count() == 5
