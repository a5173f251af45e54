"""The first steps: what is done of them, who may tick and put them away, and that a test mail really goes out."""

from __future__ import annotations

from unittest import mock

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.dashboard import first_steps
from config.dashboard.first_steps import Checklist
from config.platform.models import AuditEntry, FirstStep
from customers.models import BillingEntity
from tests.admin.conftest import NOW, signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

PAGE = "/admin/platform/firststep/"


def shown(client: Client, address: str = "/admin/") -> Checklist | None:
    blocks = client.get(address).context["blocks"]
    return next((block for block in blocks if isinstance(block, Checklist)), None)


def done(client: Client) -> set[str]:
    found = shown(client, PAGE)
    assert found is not None
    return {item.step.code for item in found.items if item.is_done}


def test_steps_are_done_when_their_rows_are_there(superuser: Client, company: Company) -> None:
    usual = {"tax", "metric", "plan", "customer", "subscription", "key", "event", "invoice", "entity"}
    assert done(superuser) == usual  # a logo is optional
    found = shown(superuser)
    assert found is not None
    assert found.following is not None
    assert found.following.step.code == "mail"
    assert (found.done, found.percent) == (9, 75)


def test_a_company_that_is_not_complete_says_what_it_lacks(superuser: Client, company: Company) -> None:
    BillingEntity.objects.update(iban="", city="")
    found = shown(superuser)
    assert found is not None
    assert found.following is not None
    assert found.following.missing == "Lumen Hosting GmbH lacks: city, bank details."
    assert found.following.missing in superuser.get("/admin/").content.decode()


def test_a_tax_that_nobody_applies_sets_up_nothing(superuser: Client, company: Company) -> None:
    BillingEntity.taxes.through.objects.all().delete()
    BillingEntity.objects.update(eu_tax_management=False)
    assert "tax" not in done(superuser)
    page = superuser.get(PAGE).content.decode()
    assert "but no billing entity applies it" in page
    assert f"{PAGE}no_tax/" in page
    superuser.get(f"{PAGE}no_tax/")
    assert "tax" not in done(superuser)  # looking changes nothing
    assert superuser.post(f"{PAGE}no_tax/").status_code == 302
    assert "tax" in done(superuser)


def test_a_test_mail_goes_out_and_ticks_the_step(finance: Client, company: Company) -> None:
    assert finance.get(f"{PAGE}mail/").status_code == 200
    assert mail.outbox == []  # looking sends nothing
    assert finance.post(f"{PAGE}mail/", {"to": "not an address"}).status_code == 200
    refused = mock.patch("django.core.mail.EmailMessage.send", side_effect=ConnectionRefusedError("no server"))
    with refused:
        page = finance.post(f"{PAGE}mail/", {"to": "me@example.com"})
    assert "no server" in page.content.decode()
    assert not FirstStep.objects.exists()
    assert finance.post(f"{PAGE}mail/", {"to": "me@example.com"}).status_code == 302
    assert [one.to for one in mail.outbox] == [["me@example.com"]]
    assert FirstStep.objects.get().code == "mail"
    assert finance.post(f"{PAGE}mail/", {"to": "me@example.com"}).status_code == 302
    assert FirstStep.objects.count() == 1


def test_the_list_is_put_away_and_comes_back(finance: Client, company: Company) -> None:
    assert shown(finance) is not None
    finance.get(f"{PAGE}hide/")
    assert shown(finance) is not None  # looking changes nothing
    assert finance.post(f"{PAGE}hide/").status_code == 302
    assert shown(finance) is None
    whole = shown(finance, PAGE)
    assert whole is not None
    assert whole.show_url == f"{PAGE}show/"
    assert finance.post(f"{PAGE}show/").status_code == 302
    assert shown(finance) is not None
    assert [entry.verb for entry in AuditEntry.objects.filter(object_type="platform.firststep").order_by("pk")] == [
        "tick first step",
        "untick first step",
    ]


def test_it_disappears_when_all_is_done(superuser: Client, company: Company) -> None:
    person = User.objects.create_user("colleague", is_staff=True)
    person.groups.add(Group.objects.get(name="Accountant"))
    for code in ("mail", "backup"):
        FirstStep.objects.create(code=code, by="Ada", at=NOW)
    assert done(superuser) == {step.code for step in first_steps.STEPS}
    assert shown(superuser) is None


def test_who_may_not_gets_no_button(company: Company) -> None:
    auditor = signed_in("Auditor")
    found = shown(auditor)
    assert found is not None
    assert found.hide_url == ""
    assert {item.url for item in found.items if item.step.code in ("mail", "backup", "customer")} == {""}
    for verb in ("mail", "backup", "no_tax", "hide", "show"):
        assert auditor.get(f"{PAGE}{verb}/").status_code == 403
        assert auditor.post(f"{PAGE}{verb}/").status_code == 403
    assert not FirstStep.objects.exists()
    assert shown(signed_in("Nobody")) is None


def test_all_steps_take_one_query(superuser: Client, company: Company) -> None:
    request = superuser.get("/admin/").wsgi_request
    request.user.get_all_permissions()
    with CaptureQueriesContext(connection) as captured:
        first_steps.blocks(request)
    assert len(captured) == 1
