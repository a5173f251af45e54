"""Webhooks in the admin: endpoints and what can be done with them, the log, the keys, and who may."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from config.platform.models import AuditEntry, WebhookDelivery, WebhookEndpoint
from config.platform.services import signing
from tests.admin.conftest import NOW, signed_in
from tests.factories import webhooks
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

ENDPOINTS, DELIVERIES = "/admin/platform/webhookendpoint/", "/admin/platform/webhookdelivery/"
LONG = "https://acme.test/" + "long/" * 60 + "?a=<b>"


@pytest.fixture
def engineer(company: Company) -> Client:
    return signed_in("Engineer")


@pytest.fixture
def endpoint(company: Company) -> WebhookEndpoint:
    return webhooks.make_endpoint(LONG, name="Shop", at=NOW)


def happened(endpoint: WebhookEndpoint, count: int, **values: object) -> list[WebhookDelivery]:
    webhooks.happen(webhooks.make_things(count), at=NOW - timedelta(hours=1))
    endpoint.deliveries.update(**values)
    return list(endpoint.deliveries.order_by("id"))


def test_the_life_of_an_endpoint(engineer: Client) -> None:
    values = {"webhook_url": "https://acme.test/", "name": "Shop", "signature_algo": "hmac"}
    refused = engineer.post(f"{ENDPOINTS}create/", {**values, "webhook_url": "acme"}).content.decode()
    assert "not an address that starts with http" in refused
    made = engineer.post(f"{ENDPOINTS}create/", {**values, "event_types": ["invoice.created"]})
    row = WebhookEndpoint.objects.get()
    page = f"{ENDPOINTS}{row.pk}/"
    assert made["Location"] == f"{page}change/"
    assert (row.signature_algo, row.event_types) == ("hmac", ["invoice.created"])
    assert "checked" in engineer.get(f"{page}change_endpoint/").content.decode()
    engineer.post(f"{page}change_endpoint/", {**values, "webhook_url": "https://acme.test/b"})
    engineer.post(f"{page}pause/", {"reason": "Maintenance."})
    assert engineer.get(f"{page}pause/").status_code == 302  # it is paused already
    engineer.post(f"{page}resume/")
    engineer.post(f"{page}delete/", {"reason": "Not needed."})
    row.refresh_from_db()
    assert (row.webhook_url, row.event_types, row.disabled_at, row.deleted_at) == (
        "https://acme.test/b",
        None,
        None,
        NOW,
    )
    verbs = AuditEntry.objects.filter(object_type="platform.webhookendpoint").order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == ["create", "update", "pause", "resume", "delete"]
    assert "Shop" not in engineer.get(ENDPOINTS).content.decode()
    assert "Shop" in engineer.get(f"{ENDPOINTS}?state=retired").content.decode()


def test_pages_with_long_addresses_and_without_anything(engineer: Client, endpoint: WebhookEndpoint) -> None:
    page = engineer.get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()
    assert "Nothing has happened yet that it is told of" in page
    assert "Nothing was sent in the last 48 hours" in page
    assert "?a=<b>" not in page
    assert "Nothing was told yet" in engineer.get(DELIVERIES).content.decode()
    assert LONG.replace("<", "&lt;").replace(">", "&gt;") in engineer.get(ENDPOINTS).content.decode()


def test_the_log_shows_exactly_what_is_sent(engineer: Client, endpoint: WebhookEndpoint) -> None:
    [delivery] = happened(endpoint, 1)
    delivery.attempt_log.create(at=NOW, milliseconds=1234, status=500, answer="<script>broken</script>")
    delivery.attempt_log.create(at=NOW, milliseconds=30_000, error="no answer within 30 seconds")
    page = engineer.get(f"{DELIVERIES}{delivery.pk}/change/").content.decode()
    for shown in ("1,234 ms", "500", "&lt;script&gt;broken", "no answer within 30 seconds", str(delivery.event.uuid)):
        assert shown in page
    exact = delivery.event.body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert exact in page
    listed = engineer.get(f"{DELIVERIES}?object_id={delivery.object_key.rpartition(':')[2]}&state__exact=pending")
    assert [row.pk for row in listed.context["cl"].result_list] == [delivery.pk]
    none = engineer.get(f"{DELIVERIES}?event_type=invoice.created&endpoint__id__exact={endpoint.pk}")
    assert list(none.context["cl"].result_list) == []


def test_what_failed_is_counted_and_sent_again(engineer: Client, endpoint: WebhookEndpoint) -> None:
    happened(endpoint, 3, state="failed", attempts=25)
    page = f"{ENDPOINTS}{endpoint.pk}/send_again/"
    values = {"since": "2026-05-20"}
    counted = engineer.post(page, values).content.decode()
    assert re.search(r"sent again.*?3", counted, re.DOTALL)
    assert webhooks.states(endpoint) == {"failed": 3}
    weighed = re.search(r'name="weighed" value="(\w+)"', counted)
    assert weighed is not None
    engineer.post(page, {**values, "weighed": weighed[1]})
    assert webhooks.states(endpoint) == {"pending": 3}
    assert AuditEntry.objects.get(verb="replay").new["events"] == 3


def test_what_waits_is_held_counted_and_dropped_only_by_choice(engineer: Client, endpoint: WebhookEndpoint) -> None:
    happened(endpoint, 3)
    page = f"{ENDPOINTS}{endpoint.pk}/"
    assert re.search(r"Deliveries that wait.*?3", engineer.get(f"{page}pause/").content.decode(), re.DOTALL)
    engineer.post(f"{page}pause/", {"reason": "Maintenance."})
    assert webhooks.states(endpoint) == {"pending": 3}
    assert re.search(r"will be sent.*?3", engineer.get(f"{page}resume/").content.decode(), re.DOTALL)
    asked = engineer.get(f"{page}drop_waiting/").content.decode()
    assert re.search(r"will be dropped.*?3", asked, re.DOTALL)
    assert webhooks.states(endpoint) == {"pending": 3}
    engineer.post(f"{page}drop_waiting/", {"reason": "Too old."})
    assert webhooks.states(endpoint) == {"dropped": 3}
    assert AuditEntry.objects.get(verb="drop waiting").new == {"dropped": 3}


def test_chosen_ones_are_sent_again_with_a_result_for_each(engineer: Client, endpoint: WebhookEndpoint) -> None:
    first, second = happened(endpoint, 2, state="delivered", delivered_at=NOW, attempts=1)
    other = webhooks.make_endpoint("https://gone.test/", at=NOW, disabled_at=NOW)
    WebhookDelivery.objects.filter(pk=second.pk).update(endpoint=other)
    page = engineer.post(f"{DELIVERIES}bulk/replay/", {"ids": f"{first.pk},{second.pk}"}).content.decode()
    assert page.count("It is being sent again.") == 1
    assert "The endpoint is paused." in page
    assert (webhooks.states(endpoint), webhooks.states(other)) == ({"pending": 1}, {"delivered": 1})


def test_the_keys_are_shown_to_whoever_may_and_that_is_noted(engineer: Client, finance: Client) -> None:
    asked = engineer.get(f"{ENDPOINTS}keys/")
    assert signing.hmac_key() not in asked.content.decode()
    assert AuditEntry.objects.filter(verb="show webhook keys").count() == 0
    shown = engineer.post(f"{ENDPOINTS}keys/")
    assert signing.hmac_key() in shown.content.decode()
    assert "BEGIN PUBLIC KEY" in shown.content.decode()
    assert "PRIVATE" not in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert AuditEntry.objects.get(verb="show webhook keys").actor_label == "engineer"
    assert finance.post(f"{ENDPOINTS}keys/").status_code == 403


@pytest.mark.parametrize("verb", ["change_endpoint", "test", "send_again", "pause", "drop_waiting", "delete"])
def test_others_only_look(finance: Client, endpoint: WebhookEndpoint, verb: str) -> None:
    assert finance.get(f"{ENDPOINTS}{endpoint.pk}/change/").status_code == 200
    assert finance.post(f"{ENDPOINTS}{endpoint.pk}/{verb}/", {"reason": "x"}).status_code == 403
    endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.deleted_at) == (None, None)
