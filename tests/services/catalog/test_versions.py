"""Versions that are sold from a moment on: scheduling, selling, withdrawing; who gets them, and who keeps theirs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from billing.models import Subscription
from catalog.domain import publications
from catalog.domain.publications import InvalidMoment, Publication
from catalog.models import Plan, PlanVersion
from catalog.queries import versions as known
from catalog.services import plans, versions
from catalog.services.versions import VersionWaits
from config.kernel import errors
from config.platform.models import AuditEntry
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

NOW = "2026-01-10T09:00"
LATER = datetime(2026, 2, 1, tzinfo=UTC)
SOLD_LATER = Publication(moves_existing=False, effective_at=LATER)


@pytest.fixture
def first() -> PlanVersion:
    return goods.make_plan("starter", cents=3100)


def change(cents: int, publication: Publication = publications.FOLLOWED, at: str = NOW) -> PlanVersion:
    values: Any = {"amount_cents": cents}
    return plans.update(code="starter", values=values, actor=ACTOR, at=instant(at), publication=publication)


def standings() -> dict[int, str]:
    return {one.number: known.standing(one).value for one in PlanVersion.objects.order_by("number")}


def held() -> dict[str, int]:
    return dict(Subscription.objects.order_by("pk").values_list("external_id", "plan_version__number"))


def subscribe(name: str, at: str, **values: Any) -> Subscription:
    customer = parties.make_customer(parties.make_entity(name), external_id=name)
    version = PlanVersion.objects.get(is_current=True)
    return made.make_subscription(customer, version, at=instant(at), external_id=name, **values)


def test_a_scheduled_version_is_sold_from_its_moment_on(first: PlanVersion) -> None:
    subscribe("old", "2026-01-05")

    assert change(4100, SOLD_LATER).number == 1  # what is on sale is what it was
    assert standings() == {1: "current", 2: "scheduled"}
    assert versions.turn_due(as_of=instant("2026-01-31T23:59")) == 0
    assert versions.turn_due(as_of=LATER) == 1
    assert versions.turn_due(as_of=LATER) == 0

    assert standings() == {1: "past", 2: "current"}
    assert held() == {"old": 1}  # nobody was moved
    subscribe("new", "2026-02-02")
    assert held() == {"old": 1, "new": 2}
    verbs = list(AuditEntry.objects.filter(object_type="catalog.plan").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["create", "schedule_version", "publish_version"]


def test_who_buys_after_the_moment_gets_it_however_late_the_job_is(first: PlanVersion) -> None:
    change(4100, SOLD_LATER)
    subscribe("before", "2026-01-31T23:00")
    subscribe("after", "2026-02-01T00:00:01")
    assert held() == {"before": 1, "after": 2}


def test_a_later_start_buys_what_is_sold_when_it_is_made(first: PlanVersion) -> None:
    change(4100, SOLD_LATER)
    subscribe("later", "2026-01-20", subscription_at=instant("2026-03-01"))
    assert held() == {"later": 1}


def test_at_once_for_new_ones_only(first: PlanVersion) -> None:
    subscribe("old", "2026-01-05")
    change(4100, publications.KEPT)
    subscribe("new", "2026-01-11")
    assert held() == {"old": 1, "new": 2}


def test_a_version_for_all_leaves_those_who_kept_theirs(first: PlanVersion) -> None:
    """An update of the plan through the API moves everybody but those who were left out of a version before."""
    subscribe("old", "2026-01-05")
    change(4100, publications.KEPT)
    subscribe("new", "2026-01-11")
    change(4200)
    assert held() == {"old": 1, "new": 3}


def test_a_version_for_all_moves_all_where_nobody_was_left_out(first: PlanVersion) -> None:
    subscribe("old", "2026-01-05")
    change(4100)
    change(4200)
    assert held() == {"old": 3}


def test_beside_one_that_waits_nothing_is_published(first: PlanVersion) -> None:
    change(4100, SOLD_LATER)
    for publication in (publications.FOLLOWED, publications.KEPT, SOLD_LATER):
        with pytest.raises(VersionWaits, match="2026-02-01"):
            change(5100, publication)
    plans.update(code="starter", values={"name": "Beginner"}, actor=ACTOR, at=instant(NOW))
    assert standings() == {1: "current", 2: "scheduled"}
    assert Plan.objects.get().name == "Beginner"  # names are no price


def test_one_that_is_withdrawn_is_never_sold(first: PlanVersion) -> None:
    change(4100, SOLD_LATER)
    for _ in range(2):
        versions.withdraw(code="starter", number=2, actor=ACTOR, at=instant(NOW))
    assert versions.turn_due(as_of=LATER) == 0
    assert standings() == {1: "current", 2: "withdrawn"}
    assert change(5100).number == 3  # numbers are not used again
    assert AuditEntry.objects.filter(verb="withdraw_version").count() == 1


def test_what_is_or_was_sold_cannot_be_withdrawn(first: PlanVersion) -> None:
    change(4100)
    for number in (1, 2):
        with pytest.raises(errors.NotAllowed, match="cannot be withdrawn"):
            versions.withdraw(code="starter", number=number, actor=ACTOR, at=instant(NOW))
    with pytest.raises(errors.NotFound):
        versions.withdraw(code="starter", number=3, actor=ACTOR, at=instant(NOW))


def test_a_retired_plan_sells_nothing_any_more(first: PlanVersion) -> None:
    change(4100, SOLD_LATER)
    plans.delete(code="starter", actor=ACTOR, at=instant(NOW))
    assert versions.turn_due(as_of=LATER) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"is_scheduled": True},  # without a moment
        {"is_scheduled": True, "effective_at": LATER, "is_current": True},
        {"withdrawn_at": LATER, "is_current": True},
    ],
)
def test_the_database_refuses_a_version_in_two_places(first: PlanVersion, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanVersion.objects.filter(pk=first.pk).update(**values)


def test_the_database_refuses_two_that_wait(first: PlanVersion) -> None:
    change(4100, SOLD_LATER)
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanVersion.objects.filter(number=1).update(is_current=False, is_scheduled=True, effective_at=LATER)


def test_a_preview_of_a_change_writes_nothing(first: PlanVersion) -> None:
    before, after = plans.proposed(code="starter", values={"amount_cents": 4100}, at=instant(NOW))
    assert (before.amount.amount, after.amount.amount) == (31, 41)
    assert standings() == {1: "current"}


@pytest.mark.parametrize(
    ("moment", "is_right"),
    [
        ("2026-01-10T00:00", True),  # earlier today
        ("2026-01-09T23:59", False),
        ("2026-01-09T23:00", False),
        ("2026-02-01T00:00", True),
        ("2036-02-01T00:00", False),  # more than ten years
    ],
)
def test_moments_of_sale(moment: str, is_right: bool) -> None:
    values: Any = {"at": instant(NOW), "timezone": ZoneInfo("UTC")}
    if is_right:
        assert publications.sold_from(instant(moment), **values).effective_at == instant(moment)
        return
    with pytest.raises(InvalidMoment):
        publications.sold_from(instant(moment), **values)


def test_days_are_those_of_the_time_zone() -> None:
    """9 January 22:30 UTC is 10 January in Tokyo, which is today at 9 o'clock UTC on the tenth."""
    moment = instant("2026-01-09T22:30")
    found = publications.sold_from(moment, at=instant(NOW), timezone=ZoneInfo("Asia/Tokyo"))
    assert found.effective_at == moment


