"""The audit trail as clients of the API read it: activities on resources. Owns the words of types and resources, whom
an activity concerns, and the filters. Writing the trail is the services'.

Which customer and subscription an object belongs to is read from its model: its foreign keys of these names. So apps
need not tell the trail, and nothing here imports them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models.expressions import RawSQL

from config.kernel import errors
from config.platform.models import AuditEntry

CUSTOMER, SUBSCRIPTION = "customers.customer", "billing.subscription"

_FIELDS = {CUSTOMER: "customer", SUBSCRIPTION: "subscription"}
_CALLED = {"invoicing.invoiceline": "Fee", "auth.group": "Role"}
"""Models that clients know by another name."""

_PAST = {
    "activate": "started",
    "cancel": "canceled",
    "create": "created",
    "delete": "deleted",
    "draft": "drafted",
    "finalize": "finalized",
    "issue": "issued",
    "rotate": "rotated",
    "revoke": "revoked",
    "terminate": "terminated",
    "update": "updated",
    "void": "voided",
}
"""What was done, in the words of clients; other verbs are told as they are."""

Kind = AuditEntry.ActorKind
SOURCES: Mapping[str, tuple[str, ...]] = {
    "api": (Kind.API_KEY,),
    "front": (Kind.USER, Kind.CUSTOMER),
    "system": (Kind.JOB, Kind.SYSTEM),
}


@dataclass(frozen=True)
class ActivityFilter:
    """Which activities are wanted; the instants are from one (included) until another (not)."""

    since: datetime | None = None
    until: datetime | None = None
    types: Sequence[str] = ()
    sources: Sequence[str] = ()
    user_emails: Sequence[str] = ()
    external_customer_id: str = ""
    external_subscription_id: str = ""
    resource_ids: Sequence[UUID] = ()
    resource_types: Sequence[str] = ()


@dataclass(frozen=True)
class Place:
    """The public id of an object and whom it concerns."""

    resource_id: str
    external_customer_id: str | None = None
    external_subscription_id: str | None = None


def search(wanted: ActivityFilter) -> models.QuerySet[AuditEntry]:
    """Return the entries, newest first, with the people who made them."""
    rows = AuditEntry.objects.select_related("user").order_by("-at", "-id")
    if wanted.since is not None:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(at__lt=wanted.until)
    if wanted.sources:
        rows = rows.filter(actor_kind__in=[kind for source in wanted.sources for kind in SOURCES[source]])
    if wanted.user_emails:
        rows = rows.filter(user__email__in=wanted.user_emails)
    if wanted.types:
        rows = rows.filter(_of_types(wanted.types))
    if wanted.resource_types:
        labels = [label for label in _models() if resource_type(label) in wanted.resource_types]
        rows = rows.filter(object_type__in=labels)
    if wanted.resource_ids:
        rows = rows.filter(_on(_by_uuid(wanted.resource_ids)))
    if wanted.external_customer_id:
        rows = rows.filter(_on(_belonging(CUSTOMER, wanted.external_customer_id)))
    if wanted.external_subscription_id:
        rows = rows.filter(_on(_belonging(SUBSCRIPTION, wanted.external_subscription_id)))
    return rows


def find(activity_id: UUID | None) -> AuditEntry:
    """Return one entry. Raises NotFound (`activity_log_not_found`)."""
    rows = AuditEntry.objects.select_related("user")
    found = rows.filter(uuid=activity_id).first() if activity_id is not None else None
    if found is None:
        raise errors.NotFound("activity_log_not_found", "There is no such activity.")
    return found


def places(entries: Iterable[AuditEntry]) -> dict[tuple[str, int], Place]:
    """Return the places of the objects of some entries, with one query for each kind of object."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        wanted[entry.object_type].add(entry.object_id)
    found: dict[tuple[str, int], Place] = {}
    for label, keys in wanted.items():
        model = _models().get(label)
        if model is None:
            continue
        names = [name for name in ("uuid", *_external(label, model)) if name]
        for row in model._base_manager.filter(pk__in=keys).values("pk", *names):
            customer, subscription = (row.get(name) for name in _external(label, model))
            found[label, row["pk"]] = Place(str(row["uuid"]), customer, subscription)
    return found


