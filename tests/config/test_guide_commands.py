"""The guides' commands: their bodies are taken by the API as they stand, and what they name is in the sample."""

from __future__ import annotations

import json
import re

import pytest
import time_machine

from config import environment
from config.demo import price_list
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories.billing import instant
from tests.factories.customers import make_customer
from tests.factories.platform import ApiClient

DOCS = environment.BASE_DIR / "docs"
CALL = re.compile(r"^api (\w+) -d '(.*?)'$", re.MULTILINE | re.DOTALL)
PLACE = "'$METRIC'"


@pytest.mark.django_db
def test_credits_and_fixed_charges_are_made_as_the_guide_says() -> None:
    text = (DOCS / "first-event.md").read_text(encoding="utf-8")
    chapter = text.split("#### Credits, and what is agreed instead of counted\n", 1)[1].split("\n### ", 1)[0]
    calls = goods.make_metric("calls")
    bodies = CALL.findall(chapter.replace(PLACE, str(calls.uuid)))
    assert [path for path, _ in bodies] == ["pricing_units", "add_ons", "plans"]

    with time_machine.travel(instant("2026-05-10T08:00"), tick=False):
        api = ApiClient()
        for path, body in bodies:
            response = api.call("post", path, json.loads(body))
            assert response.status_code == 200, response.content
        make_customer()
        subscription = {"external_customer_id": "acme", "external_id": "sub", "plan_code": "team"}
        assert api.call("post", "subscriptions", {"subscription": subscription}).status_code == 200
        made.send("sub", "calls", "2026-05-10T08:00:00")
        usage = api.read("customers/acme/current_usage", external_subscription_id="sub").json()["customer_usage"]
        [desks] = api.read("subscriptions/sub/fixed_charges").json()["fixed_charges"]

    [charge] = usage["charges_usage"]
    assert (charge["amount_cents"], charge["pricing_unit_details"]["amount_cents"]) == (10, 200)  # 2 CR at 0.05
    assert (desks["add_on_code"], desks["units"], desks["properties"]) == ("desk", "5.0", {"amount": "10"})


def test_plans_and_metrics_to_simulate_are_those_of_the_sample() -> None:
    text = (DOCS / "simulation.md").read_text(encoding="utf-8")
    commands = re.findall(r"manage\.py simulate ([^\n#]*)", text)
    named = {code for line in commands for code in re.findall(r"--(?:plan|with) (\w+)(?!\S)", line)}
    metrics = {code for line in commands for code in re.findall(r'[";](\w+)=', line)}

    sold = {plan["code"] for plan in price_list.plans({metric["code"]: "" for metric in price_list.METRICS})}

    assert {"growth_eur", "scale_eur"} <= named <= sold
    assert metrics == {price_list.REQUESTS}


@pytest.mark.parametrize("guide", ["README.md", "docs/first-event.md", "docs/sending-usage.md"])
def test_what_a_guide_makes_is_not_in_the_sample_already(guide: str) -> None:
    text = (environment.BASE_DIR / guide).read_text(encoding="utf-8")
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    made = set(re.findall(r'"(?:code|external_id|external_customer_id)": "([\w-]+)"', shell))
    sample = "\n".join(path.read_text() for path in (environment.PACKAGE_DIR / "demo").glob("*.py"))
    assert len(made) >= 4
    assert [name for name in sorted(made) if f'"{name}"' in sample] == []
