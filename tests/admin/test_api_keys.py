"""API keys, the log of requests and the security log on pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from config.platform.models import ApiKey, RequestLog, SecurityLog
from config.platform.queries import api_keys as known
from tests.admin.conftest import signed_in
from tests.factories import platform
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

KEYS = "/admin/platform/apikey/"


def made(client: Client, **content: Any) -> Any:
    return client.post(f"{KEYS}create/", {"name": "shop", "preset": "everything", **content})


@pytest.mark.parametrize(
    ("content", "rights"),
    [
        ({}, None),
        ({"preset": "usage"}, {"event": ["write"]}),
        ({"preset": "read"}, {"*": ["read"]}),
        (
            {"preset": "chosen", "matrix": ["plan:write", "plan:read", "event:write"]},
            {"event": ["write"], "plan": ["read", "write"]},
        ),
    ],
)
def test_a_key_is_made_with_its_rights_and_shown_once(
    superuser: Client, company: Company, content: dict[str, Any], rights: Any
) -> None:
    text = made(superuser, rate_limit="60", last_day="2999-12-31", **content).content.decode()
    (secret,) = set(re.findall(r"qk_[\w-]{43}", text))
    key = known.usable(secret=secret, at=datetime(2999, 12, 31, 23, 59, tzinfo=UTC))
    assert key is not None
    assert (key.rights, key.rate_limit, key.expires_at) == (rights, 60, datetime(3000, 1, 1, tzinfo=UTC))
    assert secret not in superuser.get(f"{KEYS}{key.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"matrix": ["plan:read"]}, "Rights are chosen below"),
        ({"preset": "chosen"}, "Choose at least one."),
        ({"preset": "chosen", "matrix": ["plan:delete"]}, "not one of the available choices"),
        ({"preset": "all"}, "not one of the available choices"),
        ({"rate_limit": "0"}, "greater than or equal to 1"),
        ({"last_day": "2001-01-01"}, "This day is over."),
    ],
)
def test_a_form_that_leaves_rights_open_makes_no_key(
    superuser: Client, company: Company, content: dict[str, Any], told: str
) -> None:
    before = ApiKey.objects.count()
    assert told in made(superuser, **content).content.decode()
    assert ApiKey.objects.count() == before


def test_rights_are_changed_and_a_key_rotated_and_revoked(superuser: Client, company: Company) -> None:
    first = platform.make_key("shop", rights={"plan": ["read"]})
    page = f"{KEYS}{first.key.pk}"
    asked = superuser.get(f"{page}/rights/").content.decode()
    assert re.search(r'value="plan:read"[^>]*checked', asked)
    assert not re.search(r'value="plan:write"[^>]*checked', asked)
    superuser.post(f"{page}/rights/", {"preset": "usage", "rate_limit": ""})
    text = superuser.post(f"{page}/rotate/", {"overlap": "1", "reason": "yearly"}).content.decode()
    (secret,) = set(re.findall(r"qk_[\w-]{43}", text))
    shown = superuser.get(f"{page}/change/").content.decode()
    assert "Send usage only" in shown
    assert f"…{first.secret[-4:]} is taken until" in shown
    key = ApiKey.objects.get(pk=first.key.pk)
    assert (key.rights, key.hint) == ({"event": ["write"]}, secret[-4:])
    superuser.post(f"{page}/revoke/", {"reason": "over"})
    assert superuser.get(f"{page}/rotate/").status_code == 302  # back to the page: there is nothing to rotate
    events = SecurityLog.objects.filter(api_key=key).order_by("id").values_list("event", "actor_label")
    assert [one for one in events if one[1] == "superuser"] == [
        ("api_key.updated", "superuser"),
        ("api_key.rotated", "superuser"),
        ("api_key.deleted", "superuser"),
    ]


def test_whoever_may_only_look_changes_nothing(auditor: Client, company: Company) -> None:
    key = platform.make_key("shop").key
    for verb in ("rights", "rotate", "revoke"):
        assert auditor.post(f"{KEYS}{key.pk}/{verb}/", {"reason": "x", "preset": "read"}).status_code == 403
    assert auditor.get(f"{KEYS}{key.pk}/change/").status_code == 200
    key.refresh_from_db()
    assert (key.rights, key.rotated_at, key.revoked_at) == (None, None, None)


def test_requests_are_listed_searched_and_shown(
    superuser: Client, company: Company, django_assert_max_num_queries: Any
) -> None:
    key = platform.make_key("shop").key
    common = {"at": platform.AT, "api_key": key, "method": "POST", "path": "/api/v1/plans", "duration_ms": 12}
    RequestLog.objects.create(request_id="request-one", status=200, request_body='{"plan":{"code":"pro"}}', **common)
    odd = RequestLog.objects.create(request_id="request-two", status=422, response_body='{"cut', client="<b>", **common)
    for number in range(20):
        RequestLog.objects.create(request_id=f"x{number}", status=200, **common)
    with django_assert_max_num_queries(14):
        assert "request-one" in superuser.get("/admin/platform/requestlog/").content.decode()
    found = superuser.get("/admin/platform/requestlog/?q=pro").content.decode()
    assert "request-one" in found
    assert "request-two" not in found
    refused = superuser.get("/admin/platform/requestlog/?outcome=refused").content.decode()
    assert "request-two" in refused
    assert "request-one" not in refused
    page = superuser.get(f"/admin/platform/requestlog/{odd.pk - 1}/change/").content.decode()
    assert "{\n  &quot;plan&quot;: {\n    &quot;code&quot;: &quot;pro&quot;" in page
    page = superuser.get(f"/admin/platform/requestlog/{odd.pk}/change/").content.decode()
    assert "&lt;b&gt;" in page
    assert "{&quot;cut" in page


def test_changes_of_people_and_roles_are_in_the_security_log(superuser: Client, company: Company) -> None:
    role, person = Group.objects.get(name="Auditor"), User.objects.create_user("linus")
    superuser.post(f"/admin/auth/group/{role.pk}/change/", {"name": "Auditor", "permissions": []})
    superuser.post(
        f"/admin/auth/user/{person.pk}/change/", {"username": "linus", "groups": [role.pk], "is_active": "on"}
    )
    rows = SecurityLog.objects.filter(kind__in=["user", "role"]).order_by("id")
    assert [(row.event, row.resources["name"], row.actor_label) for row in rows] == [
        ("role.updated", "Auditor", "superuser"),
        ("user.updated", "linus", "superuser"),
    ]
    listed = superuser.get("/admin/platform/securitylog/").content.decode()
    assert "role updated" in listed
    page = superuser.get(f"/admin/platform/securitylog/{rows[0].pk}/change/").content.decode()
    assert "permissions_removed" in page
    assert signed_in("Auditor").get("/admin/platform/securitylog/").status_code == 403  # nothing is left of its rights
