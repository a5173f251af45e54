"""Webhook endpoints, keys and events through the API, and by the official Python client."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.utils import timezone
from lago_python_client.client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import WebhookEndpoint as SentEndpoint
from pytest_django.live_server_helper import LiveServer

from config.platform.models import AuditEntry, WebhookDelivery, WebhookEndpoint, WebhookEvent
from config.platform.queries import installation
from config.platform.services import deliveries, signing, webhook_endpoints
from tests.factories import platform, receivers, webhooks
from tests.factories.platform import ApiClient
from tests.factories.webhooks import AT, CHANGED, CREATED

pytestmark = pytest.mark.django_db

URL = "https://acme.test/hooks?source=billing"
UNPACKABLE = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(900))
MISSING = {"status": 404, "error": "Not Found", "code": "webhook_endpoint_not_found"}


@pytest.fixture
def api() -> ApiClient:
    webhooks.known_types()
    return ApiClient()


def create(api: ApiClient, **values: Any) -> Any:
    return api.call("post", "webhook_endpoints", {"webhook_endpoint": {"webhook_url": URL, **values}})


def test_the_life_of_an_endpoint(api: ApiClient) -> None:
    made = create(api)
    assert made.status_code == 200, made.content
    row = WebhookEndpoint.objects.get()
    shown = {
        "lago_id": str(row.uuid),
        "lago_organization_id": str(installation.current().uuid),
        "webhook_url": URL,
        "signature_algo": "jwt",
        "name": None,
        "event_types": None,
        "created_at": row.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "paused_at": None,
        "failing_since": None,
        "last_delivered_at": None,
    }
    assert made.json() == {"webhook_endpoint": shown}
    path = f"webhook_endpoints/{row.uuid}"
    assert api.read(path).json() == made.json()

    values = {"signature_algo": "hmac", "name": "Shop", "event_types": [CHANGED, CREATED, CHANGED]}
    changed = api.call("put", path, {"webhook_endpoint": values}).json()["webhook_endpoint"]
    assert changed == {**shown, **values, "event_types": [CREATED, CHANGED]}
    everything = api.call("put", path, {"webhook_endpoint": {"event_types": ["*"]}}).json()["webhook_endpoint"]
    assert everything["event_types"] is None

    listed = api.read("webhook_endpoints").json()
    assert (listed["webhook_endpoints"], listed["meta"]["total_count"]) == ([everything], 1)
    assert api.call("delete", path).json() == {"webhook_endpoint": everything}
    assert api.read(path).json() == api.call("delete", path).json() == MISSING
    assert api.read("webhook_endpoints").json()["webhook_endpoints"] == []
    assert create(api).status_code == 200  # the address is free again
    verbs = AuditEntry.objects.filter(object_type="platform.webhookendpoint").order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == ["create", "update", "update", "delete", "create"]


@pytest.mark.parametrize(
    ("values", "details"),
    [
        ({"webhook_url": None}, {"webhook_url": ["value_is_mandatory"]}),
        ({"webhook_url": ""}, {"webhook_url": ["value_is_mandatory"]}),
        ({"webhook_url": "acme.test"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "ftp://acme.test"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://a b"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "http://acme.test:99999/"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "http://[::1"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://a\r\nHost: b"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://" + "x" * 2048}, {"webhook_url": ["value_is_too_long"]}),
        # 900 characters of three bytes each are more than an index of addresses takes.
        ({"webhook_url": "https://acme.test/" + UNPACKABLE}, {"webhook_url": ["value_is_too_long"]}),
        ({"webhook_url": {}}, {"webhook_url": ["value_is_invalid"]}),
        ({"signature_algo": "md5"}, {"signature_algo": ["value_is_invalid"]}),
        ({"name": "x" * 256}, {"name": ["value_is_too_long"]}),
        ({"event_types": ["invoice.nothing"]}, {"event_types": ["invalid_types"]}),
        ({"event_types": "x"}, {"event_types": ["must_be_an_array"]}),
    ],
)
def test_what_no_endpoint_can_be(api: ApiClient, values: dict[str, Any], details: dict[str, list[str]]) -> None:
    refused = create(api, **values)
    assert refused.status_code == 422, refused.content
    assert refused.json()["error_details"] == details
    assert not WebhookEndpoint.objects.exists()


def test_addresses_are_unique_and_there_are_ten(api: ApiClient) -> None:
    create(api)
    assert create(api).json()["error_details"] == {"webhook_url": ["value_already_exist"]}
    for number in range(9):
        create(api, webhook_url=f"{URL}{number}")
    assert create(api, webhook_url=f"{URL}more").json()["error_details"] == {"base": ["exceeded_limit"]}
    assert WebhookEndpoint.objects.count() == webhook_endpoints.MOST == 10
    first = WebhookEndpoint.objects.earliest("id")
    taken = api.call("put", f"webhook_endpoints/{first.uuid}", {"webhook_endpoint": {"webhook_url": f"{URL}0"}})
    assert taken.json()["error_details"] == {"webhook_url": ["value_already_exist"]}


def test_the_public_key(api: ApiClient) -> None:
    text = api.read("webhooks/public_key")
    assert text["Content-Type"].startswith("text/plain")
    assert base64.b64decode(text.content).decode() == signing.public_key()
    assert api.read("webhooks/json_public_key").json() == {"webhook": {"public_key": text.content.decode()}}


def test_events_are_found_by_what_they_are(api: ApiClient) -> None:
    endpoint = webhooks.make_endpoint()
    first, second = webhooks.make_things(2)
    webhooks.happen([first, second])
    webhooks.happen([first], name=CHANGED)
    WebhookDelivery.objects.filter(event__event_type=CHANGED).update(state="failed", attempts=25)

    def found(**params: Any) -> list[tuple[str, str]]:
        rows = api.read("webhook_events", **params).json()["webhook_events"]
        return [(row["webhook_type"], row["object_id"]) for row in rows]

    one, two, three = (CHANGED, str(first.uuid)), (CREATED, str(second.uuid)), (CREATED, str(first.uuid))
    assert found() == [one, two, three]
    assert found(**{"webhook_type[]": CREATED}) == [two, three]
    assert found(object_id=str(first.uuid)) == [one, three]
    assert found(state="failed") == [one]
    assert found(object_type="invoice") == []
    assert found(to="2026-05-04T12:00:00Z") == []
    assert api.read("webhook_events", state="lost").status_code == 422
    assert api.read("webhook_events", object_id="x").status_code == 422

    event = WebhookEvent.objects.get(event_type=CHANGED)
    # A payload shows objects of every resource: who may only look at endpoints does not see it.
    looking = platform.client_of(at=AT, rights={"webhook_endpoint": ["read"]})
    assert looking.read("webhook_events").status_code == 200
    assert looking.read(f"webhook_events/{event.uuid}").status_code == 403
    whole = api.read(f"webhook_events/{event.uuid}").json()["webhook_event"]
    assert whole["payload"]["webhook_type"] == CHANGED
    assert whole["deliveries"] == [
        {
            "lago_id": str(event.deliveries.get().uuid),
            "lago_webhook_endpoint_id": str(endpoint.uuid),
            "webhook_url": endpoint.webhook_url,
            "state": "failed",
            "attempts": 25,
            "next_attempt_at": None,
            "delivered_at": None,
        }
    ]
    assert api.read(f"webhook_events/{uuid4()}").json()["code"] == "webhook_event_not_found"


def test_a_list_of_events_costs_the_same_however_long(api: ApiClient, django_assert_max_num_queries: Any) -> None:
    webhooks.make_endpoint()
    webhooks.make_endpoint(URL)
    webhooks.happen(webhooks.make_things(20))
    api.read("webhook_events")
    with django_assert_max_num_queries(6):
        assert len(api.read("webhook_events").json()["webhook_events"]) == 20


def test_an_event_is_sent_again(api: ApiClient) -> None:
    endpoint, paused = webhooks.make_endpoint(), webhooks.make_endpoint(URL)
    webhooks.happen(webhooks.make_things(1))
    later = webhooks.make_endpoint(f"{URL}&later")
    WebhookDelivery.objects.update(state="delivered", delivered_at=AT, attempts=3)
    webhook_endpoints.pause(endpoint_id=paused.pk, actor=platform.ACTOR, at=AT)
    event = WebhookEvent.objects.get()
    path = f"webhook_events/{event.uuid}/replay"

    again = api.call("post", path, {}).json()["webhook_event"]
    assert [(one["state"], one["attempts"]) for one in again["deliveries"]] == [("pending", 0), ("delivered", 3)]
    named = api.call("post", path, {"lago_webhook_endpoint_id": str(later.uuid)}).json()["webhook_event"]
    assert [one["webhook_url"] for one in named["deliveries"]][2:] == [later.webhook_url]
    refused = api.call("post", path, {"lago_webhook_endpoint_id": str(paused.uuid)})
    assert (refused.status_code, refused.json()["code"]) == (405, "no_active_webhook_endpoint")
    assert api.call("post", path, {"lago_webhook_endpoint_id": str(uuid4())}).json() == MISSING
    assert api.call("post", path, {"lago_webhook_endpoint_id": "x"}).status_code == 422
    assert webhooks.states(endpoint) == {"pending": 1}
    assert AuditEntry.objects.filter(verb="replay").count() == 2


def test_trying_an_endpoint_out(api: ApiClient) -> None:
    with receivers.receiving(lambda number, _: "ok" if number == 0 else "error") as receiver:
        endpoint = webhooks.make_endpoint(receiver.url, event_types=[CREATED])
        path = f"webhook_endpoints/{endpoint.uuid}/test"
        good = api.call("post", path).json()["webhook_endpoint_test"]
        bad = api.call("post", path).json()["webhook_endpoint_test"]
    assert (good["delivered"], good["status"], good["answer"], good["error"]) == (True, 200, "said ok", None)
    assert (bad["delivered"], bad["status"]) == (False, 500)
    assert [one.content["webhook_type"] for one in receiver.received] == ["webhook_endpoint.ping"] * 2
    assert webhooks.states(endpoint) == {"delivered": 1, "failed": 1}
    assert {str(key) for key in WebhookEvent.objects.values_list("uuid", flat=True)} == {
        one.key for one in receiver.received
    }


@pytest.mark.django_db(transaction=True)
def test_the_official_client_sets_up_an_endpoint_and_checks_what_comes(live_server: LiveServer) -> None:
    webhooks.known_types()
    webhooks.installation.ensure(at=timezone.now())
    client = Client(api_key=platform.make_key(at=timezone.now()).secret, api_url=live_server.url)
    with receivers.receiving() as receiver:
        made = client.webhook_endpoints.create(SentEndpoint(webhook_url=receiver.url))
        hashed = client.webhook_endpoints.create(
            SentEndpoint(webhook_url=f"{receiver.url}/hmac", signature_algo="hmac", event_types=[CREATED])
        )
        assert client.webhook_endpoints.find(hashed.lago_id).event_types == [CREATED]
        assert client.webhook_endpoints.find_all()["meta"]["total_count"] == 2
        webhooks.happen(webhooks.make_things(1))
        deliveries.run(as_of=timezone.now())
    key = client.webhooks.public_key()
    by_algorithm = {one.headers["x-lago-signature-algorithm"]: one for one in receiver.taken}
    signed, shared = by_algorithm["jwt"], by_algorithm["hmac"]
    claims = jwt.decode(signed.headers["x-lago-signature"], key, algorithms=["RS256"])
    assert claims["data"].encode() == signed.body == shared.body
    digest = hmac.new(signing.hmac_key().encode(), shared.body, hashlib.sha256).digest()
    assert base64.b64encode(digest).decode() == shared.headers["x-lago-signature"]
    assert signed.key == shared.key

    changed = client.webhook_endpoints.update(SentEndpoint(webhook_url=URL), made.lago_id)
    assert changed.webhook_url == URL
    assert client.webhook_endpoints.destroy(made.lago_id).lago_id == made.lago_id
    with pytest.raises(LagoApiError) as missing:
        client.webhook_endpoints.find(made.lago_id)
    assert missing.value.status_code == 404
