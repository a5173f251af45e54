"""What the sample's plans unlock: made once, and never against what staff changed meanwhile."""

from collections.abc import Iterator
from typing import Any

from config.demo import buyers, price_list, unlocked, usage

PEOPLE = buyers.all_of([f"acct_{number:012x}" for number in range(40)])


class Recorder:
    """Answers as an installation with plans and subscriptions; what is given, it keeps."""

    def __init__(self) -> None:
        codes = [
            price_list.plan_code(tariff, currency) for tariff in unlocked.GIVEN for currency in price_list.CURRENCIES
        ]
        self.features: list[str] = []
        self.given: dict[str, Any] = dict.fromkeys(codes)
        self.agreed: dict[str, Any] = {}
        self.calls = 0

    def rows(self, path: str) -> Iterator[dict[str, Any]]:
        match path:
            case "features":
                yield from ({"code": code} for code in self.features)
            case "plans":
                yield from (
                    {"code": code, "entitlements": [given] if given else []} for code, given in self.given.items()
                )
            case "subscriptions":
                for buyer in PEOPLE:
                    name = usage.subscription_id(buyer.external_id)
                    yield {"external_id": name, "entitlements": [{"overrides": self.agreed.get(name, {})}]}

    def send(self, path: str, body: dict[str, Any]) -> None:
        self.calls += 1
        if path == "features":
            self.features.append(body["feature"]["code"])
        else:
            self.given[path.split("/")[1]] = body["entitlements"]

    def merge(self, path: str, body: dict[str, Any]) -> None:
        self.calls += 1
        self.agreed[path.split("/")[1]] = body["entitlements"]["custom_domains"]


def test_features_are_made_given_and_agreed_once() -> None:
    api: Any = Recorder()
    unlocked.make(api, PEOPLE)
    assert api.features == ["custom_domains", "sign_on"]
    assert all(api.given.values())
    assert "sign_on" not in api.given["starter_eur"]
    (chosen,) = api.agreed
    buyer = next(one for one in PEOPLE if usage.subscription_id(one.external_id) == chosen)
    assert buyer.plan_code.startswith("growth")
    made = api.calls
    unlocked.make(api, PEOPLE)
    assert api.calls == made


def test_what_staff_gave_stays() -> None:
    api: Any = Recorder()
    api.given["starter_eur"] = {"custom_domains": {"max": 2}}
    unlocked.make(api, PEOPLE)
    assert api.given["starter_eur"] == {"custom_domains": {"max": 2}}
