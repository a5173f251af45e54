"""The comparison of the log with the invoices: late usage is beside it, and what is wrong shows."""

from datetime import date
from decimal import Decimal

import pytest

from config.demo import comparing
from config.demo.usage import Totals

MONTH = date(2026, 5, 1)
LOGGED = {MONTH: Totals(requests=10, size=2_000_000_000)}


def fee(name, units, *, invoice="final", subscription="sub_1"):
    return {
        "lago_id": name,
        "lago_invoice_id": invoice,
        "external_subscription_id": subscription,
        "from_date": "2026-04-30T22:00:00Z",
        "units": units,
    }


class Invoices:
    """Answers with these fees by metric; the invoice `final` is issued, and the fee `late` bills late usage."""

    def __init__(self, requests):
        self.found = {
            "invoices": [{"lago_id": "final"}],
            "late_usage": [{"lago_fee_id": "late"}, {"lago_fee_id": None}],
            "requests": requests,
            "egress": [fee("gb", "2.0")],
        }

    def rows(self, path, *, billable_metric_code="", **filters):
        yield from self.found[billable_metric_code or path]


@pytest.mark.parametrize(
    ("fees", "requests"),
    [
        ([fee("a", "10.0")], 10),
        ([fee("a", "4.0"), fee("b", "6.0")], 10),
        ([fee("a", "10.0"), fee("late", "3.0")], 10),  # billed by a decision, and not in the log
        ([fee("a", "10.0"), fee("b", "1.0", invoice="draft"), fee("c", "1.0", subscription="acme")], 10),
        ([fee("a", "10.0"), fee("b", "1.0")], 11),
        ([], 0),
    ],
)
def test_only_issued_lines_of_the_sample_count(fees, requests):
    (row,) = comparing.rows(Invoices(fees), LOGGED, subscription_ids=["sub_1"])

    assert (row.month, row.requests, row.size) == (MONTH, Decimal(requests), Decimal(2_000_000_000))
    assert row.equal is (requests == 10)
    assert ("✔" if row.equal else "✘") in comparing.table([row])
