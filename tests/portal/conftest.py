"""A seller with a colour and a logo, two customers, and what they see of their links, on 1 May 2026."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from customers.models import BillingEntity, Customer
from customers.services import portal_links
from tests.factories import invoicing as make

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 4"><script>x()</script><rect width="10" height="4"/></svg>'
)

Visit = Callable[..., Any]


@pytest.fixture(autouse=True)
def _first_of_may() -> Iterator[None]:
    with time_machine.travel(make.AT, tick=False):
        yield


@pytest.fixture
def entity(db: None) -> BillingEntity:
    return make.make_entity(
        taxes=[make.make_tax(name="VAT")],
        net_payment_term=14,
        accent_color="#ffcc00",
        logo=LOGO,
        email="billing@acme.test",
    )


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return make.make_customer(entity, name="Umbrella", email="ap@umbrella.test", country="DE")


@pytest.fixture
def stranger(entity: BillingEntity) -> Customer:
    return make.make_customer(entity, "c2", name="Initech")


@pytest.fixture
def visit() -> Visit:
    """Open a page of a customer's portal, as a browser without an account."""

    def get(customer: Customer, address: str = "", /, **data: str) -> Any:
        link = portal_links.make(customer=customer, at=make.AT)
        return Client().get(f"/portal/{link.token}/{address}", data)

    return get
