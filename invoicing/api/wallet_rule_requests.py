"""What requests about rules that top up a wallet may hold, and what they mean to the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from config.kernel import errors
from config.platform.api import params, sections
from config.platform.api.sections import SectionsRequest
from config.platform.api.serializers import Flag, Instant, RequestSerializer, Rows, Text, Unsupported
from invoicing.api.credit_fields import Credits, PairRequest
from invoicing.services.wallet_rules import RuleValues

_METHODS = ({}, {"payment_method_type": "provider"}, {"payment_method_type": "manual"})
_CODE = "invalid_recurring_rule"
_PLAIN = (
    "trigger",
    "method",
    "interval",
    "target_ongoing_balance",
    "started_at",
    "expiration_at",
    "purchase_order_number",
    "transaction_name",
)
_NOT_NULL = (
    "paid_credits",
    "granted_credits",
    "threshold_credits",
    "grants_target_top_up",
    "invoice_requires_successful_payment",
    "ignore_paid_top_up_limits",
)


class RuleRequest(RequestSerializer):
    """A rule as it comes in. What a good rule is, the service says."""

    lago_id = Text()
    trigger = Text()
    method = Text()
    interval = Text()
    paid_credits = Credits(_CODE)
    granted_credits = Credits(_CODE)
    grants_target_top_up = Flag(allow_null=True)
    threshold_credits = Credits(_CODE)
    target_ongoing_balance = Credits(_CODE)
    started_at = Instant(required=False, allow_null=True)
    expiration_at = Instant(required=False, allow_null=True)
    invoice_requires_successful_payment = Flag(allow_null=True)
    ignore_paid_top_up_limits = Flag(allow_null=True)
    purchase_order_number = Text()
    transaction_name = Text()
    transaction_metadata = Rows(PairRequest)
    invoice_custom_section = SectionsRequest(required=False, allow_null=True)
    payment_method = Unsupported(neutral=_METHODS)


def rules(content: Mapping[str, Any], *, is_new: bool = False) -> list[RuleValues] | None:
    """Return the rules that a checked request for a wallet holds; None where it says nothing of them.

    Rules of a new wallet that say no credits take those that it starts with. Raises NotFound for an id that is none.
    """
    if "recurring_transaction_rules" not in content:
        return None
    first = {name: content.get(name) for name in ("paid_credits", "granted_credits")} if is_new else {}
    rows: Sequence[Mapping[str, Any]] = content["recurring_transaction_rules"] or []
    return [_rule(row, first) for row in rows]


def _rule(row: Mapping[str, Any], first: Mapping[str, Decimal | None]) -> RuleValues:
    found: dict[str, Any] = {name: row[name] for name in _PLAIN if name in row}
    found |= {name: row[name] for name in _NOT_NULL if row.get(name) is not None}
    if "method" in found and not found["method"]:
        del found["method"]
    found = {**{name: value for name, value in first.items() if value is not None}, **found}
    if "transaction_metadata" in row:
        found["transaction_metadata"] = row["transaction_metadata"] or ()
    if "invoice_custom_section" in row:
        found["custom_section_codes"] = sections.codes(row["invoice_custom_section"])
    if row.get("lago_id"):
        found["lago_id"] = params.uuid(row["lago_id"])
        if found["lago_id"] is None:
            raise errors.NotFound("recurring_transaction_rule_not_found", "There is no such rule.")
    return cast(RuleValues, found)
