"""API keys: what is stored of them, and who is let in when."""

from datetime import timedelta

import pytest

from config.kernel import errors
from config.platform.models import ApiKey, AuditEntry, SecurityLog
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


def test_rotating_gives_a_new_secret_and_the_old_one_an_end() -> None:
    made = platform.make_key(rights={"event": ["write"]}, rate_limit=5)
    new = api_keys.rotate(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT, reason="yearly")
    over = platform.AT + api_keys.OVERLAP
    found = known_keys.usable(secret=new.secret, at=over)
    assert found is not None
    assert (found.pk, found.name, found.rights, found.rate_limit) == (made.key.pk, "tests", {"event": ["write"]}, 5)
    assert known_keys.usable(secret=made.secret, at=over - timedelta(microseconds=1)) == found
    assert known_keys.usable(secret=made.secret, at=over) is None
    entry = AuditEntry.objects.get(verb="rotate")
    assert (entry.reason, entry.new["hint"]) == ("yearly", new.secret[-4:])
    assert new.secret not in str(list(AuditEntry.objects.values())) + str(list(SecurityLog.objects.values()))


def test_a_second_rotation_ends_the_first_secret_and_none_overlaps_unless_wanted() -> None:
    made = platform.make_key()
    second = api_keys.rotate(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT)
    third = api_keys.rotate(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT)
    secrets = (made.secret, second.secret, third.secret)
    assert [known_keys.usable(secret=one, at=platform.AT) is not None for one in secrets] == [False, True, True]
    fourth = api_keys.rotate(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT, overlap=timedelta(0))
    secrets = (second.secret, third.secret, fourth.secret)
    assert [known_keys.usable(secret=one, at=platform.AT) is not None for one in secrets] == [False, False, True]


def test_revoking_ends_a_secret_that_overlaps_and_then_nothing_can_be_changed() -> None:
    made = platform.make_key()
    new = api_keys.rotate(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT)
    api_keys.revoke(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT)
    assert known_keys.usable(secret=made.secret, at=platform.AT) is None
    assert known_keys.usable(secret=new.secret, at=platform.AT) is None
    with pytest.raises(api_keys.Revoked):
        api_keys.rotate(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT)
    with pytest.raises(api_keys.Revoked):
        api_keys.change(api_key_id=made.key.pk, rights=None, rate_limit=1, actor=platform.ACTOR, at=platform.AT)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"rate_limit": 0}, "rate_limit"),
        ({"rate_limit": 1_000_001}, "rate_limit"),
        ({"rights": {}}, "rights"),
        ({"rights": {"nothing": ["read"]}}, "rights"),
        ({"expires_at": platform.AT}, "expires_at"),
    ],
)
def test_terms_that_cannot_be(terms: dict[str, object], field: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        platform.make_key(**terms)
    assert list(refused.value.details) == [field]
    assert ApiKey.objects.count() == 0


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=30, seconds=1)])
def test_an_overlap_has_its_limits(overlap: timedelta) -> None:
    made = platform.make_key()
    with pytest.raises(errors.Invalid):
        api_keys.rotate(api_key_id=made.key.pk, actor=platform.ACTOR, at=platform.AT, overlap=overlap)
    assert known_keys.usable(secret=made.secret, at=platform.AT) is not None


def test_changing_rights_tells_both_logs_once() -> None:
    key = platform.make_key().key
    for _ in range(2):
        changed = api_keys.change(
            api_key_id=key.pk, rights={"plan": ["read"]}, rate_limit=60, actor=platform.ACTOR, at=platform.AT
        )
    assert (changed.rights, changed.rate_limit) == ({"plan": ["read"]}, 60)
    entry = AuditEntry.objects.get(verb="change_rights")
    assert (entry.old["rights"], entry.new["rights"]) == (None, {"plan": ["read"]})
    events = SecurityLog.objects.order_by("id").values_list("event", flat=True)
    assert list(events) == ["api_key.created", "api_key.updated"]


def test_addresses_are_noted_and_the_latest_are_kept(django_assert_num_queries) -> None:
    key = platform.make_key().key
    for number in range(12):  # ten at once, the others with the next note
        api_keys.note_use(key=key, at=platform.AT + timedelta(seconds=number), address=f"10.0.0.{number}")
        key.refresh_from_db()
    assert (len(key.addresses), key.last_used_at) == (10, platform.AT + timedelta(seconds=9))
    with django_assert_num_queries(0):
        api_keys.note_use(key=key, at=platform.AT + timedelta(seconds=20), address="10.0.0.3")
        api_keys.note_use(key=key, at=platform.AT + timedelta(seconds=20), address="10.0.0.99")
    api_keys.note_use(key=key, at=platform.AT + timedelta(seconds=90), address="10.0.0.99")
    key.refresh_from_db()
    assert len(key.addresses) == 10
    assert "10.0.0.99" in key.addresses
    assert "10.0.0.0" not in key.addresses
