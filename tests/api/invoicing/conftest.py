"""A client with a key, and a business with a draft and an issued invoice, on 1 May 2026."""

from collections.abc import Iterator

import pytest
import time_machine

from customers.models import BillingEntity, Customer
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient


@pytest.fixture(autouse=True)
def _first_of_may() -> Iterator[None]:
    with time_machine.travel(make.AT, tick=False):
        yield


@pytest.fixture
def api(db: None) -> ApiClient:
    return ApiClient()


@pytest.fixture
def entity(db: None) -> BillingEntity:
    return make.make_entity(taxes=[make.make_tax(name="VAT")], net_payment_term=14)


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return make.make_customer(entity)
