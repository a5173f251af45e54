"""Importing files: checked without writing, written row by row or as one, taken up where it was cut off."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User

from config.kernel.actors import Actor
from config.platform.models import ApprovalRequest, AuditEntry, ImportFile, ImportRow
from config.platform.services import import_kinds, import_rounds, imports
from customers.models import Customer
from customers.services import customer_imports, customers
from tests.factories import customers as parties

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)


@pytest.fixture
def actor() -> Actor:
    person = User.objects.create_user("ada", first_name="Ada", last_name="Byron")
    return Actor(kind="user", label="Ada Byron", user_id=person.pk)


@pytest.fixture(autouse=True)
def _seller() -> None:
    parties.make_entity("de")


def uploaded(text: str, actor: Actor, kind: str = customer_imports.KIND.code, **chosen: object) -> ImportFile:
    file = imports.upload(
        kind=kind,
        file_name="rows.csv",
        content=text.encode(),
        actor=actor,
        at=AT,
        **chosen,  # type: ignore[arg-type]
    )
    imports.run(as_of=AT)
    file.refresh_from_db()
    return file


def written(file: ImportFile, actor: Actor, *, whole: bool = False) -> ImportFile:
    imports.confirm(import_id=file.pk, all_or_nothing=whole, actor=actor, at=AT)
    imports.run(as_of=AT)
    file.refresh_from_db()
    return file


def outcomes(file: ImportFile) -> list[tuple[int, str, str, str]]:
    return list(file.rows.order_by("number").values_list("number", "outcome", "column", "message"))


def test_checking_says_what_would_be_done_and_writes_nothing(actor: Actor) -> None:
    parties.make_customer("c1", name="Old name")
    file = uploaded(
        "Customer no;Company;E-mail;Country;Payment term\n"
        "c1;New name;;;\n"
        "c2;Fresh;a@example.com;de;14\n"
        "c3;Broken;nobody;XX;14\n"
        ";Nameless;;;\n"
        "c2;Twice;;;\n",
        actor,
    )
    assert file.status == "checked"
    assert [(number, outcome) for number, outcome, *_ in outcomes(file)] == [
        (2, "changed"),
        (3, "new"),
        (4, "refused"),
        (5, "refused"),
        (6, "refused"),
    ]
    assert file.rows.get(number=2).changes == [["Name", "Old name", "New name"]]
    assert "E-mail is not an e-mail address" in file.rows.get(number=4).message
    assert file.rows.get(number=5).column == "External id"
    assert "Row 3" in file.rows.get(number=6).message
    assert Customer.objects.get(external_id="c1").name == "Old name"
    assert not Customer.objects.filter(external_id="c2").exists()
    assert not AuditEntry.objects.filter(object_type="customers.customer", actor_label__contains="rows.csv").exists()


def test_the_same_file_twice_changes_nothing(actor: Actor) -> None:
    text = "external_id,name,currency,shipping_city\nc1,One,EUR,Lyon\nc2,Two,eur,\n"
    first = written(uploaded(text, actor), actor)
    assert first.status == "done"
    assert imports.counts(first)["written"] == 2
    assert Customer.objects.get(external_id="c1").shipping_address == {"city": "Lyon"}
    told = AuditEntry.objects.get(object_type="customers.customer", object_label="Two")
    assert told.actor_label == "Ada Byron: rows.csv, row 3"
    assert told.user_id == actor.user_id

    entries = AuditEntry.objects.filter(object_type="customers.customer").count()
    again = uploaded(text, actor)
    assert {row.outcome for row in again.rows.all()} == {"unchanged"}
    with pytest.raises(imports.UnableToImport):
        imports.confirm(import_id=again.pk, all_or_nothing=False, actor=actor, at=AT)
    assert AuditEntry.objects.filter(object_type="customers.customer").count() == entries


def test_a_round_that_was_cut_off_goes_on(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    file = uploaded("external_id,name\nc1,One\nc2,Two\nc3,Three\n", actor)
    imports.confirm(import_id=file.pk, all_or_nothing=False, actor=actor, at=AT)
    done = import_rounds._do
    seen: list[int] = []

    def killed(*args: object, **kwargs: object) -> None:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(1)
        done(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(import_rounds, "_do", killed)
    with pytest.raises(KeyboardInterrupt):
        imports.run(as_of=AT)
    assert imports.counts(file)["written"] == 2
    monkeypatch.setattr(import_rounds, "_do", done)
    imports.run(as_of=AT)
    file.refresh_from_db()
    assert file.status == "done"
    assert Customer.objects.filter(external_id__in=["c1", "c2", "c3"]).count() == 3
    assert (
        AuditEntry.objects.filter(verb="create", object_type="customers.customer", user_id=actor.user_id).count() == 3
    )


def test_all_or_nothing_takes_back_everything(actor: Actor) -> None:
    file = uploaded("external_id,name,taxes\nc1,One,\nc2,Two,\n", actor)
    imports.confirm(import_id=file.pk, all_or_nothing=True, actor=actor, at=AT)
    ImportRow.objects.filter(file=file, number=3).update(cells=["c2", "Two", "gone"])  # as if a tax went meanwhile
    imports.run(as_of=AT)
    file.refresh_from_db()
    assert file.status == "checked"
    assert "row 3 was refused" in file.remark
    assert not Customer.objects.filter(external_id="c1").exists()
    assert imports.counts(file)["written"] == 0


def test_columns_that_are_not_found_are_chosen(actor: Actor) -> None:
    file = uploaded("Kunde,Firma\nc1,One\n", actor)
    assert file.status == "uploaded"
    assert imports.missing(file) == ["External id"]
    imports.choose_columns(import_id=file.pk, columns={"external_id": 0, "name": 1}, actor=actor, at=AT)
    imports.run(as_of=AT)
    assert [outcome for _, outcome, *_ in outcomes(file)] == ["new"]


def test_a_workbook_is_read_exactly(actor: Actor) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["External id", "Name", "Payment term"])
    sheet.append([1001, "=not a formula", 14.0])
    sheet["B2"].data_type = "s"
    content = io.BytesIO()
    book.save(content)
    file = imports.upload(kind="customers", file_name="a.xlsx", content=content.getvalue(), actor=actor, at=AT)
    imports.run(as_of=AT)
    assert [outcome for _, outcome, *_ in outcomes(file)] == ["new"]
    written(file, actor)
    made = Customer.objects.get(external_id="1001")
    assert (made.name, made.net_payment_term) == ("=not a formula", 14)


def test_what_changed_since_it_was_checked_is_not_written(actor: Actor) -> None:
    """Somebody confirmed "Old → New" and a new customer: neither overwrites what came to be meanwhile."""
    parties.make_customer("c1", name="Old")
    parties.make_customer("c4", name="Same")
    file = uploaded("external_id,name\nc1,New\nc2,Two\nc3,Three\nc4,Other\n", actor)
    Customer.objects.filter(external_id="c1").update(name="Renamed meanwhile")
    parties.make_customer("c2", name="Made meanwhile")
    Customer.objects.filter(external_id="c4").update(name="Other")  # what the row says: nothing is left to do
    done = written(file, actor)
    assert [outcome for _, outcome, *_ in outcomes(done)] == ["refused", "refused", "new", "unchanged"]
    assert "changed since it was checked" in done.rows.get(number=2).message
    names = dict(Customer.objects.values_list("external_id", "name"))
    assert names == {"c1": "Renamed meanwhile", "c2": "Made meanwhile", "c3": "Three", "c4": "Other"}
    told = AuditEntry.objects.get(verb="import", object_id=file.pk)
    assert told.new == {"rows": 2, "refused": 2}

    again = uploaded("external_id,name\nc1,New\nc5,Five\n", actor)
    Customer.objects.filter(external_id="c1").update(name="Renamed again")
    whole = written(again, actor, whole=True)
    assert (whole.status, Customer.objects.filter(external_id="c5").exists()) == ("checked", False)
    imports.check_again(import_id=whole.pk, actor=actor, at=AT)
    imports.run(as_of=AT)
    assert written(whole, actor, whole=True).status == "done"


def test_two_files_about_the_same_at_once_write_it_once(actor: Actor) -> None:
    text = "external_id,name\nc1,One\n"
    first, second, third = uploaded(text, actor), uploaded(text, actor), uploaded(text.replace("One", "Eins"), actor)
    for file in (first, second, third):
        imports.confirm(import_id=file.pk, all_or_nothing=False, actor=actor, at=AT, seen=imports.check_sum(file))
    imports.run(as_of=AT)
    assert [file.rows.get().outcome for file in (first, second, third)] == ["new", "unchanged", "refused"]
    assert Customer.objects.get().name == "One"
    assert imports.same_before(second) == first


def test_rows_that_were_checked_again_are_looked_at_again(actor: Actor) -> None:
    file = uploaded("external_id,name,legal name\nc1,One,Uno\n", actor)
    seen = imports.check_sum(file)
    imports.choose_columns(import_id=file.pk, columns={"external_id": 0, "name": 2}, actor=actor, at=AT)
    imports.run(as_of=AT)
    with pytest.raises(imports.UnableToImport, match="look at them"):
        imports.confirm(import_id=file.pk, all_or_nothing=False, actor=actor, at=AT, seen=seen)
    assert imports.confirm(
        import_id=file.pk, all_or_nothing=False, actor=actor, at=AT, seen=imports.check_sum(file)
    ).confirmed_at


def test_headings_that_mean_the_same_are_chosen_by_a_person(actor: Actor) -> None:
    file = uploaded("external_id,name,Payment term,Net days\nc1,One,14,30\n", actor)
    assert (file.status, imports.ambiguous(file)) == ("uploaded", ["Payment term (days)"])
    chosen = {"external_id": 0, "name": 1, "net_payment_term": 3}
    imports.choose_columns(import_id=file.pk, columns=chosen, actor=actor, at=AT)
    imports.run(as_of=AT)
    written(file, actor)
    assert Customer.objects.get().net_payment_term == 30


def test_a_row_that_breaks_keeps_no_other_from_it(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    file = uploaded("external_id,name\nc1,One\nc2,Two\n", actor)
    real = customers.upsert

    def broken(**given: Any) -> Customer:
        if given["values"]["external_id"] == "c1":
            raise KeyError("a mistake of ours")
        return real(**given)

    monkeypatch.setattr(customers, "upsert", broken)
    assert [outcome for _, outcome, *_ in outcomes(written(file, actor))] == ["refused", "new"]
    assert "log" in file.rows.get(number=2).message


def test_an_import_that_breaks_keeps_no_other_from_it(actor: Actor) -> None:
    broken, other = (uploaded(f"external_id,name\nc{n},One\n", actor) for n in (1, 2))
    ImportFile.objects.filter(pk=broken.pk).update(kind="no_such", status="checking")
    imports.check_again(import_id=other.pk, actor=actor, at=AT)
    assert imports.run(as_of=AT) == 1
    other.refresh_from_db()
    assert other.status == "checked"


def test_what_was_checked_lately_or_waits_is_not_put_aside(actor: Actor) -> None:
    checked, waiting = (uploaded(f"external_id,name\nc{n},One\n", actor) for n in (1, 2))
    later = AT + timedelta(days=170)
    imports.check_again(import_id=checked.pk, actor=actor, at=later)
    imports.run(as_of=later)
    request = ApprovalRequest.objects.create(
        created_at=AT,
        action="manual_entry",
        verb="confirm",
        object_type="platform.importfile",
        object_id=waiting.pk,
        asked_by_id=actor.user_id,
        asked_at=AT,
    )
    assert imports.forget(as_of=AT + timedelta(days=200)) == 0
    ApprovalRequest.objects.filter(pk=request.pk).update(status="withdrawn", decided_by=actor.user_id, decided_at=later)
    assert imports.forget(as_of=AT + timedelta(days=200)) == 1
    assert imports.forget(as_of=later + timedelta(days=180, seconds=1)) == 1


def test_long_after_nothing_is_known_of_what_stood_in_the_rows(actor: Actor) -> None:
    done = written(uploaded("external_id,name,email\nc1,One,one@example.com\n", actor), actor)
    left = uploaded("external_id,name\nc9,Nine\n", actor)
    assert imports.forget(as_of=AT + timedelta(days=180)) == 0
    assert imports.forget(as_of=AT + timedelta(days=180, seconds=1)) == 2
    assert imports.forget(as_of=AT + timedelta(days=200)) == 0
    for file, status in ((done, "done"), (left, "abandoned")):
        row = file.rows.get()
        assert (row.cells, row.changes, row.key, row.object_label, row.message) == ([], [], "", "", "")
        file.refresh_from_db()
        assert file.status == status
    assert done.rows.get().object_id == Customer.objects.get().pk


def test_no_two_columns_of_a_kind_have_a_heading_in_common() -> None:
    for kind in import_kinds.every().values():
        found = [
            import_kinds.plain(text)
            for column in kind.columns
            for text in {import_kinds.plain(name) for name in (column.name, column.label, *column.synonyms)}
        ]
        assert len(found) == len(set(found)), kind.code
