"""What API keys may do: the resources of the API, reading and writing each of them, and usual sets of rights.

Owns the vocabulary and the one question whether a right is there. Which resource a view belongs to, and whether it
writes, says the view; who may hand out keys is the admin's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.kernel import errors

READ, WRITE = "read", "write"
ACTIONS = (READ, WRITE)

ANY = "*"
"""Stands for all resources, those of later versions included."""

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Usage", ("event", "customer_usage", "lifetime_usage", "late_usage", "alert", "analytic")),
    ("Catalog", ("billable_metric", "plan", "add_on", "coupon", "feature", "tax", "pricing_unit", "simulation")),
    (
        "Customers and subscriptions",
        (
            "customer",
            "applied_coupon",
            "subscription",
            "contract",
            "quote",
            "order_form",
            "order",
            "plan_migration",
            "rehearsal",
            "parked_account",
            "payment_method",
        ),
    ),
    (
        "Documents and money",
        (
            "invoice",
            "fee",
            "credit_note",
            "payment",
            "payment_receipt",
            "payment_request",
            "wallet",
            "wallet_transaction",
            "ledger",
            "books_check",
            "tax_engine",
        ),
    ),
    (
        "Installation",
        (
            "organization",
            "billing_entity",
            "invoice_custom_section",
            "webhook_endpoint",
            "webhook_jwt_public_key",
            "approval",
            "activity_log",
            "api_log",
            "security_log",
        ),
    ),
)
"""All resources, as people would look for them."""

RESOURCES = tuple(resource for _, resources in GROUPS for resource in resources)

EVERYTHING, USAGE, READING = "everything", "usage", "read"
PRESETS: Mapping[str, Mapping[str, Sequence[str]] | None] = {
    EVERYTHING: None,
    USAGE: {"event": [WRITE]},
    READING: {ANY: [READ]},
}

Rights = Mapping[str, Sequence[str]] | None


class UnknownRight(errors.Invalid):
    """A right names a resource or an action that is none."""


def allows(rights: Rights, *, resource: str, action: str) -> bool:
    """Say whether rights cover an action on a resource. No rights at all (None) are those to everything.

    A resource without a name is covered by nothing but that.
    """
    if rights is None:
        return True
    return action in rights.get(resource, ()) or (bool(resource) and action in rights.get(ANY, ()))


def checked(rights: Any) -> dict[str, list[str]] | None:
    """Return rights in their stored form: known resources, "read" before "write", none twice, none empty.

    Raises UnknownRight, and Invalid (`value_is_mandatory`) for rights to nothing: such a key would be useless.
    """
    if rights is None:
        return None
    if not isinstance(rights, Mapping):
        raise _unknown(str(rights)[:80])
    found: dict[str, list[str]] = {}
    for resource in (ANY, *RESOURCES):
        actions = rights.get(resource, ())
        if isinstance(actions, str) or not set(actions) <= set(ACTIONS):
            raise _unknown(f"{resource}:{actions}")
        if actions:
            found[resource] = [action for action in ACTIONS if action in actions]
    if others := set(rights) - {ANY, *RESOURCES}:
        raise _unknown(min(map(str, others)))
    if not found:
        raise errors.Invalid("validation_errors", "A key needs some right.", {"rights": ["value_is_mandatory"]})
    return found


def preset(rights: Rights) -> str:
    """Return the name of the usual set that these rights are, empty where they are none of them."""
    return next((name for name, usual in PRESETS.items() if rights == usual), "")


def parse(text: str) -> dict[str, list[str]] | None:
    """Read rights from one line: the name of a usual set, or ``event:write,customer:read+write``. Raises Invalid."""
    given = text.strip()
    if given in PRESETS:
        return checked(PRESETS[given])
    found: dict[str, list[str]] = {}
    for part in given.split(","):
        resource, _, actions = part.strip().partition(":")
        found.setdefault(resource, []).extend(actions.split("+"))
    return checked(found)


def _unknown(right: str) -> UnknownRight:
    message = f"There is no right {right!r}. A right is a resource and {' or '.join(ACTIONS)}, such as event:write."
    return UnknownRight("validation_errors", message, {"rights": ["value_is_invalid"]})
