"""``manage.py simulate``: tables, the file and JSON on exact amounts, and clear words for what cannot be asked for."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from tests.factories import catalog
from tests.factories.billing import instant, make_subscription, send
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _contracts() -> Any:
    """Two customers on a plan of 20 and 0.10 a request, and a dearer plan without a fee."""
    with time_machine.travel(instant("2026-04-20T09:00"), tick=False):
        requests = catalog.make_metric("requests", at=instant("2026-01-01"))
        version = catalog.make_plan("a", cents=2000, charges=[catalog.standard(requests, "0.10")])
        catalog.make_plan("b", cents=0, charges=[catalog.standard(requests, "0.30")])
        for name, count in (("acme", 30), ("=evil", 2000)):
            make_subscription(make_customer(name), version, f"sub-{name}", at=instant("2026-03-01"))
            send(f"sub-{name}", "requests", *["2026-03-10"] * count)
        yield


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("simulate", *arguments, stdout=out)
    return out.getvalue()


def test_the_tables() -> None:
    # acme: 20 + 30 × 0.10 and 30 × 0.30; =evil: 20 + 2000 × 0.10 and 2000 × 0.30
    assert run("--plan", "a", "--with", "b", "--months", "1") == (
        """2 contracts from 2026-03-01 up to 2026-04-01, compared with B (b, EUR, version 1). Without tax.

Month (EUR)  Own plan  Other plan  Difference
-----------  --------  ----------  ----------
2026-03        243.00      609.00     +366.00
-----------  --------  ----------  ----------
Total          243.00      609.00     +366.00

Item (EUR)  Units  Units there  Own plan  Other plan  Difference
----------  -----  -----------  --------  ----------  ----------
Plan fee                           40.00        0.00      -40.00
requests    2,030        2,030    203.00      609.00     +406.00

On the other plan contracts pay  Contracts
-------------------------------  ---------
less, by over 50 %                       1
more, by over 50 %                       1

Contract   Customer  Plan                   Own plan  Other plan  Difference
---------  --------  ---------------------  --------  ----------  ----------
sub-acme   Acme      A (a, EUR, version 1)     23.00        9.00      -14.00
sub-=evil  =evil     A (a, EUR, version 1)    220.00      600.00     +380.00
"""
    )


def test_one_contract_is_told_by_period() -> None:
    assert run("--subscription", "sub-acme", "--from", "2026-03-01", "--to", "2026-05-01") == (
        """1 contract from 2026-03-01 up to 2026-05-01. Without tax.

Month (EUR)  Amount
-----------  ------
2026-03       23.00
2026-04       20.00
-----------  ------
Total         43.00

Item (EUR)  Units  Amount
----------  -----  ------
Plan fee            40.00
requests       30    3.00

Period                   A (a, EUR, version 1)  Units    EUR
-----------------------  ---------------------  -----  -----
2026-03-01 – 2026-03-31  A                          1  20.00
                         Requests                  30   3.00
2026-04-01 – 2026-04-30  A                          1  20.00
-----------------------  ---------------------  -----  -----
                         Total                         43.00

Note: The time is not over: usage that is still to come is missing on every plan.
"""
    )


def test_the_file(tmp_path: Path) -> None:
    file = tmp_path / "simulation.csv"
    run("--plan", "a", "--with", "b", "--months", "1", "--csv", str(file))
    golden = Path(__file__).parent.parent / "golden" / "simulation.csv"
    assert file.read_text(encoding="utf-8") == golden.read_text(encoding="utf-8")


def test_json_and_a_draft(tmp_path: Path) -> None:
    draft = tmp_path / "next.json"
    draft.write_text(
        json.dumps({"name": "Next", "interval": "monthly", "amount_cents": 2500, "amount_currency": "EUR"})
    )
    found = json.loads(run("--customer", "acme", "--months", "1", "--with", str(draft), "--json"))
    [contract] = found["contracts"]
    assert found["compared_with"] == "Next (draft)"
    assert (contract["amount_cents"], contract["compared_amount_cents"]) == (2300, 2500)
    assert found["remarks"] == [
        "The other plan has no price for requests: usage that comes to 3.00 EUR on the own plan would cost nothing."
    ]


def test_a_plan_alone() -> None:
    said = run("--plan", "a@1", "--synthetic", "requests=100,growth=10%", "--months", "2")
    # 20 + 100 × 0.10, 20 + 110 × 0.10
    assert "2026-04       30.00\n2026-05       31.00\n" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plan", "gone"], "There is no plan gone."),
        (["--plan", "a", "--with", "gone"], "There is no plan gone."),
        (["--plan", "a", "--with", "gone.json"], "There is no file gone.json."),
        (["--customer", "gone"], "There is no customer gone."),
        (["--subscription", "gone"], "There is no subscription gone."),
        (["--plan", "a", "--months", "0"], "1 to 120 months"),
        (["--plan", "a", "--from", "yesterday"], "yesterday is no day"),
        (["--plan", "a", "--synthetic", "requests"], "cannot be read"),
        (["--plan", "a", "--synthetic", ""], "at least one metric"),
        (["--plan", "a", "--synthetic", "gone=1"], "There is no billable metric gone."),
        (["--plan", "a", "--customer", "acme"], "not allowed with"),
        ([], "one of the arguments"),
    ],
)
def test_what_cannot_be_asked_for(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert said in str(refused.value)
