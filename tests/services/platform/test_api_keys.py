"""API keys: what is stored of them, and who is let in when."""

from datetime import timedelta

import pytest

from config.kernel import errors
from config.platform.models import ApiKey, AuditEntry
from config.platform.queries import api_keys as known_keys
from config.platform.services import api_keys
from tests.factories import platform

pytestmark = pytest.mark.django_db


def test_the_secret_is_stored_nowhere() -> None:
    made = platform.make_key()
    row = ApiKey.objects.values().get()
    assert made.secret not in str(row)
    assert row["hint"] == made.secret[-4:]
    assert len(row["digest"]) == 64


def test_two_keys_of_one_name_differ() -> None:
    assert platform.make_key().secret != platform.make_key().secret


@pytest.mark.parametrize(
    ("name", "code"), [("", "value_is_mandatory"), ("  ", "value_is_mandatory"), ("x" * 256, "value_is_too_long")]
)
def test_refuses_a_bad_name(name: str, code: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        platform.make_key(name)
    assert refused.value.details == {"name": [code]}
    assert ApiKey.objects.count() == 0


def test_a_key_is_usable_until_it_expires() -> None:
    end = platform.AT + timedelta(days=1)
    made = platform.make_key(expires_at=end)
    assert known_keys.usable(secret=made.secret, at=end - timedelta(microseconds=1)) == made.key
    assert known_keys.usable(secret=made.secret, at=end) is None


def test_a_revoked_key_is_not_usable_and_revoking_again_changes_nothing() -> None:
    made = platform.make_key()
    first = api_keys.revoke(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT, reason="lost")
    second = api_keys.revoke(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT + timedelta(days=1))
    assert first.revoked_at == second.revoked_at == platform.AT
    assert known_keys.usable(secret=made.secret, at=platform.AT) is None
    assert [(entry.verb, entry.reason) for entry in AuditEntry.objects.order_by("id")] == [
        ("create", ""),
        ("revoke", "lost"),
    ]


def test_revoking_an_unknown_key_is_refused() -> None:
    with pytest.raises(errors.NotFound) as refused:
        api_keys.revoke(api_key_id=4711, actor=platform.ACTOR, at=platform.AT)
    assert refused.value.code == "api_key_not_found"


@pytest.mark.parametrize("secret", ["", "unknown", "ünïcode", "\x00", "\ud800"])
def test_unknown_keys_are_not_usable(secret: str) -> None:
    platform.make_key()
    assert known_keys.usable(secret=secret, at=platform.AT) is None


def test_use_is_noted_once_a_minute(django_assert_num_queries) -> None:
    key = platform.make_key().key
    api_keys.note_use(key=key, at=platform.AT)
    key.refresh_from_db()
    assert key.last_used_at == platform.AT
    with django_assert_num_queries(0):
        api_keys.note_use(key=key, at=platform.AT + timedelta(seconds=59))
    api_keys.note_use(key=key, at=platform.AT + timedelta(seconds=60))
    key.refresh_from_db()
    assert key.last_used_at == platform.AT + timedelta(seconds=60)