def resource_type(label: str) -> str:
    """Return what clients call a kind of object, such as ``BillableMetric``."""
    if label in _CALLED:
        return _CALLED[label]
    try:
        return apps.get_model(label).__name__
    except (LookupError, ValueError):
        return label


def activity_type(label: str, verb: str) -> str:
    """Return what was done, such as ``billable_metric.created``."""
    return f"{_snake(label)}.{_past(verb)}"


def source(actor_kind: str) -> str:
    """Return where something was done: ``api``, ``front`` (a page) or ``system``."""
    return next(name for name, kinds in SOURCES.items() if actor_kind in kinds)


def _past(verb: str) -> str:
    return _PAST.get(verb, verb.replace(" ", "_"))


def _snake(label: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", resource_type(label)).lower()


def _models() -> dict[str, type[models.Model]]:
    """Return the models whose objects have a public id, by their label in lower case."""
    return {
        model._meta.label_lower: model
        for model in apps.get_models()
        if any(field.name == "uuid" for field in model._meta.concrete_fields)
    }


def _external(label: str, model: type[models.Model]) -> tuple[str, str]:
    """Return the ways from a model to the external ids of its customer and its subscription, empty where none is."""
    customer = "external_id" if label == CUSTOMER else _way(model, CUSTOMER)
    subscription = "external_id" if label == SUBSCRIPTION else _way(model, SUBSCRIPTION)
    if not customer and subscription and label != SUBSCRIPTION:
        customer = "subscription__customer__external_id"
    return customer, subscription


def _way(model: type[models.Model], target: str) -> str:
    return f"{_FIELDS[target]}__external_id" if _has_key(model, target) else ""


def _has_key(model: type[models.Model], target: str) -> bool:
    return any(
        field.name == _FIELDS[target] and field.is_relation and field.related_model._meta.label_lower == target
        for field in model._meta.concrete_fields
    )


def _of_types(types: Sequence[str]) -> models.Q:
    wanted = models.Q(pk__in=[])
    labels = defaultdict(list)
    for label in _models():
        labels[_snake(label)].append(label)
    for one in types:
        name, _, word = one.partition(".")
        verbs = {verb for verb, past in _PAST.items() if past == word}
        if word not in _PAST:
            verbs |= {word, word.replace("_", " ")}
        wanted |= models.Q(object_type__in=labels.get(name, []), verb__in=verbs)
    return wanted


def _by_uuid(ids: Sequence[UUID]) -> tuple[str, list[object]]:
    # The only names put into statements here are those of our own models and tables.
    parts = [f"SELECT '{label}', id FROM {model._meta.db_table} WHERE uuid = ANY(%s)" for label, model in _own()]  # noqa: S608
    return " UNION ALL ".join(parts), [list(ids)] * len(parts)


def _belonging(target: str, external_id: str) -> tuple[str, list[object]]:
    """Return the statement of all objects that are, or belong to, the customers or subscriptions of an external id."""
    table = apps.get_model(target)._meta.db_table
    chosen = f"(SELECT id FROM {table} WHERE external_id = %s)"  # noqa: S608
    parts = [f"SELECT '{target}', id FROM {table} WHERE external_id = %s"]  # noqa: S608
    parts += [
        f"SELECT '{label}', id FROM {model._meta.db_table} WHERE {_FIELDS[target]}_id IN {chosen}"  # noqa: S608
        for label, model in _own()
        if _has_key(model, target)
    ]
    return " UNION ALL ".join(parts), [external_id] * len(parts)


def _own() -> list[tuple[str, type[models.Model]]]:
    """Return the models of tables whose key is called id."""
    return [(label, model) for label, model in _models().items() if model._meta.pk.column == "id"]


def _on(objects: tuple[str, list[object]]) -> models.Q:
    """Return the condition that an entry is on one of the objects of a statement. The index by object serves it."""
    statement, values = objects
    entries = (
        f"SELECT entry.id FROM platform_auditentry entry JOIN ({statement}) AS wanted(label, id)"  # noqa: S608
        " ON entry.object_type = wanted.label AND entry.object_id = wanted.id"
    )
    return models.Q(pk__in=RawSQL(entries, values))  # noqa: S611 - the values are parameters
