"""Roles: groups of rights for the people who work here. Owns what each may do in a new installation.

A group is filled when it is made. As long as it has the rights that it was given and no others, it follows what its
role is given by later versions; once staff edited it, it is theirs. Rights are named by the app and model they belong
to, so that this needs no import of the apps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import Group, Permission
from django.db import models, transaction

from config.platform.models import AuditEntry, RoleDefault

VIEW = ("view",)
EDIT = ("view", "add", "change")
ALL = ("view", "add", "change", "delete")
APPS = ("platform", "catalog", "customers", "invoicing", "billing")


@dataclass(frozen=True)
class Role:
    """Who somebody is: ``models`` gives the usual rights by "app" or "app.model", ``verbs`` the rights by codename.

    ``about`` says to a person what the role may do, as it is made.
    """

    name: str
    about: str
    models: Mapping[str, Sequence[str]]
    verbs: Sequence[str] = field(default=())


EVERYTHING_TO_SEE = dict.fromkeys(APPS, VIEW)

ROLES = (
    Role(
        name="Finance admin",
        about=(
            "Sees all of billing; changes the catalog, customers and billing entities; begins and ends subscriptions, "
            "starts billing runs; finalizes, voids, sends and credits invoices; records payments."
        ),
        models={
            **EVERYTHING_TO_SEE,
            "catalog": ALL,
            "customers": ALL,
            "platform.installation": EDIT,
            "platform.queueowner": EDIT,
            "platform.firststep": EDIT,
            "invoicing.ledgeraccount": ALL,
            "invoicing.ledgermapping": ALL,
            "invoicing.taxengine": ALL,
            "billing.contract": EDIT,
            "billing.outlierrule": ALL,
            "billing.quoteapprovalrule": ALL,
            "platform.approvalrule": EDIT,
            "platform.approvalrequest": ("view", "change"),
            "billing.subscription": EDIT,
            "django_celery_beat": VIEW,
        },
        verbs=(
            "add_invoice",
            "terminate_coupon",
            "finalize_invoice",
            "void_invoice",
            "send_invoice",
            "record_payment",
            "add_creditnote",
            "void_creditnote",
            "refund_creditnote",
            "add_wallet",
            "change_wallet",
            "top_up_wallet",
            "void_wallet_credits",
            "terminate_wallet",
            "send_creditnote",
            "run_bookscheck",
            "add_journalexport",
            "add_manualentry",
            "add_writeoff",
            "add_writeoffreversal",
            "decide_approvalrequest",
            "add_invoicedispute",
            "change_invoicedispute",
            "add_paymentrefund",
            "add_adjustedline",
            "add_correction",
            "start_billingrun",
            "read_report",
            "share_savedfilter",
            "start_rehearsal",
            "sign_off_rehearsal",
            "park_account",
            "activate_contract",
            "approve_quote",
            "execute_order",
            "terminate_subscription",
            "change_plan",
            "add_planmigration",
            "change_planmigration",
            "approve_plan_migration",
            "pause_subscription",
            "change_units",
            "decide_lateusage",
            "set_lateusage_policy",
            "withdraw_usageevent",
            "import_customers",
            "import_plans",
            "import_prices",
            "import_opening_balances",
            "settle_openingbalance",
        ),
    ),
    Role(
        name="Accountant",
        about="Sees all of billing; edits customers; finalizes and sends invoices; records payments.",
        models={**EVERYTHING_TO_SEE, "customers.customer": EDIT, "customers.customermetadata": ALL},
        verbs=(
            "finalize_invoice",
            "send_invoice",
            "record_payment",
            "start_rehearsal",
            "park_account",
            "refund_creditnote",
            "run_bookscheck",
            "add_journalexport",
            "read_report",
            "change_approvalrequest",
        ),
    ),
    Role(
        name="Sales",
        about="Sees catalog, customers and contracts; makes and sends quotes, records what customers said to them.",
        models={"catalog": VIEW, "customers": VIEW, "billing": VIEW, "billing.quote": EDIT},
        verbs=("send_quote", "sign_quote"),
    ),
    Role(
        name="Sales manager",
        about="All that sales may do; approves quotes of others, and decides which ones need an approval.",
        models={
            "catalog": VIEW,
            "customers": VIEW,
            "billing": VIEW,
            "billing.quote": EDIT,
            "billing.quoteapprovalrule": ALL,
        },
        verbs=(
            "send_quote",
            "sign_quote",
            "sign_late_quote",
            "approve_quote",
            "read_report",
            "share_savedfilter",
        ),
    ),
    Role(
        name="Auditor",
        about="Reads everything, people, roles and the schedule included, and changes nothing.",
        models={**EVERYTHING_TO_SEE, "auth.user": VIEW, "auth.group": VIEW, "django_celery_beat": VIEW},
        verbs=("read_report",),
    ),
    Role(
        name="Engineer",
        about="Sees all of billing; edits the catalog, makes and ends API keys, sets up webhooks and the schedule.",
        models={
            **EVERYTHING_TO_SEE,
            "catalog": EDIT,
            "platform.apikey": EDIT,
            "platform.webhookendpoint": ALL,
            "django_celery_beat": EDIT,
        },
        verbs=("test_webhookendpoint", "show_webhookkeys", "replay_webhookdelivery", "change_approvalrequest"),
    ),
)


@transaction.atomic
def ensure() -> list[str]:
    """Make the groups that are missing and bring those up to date that nobody edited; return the names of both.

    May run any number of times. What a group was given is remembered beside it.
    """
    touched = []
    for role in ROLES:
        group, is_new = Group.objects.get_or_create(name=role.name)
        wanted, current = _names(rights(role)), _names(group.permissions.all())
        if is_new or (wanted != current and _follows(group, current, wanted)):
            group.permissions.set(rights(role))
            touched.append(role.name)
            current = wanted
        if current == wanted:
            RoleDefault.objects.update_or_create(name=role.name, defaults={"rights": sorted(wanted)})
    return touched


def _follows(group: Group, current: set[str], wanted: set[str]) -> bool:
    """Say whether a group is as its role was given: as is remembered, or, from the time before anything was, as far as
    the audit trail has no edit of it and it has no right that its role does not have.
    """
    remembered = RoleDefault.objects.filter(name=group.name).first()
    if remembered is not None:
        return set(remembered.rights) == current
    edits = AuditEntry.objects.filter(object_type=group._meta.label_lower, object_id=group.pk)
    return bool(current) and current <= wanted and not edits.exists()


def _names(found: models.QuerySet[Permission]) -> set[str]:
    pairs = found.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in pairs}


def about(name: str) -> str:
    """Return what the role of that name was made for; nothing of a group that people made themselves."""
    return next((role.about for role in ROLES if role.name == name), "")


def rights(role: Role) -> models.QuerySet[Permission]:
    """Return the rights of a role that exist in this installation."""
    wanted = models.Q(pk__in=[])
    for target, verbs in role.models.items():
        app, _, model = target.partition(".")
        for verb in verbs:
            right = models.Q(content_type__app_label=app, codename__startswith=f"{verb}_")
            if model:
                right &= models.Q(content_type__model=model)
            wanted |= right
    wanted |= models.Q(content_type__app_label__in=APPS, codename__in=role.verbs)
    return Permission.objects.filter(wanted).distinct()
