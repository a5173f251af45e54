"""A diary: a company's billing told through the API, at a clock that the story moves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import Any

import time_machine
from django.core import management

from tests.factories.billing import instant
from tests.factories.platform import ApiClient

BILLING = ("activate_pending", "terminate_ended", "billing", "finalize")


class Diary:
    """The story's clock, its API client, and what happened."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self.clock = clock
        printed = StringIO()
        management.call_command("create_api_key", "diary", stdout=printed)
        self.api = ApiClient(secret=printed.getvalue().splitlines()[-1])
        self.numbers = itertools.count(1)

    def on(self, moment: str) -> None:
        """Move the clock: "2026-05-01" or "2026-05-01T10:00", in UTC."""
        self.clock.move_to(instant(moment))

    def call(self, method: str, path: str, content: Any = None) -> dict[str, Any]:
        """Call the API and return the body of the answer, which must be a success."""
        response = self.api.call(method, path, content)
        assert response.status_code == 200, response.content
        return dict(response.json())

    def post(self, path: str, root: str, **values: Any) -> dict[str, Any]:
        """Make something and return it."""
        return dict(self.call("post", path, {root: values})[root])

    def customer(self, external_id: str = "acme", **values: Any) -> dict[str, Any]:
        """Make a customer."""
        return self.post("customers", "customer", external_id=external_id, name=external_id.title(), **values)

    def metric(self, code: str, aggregation: str = "count_agg", **values: Any) -> dict[str, Any]:
        """Make a metric."""
        return self.post(
            "billable_metrics", "billable_metric", code=code, name=code, aggregation_type=aggregation, **values
        )

    def plan(self, code: str = "pro", *, cents: int = 3100, interval: str = "monthly", **values: Any) -> dict[str, Any]:
        """Make a plan in euros."""
        terms = {"amount_cents": cents, "amount_currency": "EUR", "interval": interval, "pay_in_advance": False}
        return self.post("plans", "plan", code=code, name=code.title(), **terms, **values)

    def subscribe(
        self, external_id: str = "sub", *, customer: str = "acme", plan: str = "pro", **values: Any
    ) -> dict[str, Any]:
        """Begin a subscription."""
        ids = {"external_id": external_id, "external_customer_id": customer, "plan_code": plan}
        return self.post("subscriptions", "subscription", **ids, **values)

    def event(self, code: str, properties: Mapping[str, Any] | None = None, **values: Any) -> None:
        """Send an event of the subscription "sub", at the clock unless it has a timestamp."""
        event = {
            "transaction_id": f"tx-{next(self.numbers)}",
            "external_subscription_id": "sub",
            "code": code,
            **values,
        }
        self.call("post", "events", {"event": {**event, "properties": properties or {}}})

    def jobs(self, *names: str) -> None:
        """Run periodic jobs at the clock; those that bill, in the order of a day, when none is named."""
        management.call_command("run_jobs", *(names or BILLING), stdout=StringIO())

    def invoices(self, customer: str = "acme") -> list[dict[str, Any]]:
        """Return the invoices of a customer with everything on them, oldest first."""
        listed = self.call("get", f"customers/{customer}/invoices")["invoices"]
        found = [self.call("get", f"invoices/{row['lago_id']}")["invoice"] for row in listed]
        return sorted(found, key=lambda row: (row["billing_periods"][0]["subscription_to_datetime"], row["number"]))

    def count(self, customer: str = "acme") -> int:
        """Return how many invoices a customer has."""
        return int(self.call("get", f"customers/{customer}/invoices?per_page=1")["meta"]["total_count"])

    def billed(self, customer: str = "acme") -> list[tuple[str, str, int]]:
        """Return of each invoice, oldest first, the first and last second of its first period and the net amount."""
        return [
            (
                row["billing_periods"][0]["subscription_from_datetime"],
                row["billing_periods"][0]["subscription_to_datetime"],
                row["fees_amount_cents"],
            )
            for row in self.invoices(customer)
        ]


@contextmanager
def diary(moment: str) -> Iterator[Diary]:
    """Open a diary at a moment in UTC."""
    with time_machine.travel(instant(moment), tick=False) as clock:
        yield Diary(clock)
