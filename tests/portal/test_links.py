"""Links to the portal: over the API and in the admin, how long they work, and what they do not open."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.test import Client

from config.kernel import errors
from config.logging import SignedLinkFilter
from config.platform.models import AuditEntry
from customers.models import Customer
from customers.services import customers, portal_links
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient, client_of
from tests.portal.conftest import Visit


def link(customer: Customer) -> str:
    token = portal_links.make(customer=customer, at=make.AT).token
    return f"/portal/{token}/"


def test_a_link_over_the_api(customer: Customer, settings: object) -> None:
    settings.PUBLIC_URL = "https://billing.example.com"  # type: ignore[attr-defined]
    api = ApiClient()

    answer = api.read("customers/c1/portal_url")

    (root,) = answer.json()
    address = answer.json()[root]["portal_url"]
    assert (answer.status_code, root) == (200, "customer")
    assert address.startswith("https://billing.example.com/portal/")
    assert not AuditEntry.objects.filter(object_label="Umbrella").exists()  # reading writes nothing
    page = Client().get(address.removeprefix("https://billing.example.com"))
    assert page.status_code == 200
    assert "Umbrella" in page.content.decode()
    missing = api.read("customers/nobody/portal_url")
    assert (missing.status_code, missing.json()["code"]) == (404, "customer_not_found")
    assert Client().get("/api/v1/customers/c1/portal_url").status_code == 401


def test_a_key_that_only_reads_hands_out_no_link(customer: Customer) -> None:
    """Whoever opens a link may change billing details."""
    for rights in ({"customer": ["read"]}, {"*": ["read"]}):
        refused = client_of(rights=rights).read("customers/c1/portal_url")
        assert (refused.status_code, refused.json()["code"]) == (403, "write_action_not_allowed_for_customer")
    assert client_of(rights={"customer": ["write"]}).read("customers/c1/portal_url").status_code == 200


def test_how_long_a_link_works(customer: Customer) -> None:
    address = link(customer)
    for hours, minutes, status in ((0, 0, 200), (11, 59, 200), (12, 0, 410), (9999, 0, 410)):
        with time_machine.travel(make.AT + timedelta(hours=hours, minutes=minutes), tick=False):
            page = Client().get(address)
        assert page.status_code == status
    assert b"This link is over" in page.content
    assert b"Umbrella" not in page.content


@pytest.mark.parametrize("page", ["", "invoices", "subscriptions", "details", "theme.css", "logo.svg", "nothing/here"])
def test_a_changed_link_opens_nothing(customer: Customer, page: str) -> None:
    good = link(customer)
    content = {"c": customer.uuid.hex, "g": 0, "u": 9999999999}
    forged = [
        good.replace("/portal/", "/portal/x"),
        good[:-3] + "/",
        f"/portal/{signing.Signer(salt='other').sign_object(content)}/",
        f"/portal/{signing.Signer(salt=portal_links.SALT).sign_object({'c': 1})}/",
        f"/portal/{customer.uuid}/",
    ]
    for address in forged:
        answer = Client().get(address + page)
        assert answer.status_code == 403
        assert b"This link does not work" in answer.content
        assert b"Umbrella" not in answer.content
        assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_revoked_links_and_those_of_retired_customers(customer: Customer, stranger: Customer) -> None:
    old, other = link(customer), link(stranger)

    portal_links.revoke(customer_id=customer.pk, actor=make.ACTOR, at=make.AT)
    customer.refresh_from_db()

    assert Client().get(old).status_code == 410
    assert Client().get(link(customer)).status_code == 200
    assert Client().get(other).status_code == 200
    customers.delete(external_id="c2", actor=make.ACTOR, at=make.AT)
    stranger.refresh_from_db()
    assert Client().get(other).status_code == 410
    with pytest.raises(errors.NotAllowed):
        portal_links.make(customer=stranger, at=make.AT)
    verbs = AuditEntry.objects.order_by("pk").values_list("object_label", "verb")
    assert list(verbs) == [("Umbrella", "revoke_portal_links"), ("Initech", "delete")]


def test_what_every_page_says_to_browsers(customer: Customer, visit: Visit) -> None:
    page = visit(customer)
    text = page.content.decode()

    assert page["Cache-Control"] == "private, no-store"
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert page["Referrer-Policy"] == "same-origin"
    assert "script-src" not in page["Content-Security-Policy"]
    assert page["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert "<script" not in text
    assert "style=" not in text
    assert "<style" not in text
    assert visit(customer, "theme.css").content.decode() == ":root { --accent: #ffcc00; --on-accent: #000000; }\n"
    logo = visit(customer, "logo.svg")
    assert logo["Content-Type"] == "image/svg+xml"
    assert b"script" not in logo.content
    assert visit(customer, "nothing/here").status_code == 404
    assert Client().post(link(customer)).status_code == 405


@pytest.mark.parametrize(
    ("logged", "told"),
    [
        ("/portal/abc:def/invoices", "/portal/.../invoices"),
        ("GET /portal/abc/ HTTP/1.1", "GET /portal/.../ HTTP/1.1"),
        ("/api/v1/files/abc:def/a.pdf", "/api/v1/files/.../a.pdf"),
        ("/api/v1/customers/portal", "/api/v1/customers/portal"),
    ],
)
def test_no_log_tells_a_link(logged: str, told: str) -> None:
    record = logging.makeLogRecord({"msg": "Not Found: %s", "args": (logged,)})
    assert SignedLinkFilter().filter(record)
    assert record.getMessage() == f"Not Found: {told}"