def test_what_is_published_after_the_moment_comes_on_top_however_late_the_job_is(first: PlanVersion) -> None:
    """The version of February is on sale by then: the next one is made of it, and it is too late to withdraw it."""
    subscribe("old", "2026-01-05")
    change(3900, SOLD_LATER)

    plans.update(code="starter", values={"amount_cents": 4500}, actor=ACTOR, at=instant("2026-02-01T00:00"))

    assert standings() == {1: "past", 2: "past", 3: "current"}
    assert held() == {"old": 1}


def test_it_is_too_late_to_withdraw_from_the_moment_on(first: PlanVersion) -> None:
    change(3900, SOLD_LATER)
    with pytest.raises(errors.NotAllowed) as refusal:
        versions.withdraw(code="starter", number=2, actor=ACTOR, at=instant("2026-02-01T00:00"))
    assert refusal.value.code == "plan_version_sold"


def test_what_was_decided_by_an_older_version_is_refused(first: PlanVersion) -> None:
    """The version of February came on sale meanwhile: a full list of the prices before it would undo it."""
    change(3900, SOLD_LATER)
    values: Any = {"amount_cents": 3200}
    with pytest.raises(plans.PlanChanged):
        plans.update(code="starter", values=values, actor=ACTOR, at=instant("2026-02-01T00:00"), seen=first.pk)
    assert PlanVersion.objects.count() == 2
