"""Setting an installation up: its one row, its default seller, the first key, the roles."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from config.kernel import errors
from config.platform.models import ApiKey, Installation, RoleDefault
from config.platform.queries import api_keys
from config.platform.queries import installation as installations
from config.platform.services import audit, installation, roles
from customers.models import BillingEntity
from tests.factories.platform import ACTOR, AT

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    """Run a command and return what it printed."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_there_is_one_installation() -> None:
    with pytest.raises(errors.NotFound):
        installations.current()
    assert installation.ensure(at=AT) == installation.ensure(at=AT) == installations.current()
    assert Installation.objects.count() == 1


def test_an_installation_can_be_named() -> None:
    installation.rename(name="Acme", actor=ACTOR, at=AT)
    assert installations.current().name == "Acme"
    for name in ("", " ", "x" * 256):
        with pytest.raises(errors.Invalid):
            installation.rename(name=name, actor=ACTOR, at=AT)
    assert installations.current().name == "Acme"


def test_the_key_is_on_the_last_line_and_the_installation_is_set_up() -> None:
    secret = run("create_api_key", "laptop").splitlines()[-1]
    found = api_keys.usable(secret=secret, at=AT)
    assert found is not None
    assert found.name == "laptop"
    assert BillingEntity.objects.get().is_default
    assert run("create_api_key", "other").splitlines()[-1] != secret
    assert (ApiKey.objects.count(), BillingEntity.objects.count(), Installation.objects.count()) == (2, 1, 1)


def test_a_key_needs_a_name() -> None:
    with pytest.raises(CommandError, match="needs a name"):
        run("create_api_key", " ")
    assert ApiKey.objects.count() == 0


def codenames(name: str) -> set[str]:
    """Return the rights of a group."""
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_migrating_made_the_roles() -> None:
    names = set(Group.objects.values_list("name", flat=True))
    assert {"Finance admin", "Accountant", "Auditor", "Engineer"} <= names


def test_an_auditor_only_reads() -> None:
    rights = codenames("Auditor")
    assert "invoicing.view_invoice" in rights
    assert all(right.split(".")[1].startswith(("view_", "read_")) for right in rights)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("Finance admin", "invoicing.void_invoice catalog.delete_plan billing.start_billingrun", "platform.add_apikey"),
        (
            "Accountant",
            "invoicing.record_payment customers.change_customer",
            "invoicing.void_invoice catalog.change_plan",
        ),
        ("Engineer", "platform.add_apikey catalog.change_plan", "invoicing.record_payment billing.start_billingrun"),
    ],
)
def test_what_a_role_may(role: str, may: str, may_not: str) -> None:
    rights = codenames(role)
    assert set(may.split()) <= rights
    assert not set(may_not.split()) & rights


def test_nobody_may_change_what_is_written_for_good() -> None:
    for role in roles.ROLES:
        rights = codenames(role.name)
        for model in ("platform.{}_auditentry", "invoicing.{}_ledgerentry"):
            assert not {model.format(verb) for verb in ("add", "change", "delete")} & rights
        # Adding an invoice is the verb that issues a one-off invoice.
        assert not {"invoicing.change_invoice", "invoicing.delete_invoice"} & rights


def test_every_verb_of_a_role_exists() -> None:
    known = set(Permission.objects.values_list("codename", flat=True))
    assert {verb for role in roles.ROLES for verb in role.verbs} <= known


def test_a_role_that_staff_changed_is_left_alone() -> None:
    group = Group.objects.get(name="Accountant")
    group.permissions.clear()
    Group.objects.get(name="Engineer").delete()
    assert roles.ensure() == ["Engineer"]
    assert group.permissions.count() == 0
    assert codenames("Engineer")


def test_a_key_of_the_command_line_has_rights_an_end_and_a_limit() -> None:
    secret = run("create_api_key", "sender", "--rights", "usage", "--expires", "2999-12-31", "--limit", "60")
    found = api_keys.usable(secret=secret.splitlines()[-1], at=AT)
    assert found is not None
    assert (found.rights, found.rate_limit) == ({"event": ["write"]}, 60)
    assert found.expires_at is not None
    assert found.expires_at.isoformat() == "3000-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    "options",
    [
        ("--rights", "nothing"),
        ("--rights", "plan:delete"),
        ("--expires", "soon"),
        ("--expires", "2001-01-01"),
        ("--limit", "0"),
    ],
)
def test_a_command_line_that_means_nothing_makes_no_key(options: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        run("create_api_key", "sender", *options)
    assert ApiKey.objects.count() == 0


def test_a_role_that_nobody_edited_follows_its_default() -> None:
    """A later version gives a role another right: as it was given, and as it was before that was remembered."""
    given = codenames("Accountant")
    group, right = Group.objects.get(name="Accountant"), Permission.objects.get(codename="view_invoice")
    for remembered in (True, False):
        group.permissions.remove(right)
        rows = RoleDefault.objects.filter(name="Accountant")
        rows.update(rights=sorted(given - {"invoicing.view_invoice"}))
        if not remembered:
            rows.delete()
        assert roles.ensure() == ["Accountant"]
        assert codenames("Accountant") == given
        assert roles.ensure() == []


def test_a_role_with_an_edit_in_the_audit_trail_is_left_alone() -> None:
    group, right = Group.objects.get(name="Accountant"), Permission.objects.get(codename="view_invoice")
    group.permissions.remove(right)
    RoleDefault.objects.filter(name="Accountant").delete()
    audit.record(actor=ACTOR, at=AT, verb="update", instance=group)
    assert roles.ensure() == []
    assert "invoicing.view_invoice" not in codenames("Accountant")
