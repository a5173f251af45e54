"""Setting an installation up for the sample: repeatable, and never in somebody's own data."""

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django_celery_beat.models import PeriodicTask

from config.demo import hosting, installation, sellers, state, summary, tour
from config.platform.models import ApiKey
from config.platform.services import api_keys
from customers.services import billing_entities, customers
from tests.factories import platform

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def _no_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation.upgrading, "bring_up_to_date", lambda **_: None)


@pytest.mark.usefixtures("_no_migrations")
def test_setting_up_twice_makes_everything_once(tmp_path):
    first = tour.set_up(folder=tmp_path, at=AT)
    again = tour.set_up(folder=tmp_path, at=datetime(2026, 9, 1, 12, tzinfo=UTC))

    assert again == first == state.load(tmp_path)
    assert first.last_month == date(2026, 4, 1)  # later starts go on with the same months
    assert get_user_model().objects.get().check_password(first.password)
    assert ApiKey.objects.count() == 1
    assert {"billing", "deliveries", "overdue"} <= set(PeriodicTask.objects.values_list("name", flat=True))
    assert Group.objects.filter(name="Auditor").exists()


@pytest.mark.usefixtures("_no_migrations")
def test_database_with_own_customers_is_left_alone(tmp_path):
    billing_entities.ensure_default(at=AT)
    customers.upsert(values={"external_id": "acme", "name": "Acme"}, actor=platform.ACTOR, at=AT)

    with pytest.raises(installation.NotASample, match="customers of its own"):
        tour.set_up(folder=tmp_path, at=AT)

    assert state.load(tmp_path) is None
    assert not get_user_model().objects.exists()
    assert not PeriodicTask.objects.filter(name="billing").exists()


@pytest.mark.usefixtures("_no_migrations")
def test_own_customers_beside_the_sample_do_not_stop_it():
    billing_entities.ensure_default(at=AT)
    for external_id in ("acct_0123456789ab", "acme"):
        customers.upsert(values={"external_id": external_id, "name": "A"}, actor=platform.ACTOR, at=AT)

    installation.prepare(at=AT)

    assert PeriodicTask.objects.filter(name="billing").exists()


def test_administrator_who_chose_a_password_keeps_it():
    given = installation.administrator(password="")
    assert installation.administrator(password=given) == given

    user = get_user_model().objects.get()
    user.set_password("my own choice")
    user.save()

    assert installation.administrator(password=given) == ""
    assert get_user_model().objects.get().check_password("my own choice")


def test_revoked_key_is_replaced():
    first = installation.api_key(secret="", at=AT)
    assert installation.api_key(secret=first, at=AT) == first

    api_keys.revoke(api_key_id=ApiKey.objects.get().pk, actor=platform.ACTOR, at=AT)

    assert installation.api_key(secret=first, at=AT) != first
    assert ApiKey.objects.count() == 2


def test_sellers_get_their_logo_unless_they_have_one():
    for seller in sellers.SELLERS:
        values = {"code": seller.code, "name": seller.values["name"]}
        billing_entities.create(values=values, actor=platform.ACTOR, at=AT)
    billing_entities.update(code="tidehaven_de", values={"logo": "<svg>mine</svg>"}, actor=platform.ACTOR, at=AT)

    installation.logos(at=AT)

    found = {
        seller.code: billing_entities.billing_entities.by_code(code=seller.code).logo for seller in sellers.SELLERS
    }
    assert found["tidehaven_de"] == "<svg>mine</svg>"
    assert "Tidehaven" in found["tidehaven_us"]
    assert "Tidehaven" in found["tidehaven_uk"]


def test_empty_installation_has_nothing_to_sum_up():
    nothing = "0 finalized (): 0 paid, 0 paid in part, 0 not paid; 0 of the open ones are overdue"
    assert summary.invoices(external_ids=["community"]) == nothing
    assert summary.mails(external_ids=["community"]).startswith("0 sent; 0 invoices")
    assert installation.first_month() is None


def test_failing_program_ends_the_command_with_a_sentence(tmp_path, monkeypatch, settings):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("config.management.commands.demo.supervisor.interruptible", lambda: None)
    monkeypatch.setattr(tour, "set_up", lambda **_: state.State(date(2026, 4, 1), "secret", "key"))
    monkeypatch.setattr(hosting.Host, "__enter__", lambda self: self)
    monkeypatch.setattr(hosting.Host, "__exit__", lambda *_: None)
    stopped = []
    monkeypatch.setattr("config.management.commands.demo.server.stop", stopped.append)
    monkeypatch.setattr("config.management.commands.demo.connections.close_all", lambda: None)

    def fail(self: hosting.Host, **_: object) -> None:
        raise hosting.ProgramEnded("The worker process ended again and again, last with exit code 3.")

    monkeypatch.setattr(hosting.Host, "wait_until_ready", fail)

    with pytest.raises(CommandError, match="exit code 3"):
        call_command("demo", exit=False)

    assert not stopped  # the database stays up for the next start


def test_sending_again_needs_a_sample(tmp_path, settings):
    settings.DATA_DIR = tmp_path

    with pytest.raises(CommandError, match=r"manage\.py demo"):
        call_command("send_demo_usage")
