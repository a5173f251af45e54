"""Saved filters of lists: one's own, those shared with a role, and the one that a list opens with."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from config.platform.models import AuditEntry, SavedFilter, StandardFilter
from config.platform.queries import saved_filters as known
from config.platform.services import saved_filters
from tests.admin.conftest import signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

INVOICES = "/admin/invoicing/invoice/"
SAVED = "/admin/platform/savedfilter/"
DRAFTS = "status__exact=draft"


def save(client: Client, name: str, query: str = DRAFTS, **more: str) -> SavedFilter:
    typed = {"list_of": "invoicing.invoice", "query": query, "name": name, **more}
    answer = client.post(f"{SAVED}save/", typed)
    assert answer.status_code == 302, answer.context["form"].errors
    return SavedFilter.objects.get(name=" ".join(name.split()), person=client.session["_auth_user_id"])


def names(client: Client) -> list[str]:
    bar = client.get(f"{INVOICES}?show=all").context["filter_bar"]
    return [] if bar is None else [one.name for one in bar.choices]


@pytest.mark.parametrize(
    ("query", "normal"),
    [
        ("", ""),
        ("?p=3&e=1&show=all", ""),
        ("q=&status__exact=", ""),
        ("status__exact=draft&p=2", "status__exact=draft"),
        ("q=b+c&o=-2&currency=EUR", "currency=EUR&o=-2&q=b+c"),
        ("b=2&b=1&a=ü%26", "a=%C3%BC%26&b=1&b=2"),
    ],
)
def test_the_same_list_has_one_normal_form(query: str, normal: str) -> None:
    assert known.normal(query) == normal
    assert known.normal(normal) == normal


def test_a_filter_is_saved_shown_and_deleted(company: Company) -> None:
    """Saved in its normal form, above the list for its owner alone, replaced by its own name, and gone again."""
    finance, auditor = signed_in("Finance admin"), signed_in("Auditor")
    assert finance.get(INVOICES).context["filter_bar"] is None
    assert finance.get(f"{INVOICES}?{DRAFTS}").context["filter_bar"].save_url.startswith(f"{SAVED}save/?")
    row = save(finance, "My  drafts ", f"p=2&{DRAFTS}&q=")
    assert (row.name, row.query, row.role) == ("My drafts", DRAFTS, None)
    bar = finance.get(f"{INVOICES}?{DRAFTS}&p=1").context["filter_bar"]
    assert [(one.name, one.is_active) for one in bar.choices] == [("All", False), ("My drafts", True)]
    assert bar.save_url == ""
    assert names(auditor) == []
    assert save(finance, "My drafts", "q=LUM").pk == row.pk
    assert auditor.post(f"{SAVED}{row.pk}/delete/").status_code == 302
    assert SavedFilter.objects.filter(pk=row.pk).exists()
    assert finance.get(f"{SAVED}{row.pk}/delete/").status_code == 200
    assert SavedFilter.objects.filter(pk=row.pk).exists()
    finance.post(f"{SAVED}{row.pk}/delete/")
    assert names(finance) == []
    assert list(AuditEntry.objects.filter(object_type="platform.savedfilter").values_list("verb", flat=True)) == [
        "delete filter",
        "save filter",
        "save filter",
    ]


def test_a_filter_is_shared_with_a_role_and_changed_by_its_owner_alone(company: Company) -> None:
    finance, accountant, auditor = signed_in("Finance admin"), signed_in("Accountant"), signed_in("Auditor")
    row = save(finance, "Drafts")
    role = Group.objects.get(name="Accountant")
    finance.post(f"{SAVED}{row.pk}/share/", {"role": role.pk})
    assert (names(finance), names(accountant), names(auditor)) == (["All", "Drafts"], ["All", "Drafts"], [])
    accountant.post(f"{SAVED}{row.pk}/delete/")
    assert accountant.post(f"{SAVED}{row.pk}/share/", {"role": ""}).status_code == 403
    assert names(accountant) == ["All", "Drafts"]
    accountant.post(f"{SAVED}{row.pk}/open_with/")
    assert accountant.get(INVOICES).url == f"{INVOICES}?{DRAFTS}"
    finance.post(f"{SAVED}{row.pk}/share/", {"role": ""})
    assert (names(finance), names(accountant)) == (["All", "Drafts"], [])
    assert accountant.get(INVOICES).status_code == 200
    assert not StandardFilter.objects.exists()


def test_a_list_opens_with_its_standard_filter_until_all_is_asked_for(finance: Client, company: Company) -> None:
    row = save(finance, "Drafts", is_standard="on")
    assert finance.get(INVOICES).url == f"{INVOICES}?{DRAFTS}"
    every = finance.get(f"{INVOICES}?show=all")
    assert every.context["filter_bar"].choices[0].is_active
    assert every.context["cl"].result_count > finance.get(f"{INVOICES}?{DRAFTS}").context["cl"].result_count > 0
    assert finance.get(f"{INVOICES}?{DRAFTS}").context["cl"].clear_all_filters_qs == "?show=all"
    other = save(finance, "Of one", "q=LUM", is_standard="on")
    assert finance.get(INVOICES).url == f"{INVOICES}?q=LUM"
    assert StandardFilter.objects.count() == 1
    finance.post(f"{SAVED}{other.pk}/open_plain/")
    assert finance.get(INVOICES).status_code == 200
    finance.post(f"{SAVED}{row.pk}/open_with/")
    finance.post(f"{SAVED}{row.pk}/delete/")
    assert finance.get(INVOICES).status_code == 200
    assert finance.get("/admin/customers/customer/").status_code == 200


@pytest.mark.parametrize(
    "typed",
    [
        {"name": ""},
        {"name": "x" * 65},
        {"query": ""},
        {"query": "p=2&show=all"},
        {"query": f"q={'x' * 2100}"},
        {"query": "q=%00"},
        {"list_of": "invoicing.nothing"},
        {"list_of": "x" * 80},
    ],
)
def test_what_cannot_be_saved_says_why(finance: Client, company: Company, typed: dict[str, str]) -> None:
    answer = finance.post(f"{SAVED}save/", {"list_of": "invoicing.invoice", "query": DRAFTS, "name": "x", **typed})
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not SavedFilter.objects.exists()


def test_a_person_saves_so_many_filters_of_a_list(
    finance: Client, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_filters, "MOST", 1)
    save(finance, "One")
    answer = finance.post(f"{SAVED}save/", {"list_of": "invoicing.invoice", "query": DRAFTS, "name": "Two"})
    assert "saved already" in str(answer.context["form"].errors)
    save(finance, "One", "q=LUM")


def test_filters_of_others_are_on_no_page(finance: Client, auditor: Client, company: Company) -> None:
    row = save(finance, "Drafts")
    for name in ("change", "history", "open_with", "open_plain", "delete"):
        assert auditor.get(f"{SAVED}{row.pk}/{name}/").status_code == 302, name
    assert "Drafts" not in auditor.get(SAVED).content.decode()
    page = finance.get(f"{SAVED}{row.pk}/change/").content.decode()
    assert "only you" in page
    assert "status exact" in page
