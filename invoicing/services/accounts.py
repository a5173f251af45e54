"""Keeping a seller's chart of accounts and the mapping of postings to them. Owns what may be changed and what not.

What is booked stays where it was booked: a mapping reaches what is booked from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.domain import accounts
from invoicing.domain.accounts import Rule
from invoicing.domain.ledger import Dimensions
from invoicing.models import InvoiceLine, LedgerAccount, LedgerMapping, Payment
from invoicing.services import ledger as books


class InvalidAccount(errors.Invalid):
    """The account or mapping cannot be as it is asked for."""


class AccountInUse(errors.NotAllowed):
    """Something is posted to the account, or mapped to it."""


@dataclass(frozen=True)
class AccountValues:
    """What an account is made of. ``role`` says which postings may be mapped to it; empty: manual entries alone."""

    code: str
    name: str
    type: str
    role: str = ""
    is_active: bool = True


@transaction.atomic
def open_chart(*, billing_entity_id: int, actor: Actor, at: datetime) -> list[LedgerAccount]:
    """Open the accounts of the usual chart that a seller lacks, with their mappings; return all. Idempotent."""
    before = LedgerAccount.objects.filter(billing_entity_id=billing_entity_id).count()
    books.ensure_rules(billing_entity_ids=[billing_entity_id], at=at)
    found = list(LedgerAccount.objects.filter(billing_entity_id=billing_entity_id).order_by("code"))
    if len(found) > before:
        audit.record(
            actor=actor,
            at=at,
            verb="open_chart",
            instance=found[0].billing_entity,
            new={"accounts": [account.code for account in found]},
        )
    return found


@transaction.atomic
def create(*, billing_entity_id: int, values: AccountValues, actor: Actor, at: datetime) -> LedgerAccount:
    """Open an account. Raises InvalidAccount for a code that is taken, an unknown type or role."""
    _demand(values)
    account = LedgerAccount(created_at=at, billing_entity_id=billing_entity_id, **asdict(values))
    _save(account)
    audit.record(actor=actor, at=at, verb="create", instance=account, new=asdict(values))
    return account


@transaction.atomic
def update(*, account_id: int, values: AccountValues, actor: Actor, at: datetime) -> LedgerAccount:
    """Change an account. Code, name and whether it is active may change at any time.

    Raises NotFound, InvalidAccount, and AccountInUse for another type or role of an account that is posted or mapped
    to, and for closing one that is mapped to.
    """
    account = _locked(account_id)
    _demand(values)
    old = {name: getattr(account, name) for name in asdict(values)}
    changed = {name: value for name, value in asdict(values).items() if value != old[name]}
    is_mapped = account.mappings.exists()
    if {"type", "role"} & set(changed) and (is_mapped or account.postings.exists()):
        raise AccountInUse("account_in_use", f"{account} is in use: its type and role stay.", {"type": ["in_use"]})
    if not values.is_active and is_mapped:
        raise AccountInUse(
            "account_mapped", f"Postings are mapped to {account}: map them to another one.", {"is_active": ["in_use"]}
        )
    for name, value in changed.items():
        setattr(account, name, value)
    if changed:
        _save(account)
        audit.record(
            actor=actor, at=at, verb="update", instance=account, old={name: old[name] for name in changed}, new=changed
        )
    return account


@transaction.atomic
def delete(*, account_id: int, actor: Actor, at: datetime) -> None:
    """Delete an account that nothing was ever posted to. Raises NotFound, AccountInUse."""
    account = _locked(account_id)
    demand_unused(account)
    audit.record(actor=actor, at=at, verb="delete", instance=account, old={"code": account.code, "name": account.name})
    account.delete()


def demand_unused(account: LedgerAccount) -> None:
    """Demand that nothing was ever posted or is mapped to an account. Raises AccountInUse."""
    if account.postings.exists() or account.mappings.exists():
        raise AccountInUse("account_in_use", f"{account} is in use. Close it instead.")


@transaction.atomic
def map_postings(*, billing_entity_id: int, values: Rule, actor: Actor, at: datetime) -> LedgerMapping:
    """Map postings to an account, or those that are mapped already with the same dimensions to another one.

    Reaches what is booked from now on. Raises InvalidAccount for an account of another seller, another role or one
    that is closed, and for dimensions that no posting of the role has.
    """
    db.advisory_lock(f"invoicing.mapping:{billing_entity_id}")
    account = LedgerAccount.objects.filter(pk=values.account_id, billing_entity_id=billing_entity_id).first()
    if account is None:
        raise InvalidAccount("account_not_found", "The seller has no such account.", {"account": ["not_found"]})
    if account.role != values.role:
        raise InvalidAccount(
            "wrong_role", f"{account} takes {account.role_name or 'manual entries'}.", {"account": ["value_is_invalid"]}
        )
    if not account.is_active:
        raise InvalidAccount("account_closed", f"{account} is closed.", {"account": ["value_is_invalid"]})
    narrowed = narrowing(values)
    mapping = LedgerMapping.objects.filter(billing_entity_id=billing_entity_id, role=values.role, **narrowed).first()
    old = {"account": mapping.account.code} if mapping else {}
    if mapping is None:
        mapping = LedgerMapping(created_at=at, billing_entity_id=billing_entity_id, role=values.role, **narrowed)
    if mapping.account_id != account.pk:
        mapping.account = account
        mapping.save()
        new = {**narrowed, "role": values.role, "account": account.code}
        audit.record(actor=actor, at=at, verb="map", instance=mapping, old=old, new=new)
    return mapping


@transaction.atomic
def unmap(*, mapping_id: int, actor: Actor, at: datetime) -> None:
    """Take a mapping away: its postings go where the next specific one says. Raises NotFound, AccountInUse.

    The mapping of a whole role stays: every posting has an account.
    """
    mapping = LedgerMapping.objects.select_related("account").filter(pk=mapping_id).first()
    if mapping is None:
        raise errors.NotFound("mapping_not_found", "There is no such mapping.")
    if not any(getattr(mapping, name) for name in accounts.DIMENSIONS):
        raise AccountInUse("mapping_of_role", "The mapping of a whole role is changed, not taken away.")
    audit.record(actor=actor, at=at, verb="unmap", instance=mapping, old={"account": mapping.account.code})
    mapping.delete()


def narrowing(values: Rule) -> dict[str, str]:
    """Return the dimensions of a mapping. Raises InvalidAccount for those that no posting of its role has."""
    narrowed: dict[str, str] = {name: getattr(values, name).strip() for name in accounts.DIMENSIONS}
    allowed = accounts.ALLOWED.get(values.role, frozenset({"currency"}))
    wrong = [name for name, value in narrowed.items() if value and name not in allowed]
    known: Mapping[str, Any] = {"line_kind": InvoiceLine.Kind.values, "payment_kind": Payment.Kind.values}
    wrong += [name for name, found in known.items() if narrowed[name] and narrowed[name] not in found]
    if narrowed["currency"] and not money.known(narrowed["currency"]):
        wrong.append("currency")
    if wrong:
        raise InvalidAccount(
            "invalid_dimension",
            "No posting of this role has that.",
            {name: ["value_is_invalid"] for name in wrong},
        )
    return narrowed


def where(*, billing_entity_id: int, role: str, dimensions: Dimensions, currency: str) -> LedgerAccount | None:
    """Return the account to which a posting would go now; None before the seller's accounts were opened. Reads only."""
    rules = [
        Rule(role=row.role, account_id=row.account_id, **{name: getattr(row, name) for name in accounts.DIMENSIONS})
        for row in LedgerMapping.objects.filter(billing_entity_id=billing_entity_id, role=role)
    ]
    if not rules:
        return None
    found = accounts.resolve(rules=rules, role=role, dimensions=dimensions, currency=currency)
    return LedgerAccount.objects.get(pk=found)


def _demand(values: AccountValues) -> None:
    details: dict[str, list[str]] = {}
    if not values.code.strip() or len(values.code) > 32:
        details["code"] = ["value_is_mandatory" if not values.code.strip() else "value_is_too_long"]
    if not values.name.strip():
        details["name"] = ["value_is_mandatory"]
    if values.type not in LedgerAccount.Type.values:
        details["type"] = ["value_is_invalid"]
    if values.role and values.role not in LedgerAccount.Role.values:
        details["role"] = ["value_is_invalid"]
    if details:
        raise InvalidAccount("validation_errors", "The account is not valid.", details)


def _save(account: LedgerAccount) -> None:
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:
        raise InvalidAccount(
            "value_already_exist", f"The code {account.code} is taken.", {"code": ["value_already_exist"]}
        ) from None


def _locked(account_id: int) -> LedgerAccount:
    try:
        return db.lock_one(LedgerAccount.objects.filter(pk=account_id))
    except LedgerAccount.DoesNotExist:
        raise errors.NotFound("ledger_account_not_found", "There is no such account.") from None
