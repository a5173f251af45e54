"""People, roles and the schedule: edited by Django's forms, noted in the audit trail."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from config.platform.models import AuditEntry
from config.platform.services import roles
from tests.admin.conftest import signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(company: Company) -> PeriodicTask:
    hourly = CrontabSchedule.objects.create(minute="10")
    return PeriodicTask.objects.create(name="billing", task="billing.tasks.run_billing", crontab=hourly)


def test_a_new_person_is_noted_in_the_audit_trail(superuser: Client, company: Company) -> None:
    content = {
        "username": "linus",
        "password1": "correct horse 9",
        "password2": "correct horse 9",
        "usable_password": "true",
    }
    done = superuser.post("/admin/auth/user/add/", content)
    assert done.status_code == 302
    linus = User.objects.get(username="linus")
    entry = AuditEntry.objects.get(object_type="auth.user", object_id=linus.pk)
    assert (entry.verb, entry.actor_label) == ("create", "superuser")
    assert "correct horse" not in str(entry.new)
    assert LogEntry.objects.count() == 0
    assert "create" in superuser.get(f"/admin/auth/user/{linus.pk}/history/").content.decode()


def test_a_changed_role_names_its_fields(superuser: Client, company: Company) -> None:
    group = Group.objects.get(name="Auditor")
    superuser.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Revision", "permissions": []})
    entry = AuditEntry.objects.get(object_type="auth.group", object_id=group.pk)
    assert entry.verb == "update"
    assert (entry.old["name"], entry.new["name"]) == ("Auditor", "Revision")
    assert any("view" in right.lower() for right in entry.old["permissions_removed"])


def test_a_new_person_with_a_role_may_sign_in(superuser: Client, company: Company) -> None:
    role = Group.objects.get(name="Accountant")
    content = {
        "username": "grace",
        "password1": "correct horse 9",
        "password2": "correct horse 9",
        "usable_password": "true",
        "groups": [role.pk],
    }
    asked = superuser.get("/admin/auth/user/add/").content.decode()
    assert roles.about("Accountant") in asked
    assert superuser.post("/admin/auth/user/add/", content).status_code == 302
    grace = User.objects.get(username="grace")
    assert grace.is_staff is True
    entry = AuditEntry.objects.get(object_type="auth.user", object_id=grace.pk)
    assert (entry.new["username"], entry.new["password"], entry.new["groups_added"]) == ("grace", "set", ["Accountant"])
    browser = Client()
    assert browser.login(username="grace", password="correct horse 9")
    assert browser.get("/admin/").status_code == 200


def test_closing_the_door_by_hand_keeps_it_closed(superuser: Client, company: Company) -> None:
    role = Group.objects.get(name="Auditor")
    person = User.objects.create_user("mary", password="x", is_staff=True)
    content = {"username": "mary", "is_active": "on", "groups": [role.pk]}  # the switch for signing in is left off
    assert superuser.post(f"/admin/auth/user/{person.pk}/change/", content).status_code == 302
    person.refresh_from_db()
    assert person.is_staff is False
    entry = AuditEntry.objects.get(object_type="auth.user", object_id=person.pk)
    assert (entry.old["is_staff"], entry.new["is_staff"], entry.new["groups_added"]) == (True, False, ["Auditor"])


def test_auditors_look_at_people_but_never_at_passwords(company: Company) -> None:
    auditor = signed_in("Auditor")
    person = User.objects.create_user("mary", password="x")
    page = auditor.get(f"/admin/auth/user/{person.pk}/change/")
    assert page.status_code == 200
    assert person.password not in page.content.decode()
    assert person.password.split("$")[0] + "$" not in page.content.decode()
    assert auditor.get(f"/admin/auth/user/{person.pk}/password/").status_code == 403
    assert roles.about("Auditor") in auditor.get("/admin/auth/group/").content.decode()


def test_the_menu_and_the_way_to_the_page_agree(superuser: Client, job: PeriodicTask) -> None:
    for address, heading, name in (
        ("/admin/auth/user/", "Settings", "People"),
        ("/admin/auth/group/", "Settings", "Roles"),
        ("/admin/django_celery_beat/periodictask/", "Settings", "Schedule"),
        ("/admin/invoicing/invoice/", "Documents and money", "Invoices"),
    ):
        title = superuser.get(address).content.decode().split("<h1", 1)[1].split("</h1>", 1)[0]
        assert title.index(f">{heading}<") < title.index(f">{name}<")
        assert "Authentication" not in title


def test_the_schedule_shows_its_jobs(superuser: Client, job: PeriodicTask) -> None:
    page = superuser.get("/admin/django_celery_beat/periodictask/").content.decode()
    assert "billing.tasks.run_billing" in page
    assert "10 *" in page
    assert superuser.get(f"/admin/django_celery_beat/periodictask/{job.pk}/change/").status_code == 200


def test_pages_bring_no_script_inside_them(superuser: Client, job: PeriodicTask) -> None:
    """The security policy refuses scripts inside pages: whatever would need one is broken."""
    for address in (
        "/admin/",
        f"/admin/django_celery_beat/periodictask/{job.pk}/change/",
        "/admin/django_celery_beat/periodictask/",
        "/admin/auth/user/add/",
        "/admin/invoicing/invoice/",
        "/admin/customers/customer/create/",
    ):
        page = superuser.get(address).content.decode()
        for script in page.split("<script")[1:]:
            head = script.split(">", 1)[0]
            assert "src=" in head or "application/json" in head, (address, head)


@pytest.mark.parametrize("role", ["Finance admin", "Auditor"])
def test_who_may_only_look_at_the_schedule_cannot_switch_jobs_off(job: PeriodicTask, role: str) -> None:
    content = {"action": "disable_tasks", "_selected_action": [job.pk]}
    signed_in(role).post("/admin/django_celery_beat/periodictask/", content)
    job.refresh_from_db()
    assert job.enabled is True


def test_engineers_switch_jobs(job: PeriodicTask) -> None:
    content = {"action": "disable_tasks", "_selected_action": [job.pk]}
    answer = signed_in("Engineer").post("/admin/django_celery_beat/periodictask/", content)
    job.refresh_from_db()
    assert answer.status_code == 302
    assert job.enabled is False
