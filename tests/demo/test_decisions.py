"""What the sample's people decide in the running month: once, and never against what staff decided meanwhile."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from config.demo import buyers, decisions, usage, workspaces

MONTH = date(2026, 6, 1)
PEOPLE = buyers.all_of([f"acct_{number:012x}" for number in range(40)])


class Recorder:
    """Answers as an installation does in which nothing is decided yet; what is decided, it keeps."""

    def __init__(self) -> None:
        self.units: dict[str, str] = {}
        self.plans: dict[str, list[str]] = {}
        self.notes: list[dict[str, Any]] = []
        self.paid: list[str] = []
        self.calls = 0
        self.ended: set[str] = set()

    def find(self, path: str, name: str) -> dict[str, Any]:
        match path.split("/"):
            case ["invoices"]:
                fees = [{"lago_id": "usage", "amount_cents": 12}, {"lago_id": "fee", "amount_cents": 1001}]
                return {"invoice": {"lago_id": name, "fees": fees}}
            case ["subscriptions"]:
                units = (("dedicated_ip", "4.0"), ("support_hours", "2.0"))
                planned = [{"code": code, "units": number} for code, number in units]
                return {"subscription": {"plan": {"fixed_charges": planned}}}
            case _:
                usual = "4.0" if name == "dedicated_ip" else "2.0"
                return {"fixed_charge": {"units": self.units.get(f"{path}/{name}", usual)}}

    def rows(self, path: str, **filters: Any) -> Iterator[dict[str, Any]]:
        match path:
            case "credit_notes":
                yield from self.notes
            case "subscriptions" if not filters:
                own = [usage.subscription_id(one.external_id) for one in PEOPLE]
                own += [workspaces.subscription_id(PEOPLE[holder.rank].external_id) for holder in workspaces.HOLDERS]
                yield from ({"external_id": one} for one in own if one not in self.ended)
            case "subscriptions":
                yield from ({"plan_code": code} for code in self.plans.get(filters["external_id"], []))
            case "fees":
                for fee, amount, invoice in (("a", 800, None), ("b", 0, None), ("c", 800, "on an invoice")):
                    if fee not in self.paid:
                        yield {"lago_id": fee, "amount_cents": amount, "lago_invoice_id": invoice}
            case "invoices":
                yield {"lago_id": "old", "issuing_date": "2026-05-01"}
                yield {"lago_id": "new", "issuing_date": "2026-06-01"}

    def send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        match path:
            case "credit_notes/estimate":
                self.calls -= 1  # it writes nothing
                return {"estimated_credit_note": {"max_creditable_amount_cents": 297}}
            case "credit_notes":
                self.notes.append(body["credit_note"])
            case "subscriptions":
                row = body["subscription"]
                self.plans.setdefault(row["external_id"], []).append(row["plan_code"])
        return {}

    def change(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        if path.startswith("fees/"):
            self.paid.append(path.removeprefix("fees/"))
        else:
            self.units[path] = body["fixed_charge"]["units"]
        return {}


@pytest.fixture
def api() -> Recorder:
    found = Recorder()
    decisions.make(found, PEOPLE, month=MONTH)
    return found


def test_everything_is_decided_once(api):
    first = usage.subscription_id(PEOPLE[0].external_id)
    assert api.units[f"subscriptions/{first}/fixed_charges/dedicated_ip"] == "6"
    assert len(api.units) == 3
    moved = {workspaces.subscription_id(PEOPLE[rank].external_id): code for rank, code in ((6, "plus"), (14, ""))}
    assert {key: codes[0] for key, codes in api.plans.items()} == {
        key: "workspace_plus_eur" if code else "workspace_gbp" for key, code in moved.items()
    }
    assert api.paid == ["a"]  # nothing is owed for b, and c is paid with its invoice
    calls = api.calls

    decisions.make(api, PEOPLE, month=MONTH)

    assert api.calls == calls


def test_quarter_of_the_largest_fee_of_the_newest_invoice_is_credited(api):
    (note,) = api.notes

    assert note["invoice_id"] == "new"
    assert note["items"] == [{"fee_id": "fee", "amount_cents": 250}]  # 1001 // 4
    assert note["credit_amount_cents"] == 297  # with tax, as estimated


def test_units_that_staff_agreed_on_stay(api):
    for path in api.units:
        api.units[path] = "9"

    decisions.make(api, PEOPLE, month=MONTH)

    assert set(api.units.values()) == {"9"}


def test_nothing_is_decided_about_what_has_ended():
    api = Recorder()
    api.ended = {workspaces.subscription_id(one.external_id) for one in PEOPLE}

    decisions.make(api, PEOPLE, month=MONTH)

    assert not api.plans  # naming another plan would begin it anew
    assert len(api.units) == 2
    assert all("/sub_" in path for path in api.units)
