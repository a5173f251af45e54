"""The pages of imports: from upload to written rows in a browser, and what whoever lacks the right cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.platform.models import ImportFile
from config.platform.services import imports
from customers.models import Customer
from invoicing.models import OpeningBalance
from invoicing.services import opening_balances
from tests.admin.conftest import NOW, signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

TEXT = "Customer no,Company,Country\nnew-1,New GmbH,DE\nnew-2,Broken,XX\n"


def address(name: str, *args: Any) -> str:
    return reverse(f"admin:platform_importfile_{name}", args=args)


def upload(client: Client, text: str = TEXT, name: str = "customers.csv") -> ImportFile:
    data = {"file": SimpleUploadedFile(name, text.encode()), "decimals": "clear", "days": "clear"}
    answer = client.post(address("upload_customers"), data)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    imports.run(as_of=NOW)
    return ImportFile.objects.latest("pk")


def test_a_file_is_uploaded_checked_and_written(company: Company, finance: Client) -> None:
    assert "Columns it knows" in finance.get(address("upload_customers")).content.decode()
    file = upload(finance)
    page = finance.get(address("change", file.pk)).content.decode()
    assert "Nothing is written yet" in page
    assert "Country is not a country code" in page
    assert not Customer.objects.filter(external_id="new-1").exists()
    assert "left out" in finance.get(address("confirm", file.pk)).content.decode()
    assert "others" in finance.post(address("confirm", file.pk), {"seen": "0" * 16}).content.decode()
    seen = finance.get(address("confirm", file.pk)).context["form"].initial["seen"]
    assert finance.post(address("confirm", file.pk), {"seen": seen}).status_code == 302
    imports.run(as_of=NOW)
    assert Customer.objects.get(external_id="new-1").name == "New GmbH"
    assert not Customer.objects.filter(external_id="new-2").exists()
    mend = b"".join(finance.get(address("mend", file.pk, "csv")).streaming_content).decode()  # type: ignore[attr-defined]
    assert "new-2,Broken,XX,3," in mend
    assert "new-1" not in mend
    refused = finance.get(f"{address('change', file.pk)}?outcome=refused").content.decode()
    assert "new-2" in refused


def test_headings_that_are_not_known_are_chosen(company: Company, finance: Client) -> None:
    file = upload(finance, "Nummer,Firma\nn-1,One\n")
    assert "No heading was found for: External id" in finance.get(address("change", file.pk)).content.decode()
    assert finance.get(address("columns", file.pk)).status_code == 200
    finance.post(address("columns", file.pk), {"column_external_id": "0", "column_name": "1"})
    imports.run(as_of=NOW)
    assert file.rows.get().outcome == "new"


@pytest.mark.parametrize("kind", ["customers", "plans", "prices", "opening_balances"])
def test_samples_can_be_imported(company: Company, finance: Client, kind: str) -> None:
    for file_format in ("csv", "xlsx"):
        answer = finance.get(address("sample", kind, file_format))
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        data = {
            "file": SimpleUploadedFile(f"sample.{file_format}", content),
            "decimals": "point",
            "days": "clear",
            "option_follows": "kept",
        }
        assert finance.post(address(f"upload_{kind}"), data).status_code == 302
        file = ImportFile.objects.latest("pk")
        assert file.status == "checking"
        assert not imports.missing(file)


def test_a_file_that_cannot_be_read_is_told_on_the_form(company: Company, finance: Client) -> None:
    data = {"file": SimpleUploadedFile("x.csv", b"a;b,c\n1;2,3\n"), "decimals": "clear", "days": "clear"}
    answer = finance.post(address("upload_customers"), data)
    assert answer.status_code == 200
    assert "equally often" in answer.content.decode()


@pytest.mark.parametrize("role", ["Auditor", "Accountant", "Engineer"])
def test_whoever_lacks_the_right_of_the_kind_is_refused(company: Company, finance: Client, role: str) -> None:
    file = upload(finance)
    other = signed_in(role)
    assert other.get(address("change", file.pk)).status_code == 200
    for name in ("confirm", "columns", "check", "abandon"):
        assert other.post(address(name, file.pk), {}).status_code == 403
        assert address(name, file.pk) not in other.get(address("change", file.pk)).content.decode()
    assert other.post(address("upload_customers"), {}).status_code == 403
    file.refresh_from_db()
    assert file.status == "checked"


def test_the_page_makes_a_fixed_number_of_queries(
    company: Company, finance: Client, django_assert_max_num_queries: Any
) -> None:
    rows = "".join(f"q-{number},Name {number}\n" for number in range(60))
    file = upload(finance, f"external_id,name\n{rows}")
    with django_assert_max_num_queries(30):
        assert finance.get(address("change", file.pk)).status_code == 200


def test_opening_balances_are_settled_undone_and_taken_back_in_bulk(company: Company, finance: Client) -> None:
    known = Customer.objects.filter(currency="EUR").first() or Customer.objects.first()
    assert known is not None
    rows = "".join(
        f"{known.external_id},owed,OB-{number},2026-03-01,2026-03-15,{known.currency or 'EUR'},10,10\n"
        for number in (1, 2)
    )
    data = {
        "file": SimpleUploadedFile(
            "open.csv", f"customer,kind,number,date,due date,currency,total,open\n{rows}".encode()
        ),
        "decimals": "clear",
        "days": "clear",
    }
    assert finance.post(address("upload_opening_balances"), data).status_code == 302
    imports.run(as_of=NOW)
    file = ImportFile.objects.latest("pk")
    seen = finance.get(address("confirm", file.pk)).context["form"].initial["seen"]
    finance.post(address("confirm", file.pk), {"seen": seen})
    imports.run(as_of=NOW)
    first, second = OpeningBalance.objects.order_by("pk")

    def verb(name: str, **values: str) -> None:
        path = reverse(f"admin:invoicing_openingbalance_{name}", args=[first.pk])
        assert finance.get(path).status_code == 200
        assert finance.post(path, {"reason": "bank", "accounting_date": "2026-05-20", **values}).status_code == 302

    verb("settle", kind="paid", amount="4")
    verb("undo_settlement", settlement=str(first.settlements.get().pk))
    assert opening_balances.left_of(first) == first.amount
    listed = finance.get(f"/admin/invoicing/openingbalance/?import={file.pk}").content.decode()
    assert "OB-1" in listed
    assert "OB-1" not in finance.get("/admin/invoicing/openingbalance/?import=999999").content.decode()
    ids = f"{first.pk},{second.pk}"
    finance.post("/admin/invoicing/openingbalance/bulk/take_back/", {"ids": ids, "reason": "wrong file"})
    assert opening_balances.left_of(first).amount == opening_balances.left_of(second).amount == 0


def test_a_request_of_before_that_does_not_say_what_was_seen_is_done(company: Company, finance: Client) -> None:
    file = upload(finance)
    assert finance.post(address("confirm", file.pk), {}).status_code == 302
    imports.run(as_of=NOW)
    assert Customer.objects.filter(external_id="new-1").exists()
