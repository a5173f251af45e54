"""Makers of sellers and customers, through the services."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config.kernel import errors
from customers.models import BillingEntity, Customer
from customers.services import billing_entities, customers
from tests.factories.platform import ACTOR, AT


def make_default_entity(*, at: datetime = AT, **values: Any) -> BillingEntity:
    """Return the installation's default seller, changed as asked for."""
    entity = billing_entities.ensure_default(at=at)
    content: Any = values
    return billing_entities.update(code=entity.code, values=content, actor=ACTOR, at=at) if values else entity


def make_entity(code: str = "de", *, at: datetime = AT, **values: Any) -> BillingEntity:
    """Make another seller."""
    content: Any = {"code": code, "name": code.upper(), **values}
    return billing_entities.create(values=content, actor=ACTOR, at=at)


def make_customer(external_id: str = "acme", *, at: datetime = AT, **values: Any) -> Customer:
    """Make a customer; the default seller is made with it where there is none."""
    billing_entities.ensure_default(at=at)
    content: Any = {"external_id": external_id, "name": external_id.capitalize(), **values}
    return customers.upsert(values=content, actor=ACTOR, at=at)


def refusal(code: str) -> errors.NotAllowed:
    """Return what a listener raises that refuses."""
    return errors.NotAllowed(code)
