"""Reading customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import models
from django.db.models import Q

from config.kernel import errors
from customers.models import Customer

_NAMED = 5_000
"""Customers that a condition may name."""

_SOUGHT = ("name", "firstname", "lastname", "legal_name", "external_id", "email")


def listed() -> models.QuerySet[Customer]:
    """Return the customers that exist, newest first, with what is shown of them in a fixed number of queries."""
    rows = Customer.objects.filter(deleted_at__isnull=True).select_related("billing_entity")
    return rows.prefetch_related("metadata", "taxes").order_by("-created_at", "-id")


def by_external_id(*, external_id: str) -> Customer:
    """Return a customer. Raises NotFound (`customer_not_found`)."""
    customer = listed().filter(external_id=external_id).first()
    if customer is None:
        raise unknown(external_id)
    return customer


def unknown(external_id: str) -> errors.NotFound:
    """Return what is raised where there is no customer of an external id."""
    return errors.NotFound("customer_not_found", f"There is no customer {external_id}.")


def having(rows: models.QuerySet[Customer], *, field: str, present: bool | None) -> models.QuerySet[Customer]:
    """Keep the customers with, or without, a text in that field; all of them for None."""
    if present is None:
        return rows
    return rows.exclude(**{field: ""}) if present else rows.filter(**{field: ""})


def search(rows: models.QuerySet[Customer], *, term: str | None) -> models.QuerySet[Customer]:
    """Keep the customers with the term in a name, the external id or the e-mail; all of them without a term."""
    if not term:
        return rows
    wanted = Q()
    for field in _SOUGHT:
        wanted |= Q(**{f"{field}__icontains": term})
    return rows.filter(wanted)


def named(*, term: str, fields: Sequence[str]) -> list[int] | None:
    """Return the keys of the customers that have the term in one of the fields, deleted ones too; None for very many.

    Lists of what customers have are narrowed by them: the term is then looked for in each customer once.
    """
    wanted = Q()
    for field in fields:
        wanted |= Q(**{f"{field}__icontains": term})
    found = list(Customer.objects.filter(wanted).order_by().values_list("pk", flat=True)[: _NAMED + 1])
    return found if len(found) <= _NAMED else None


def with_metadata(rows: models.QuerySet[Customer], *, pairs: Mapping[str, str]) -> models.QuerySet[Customer]:
    """Keep the customers that have every pair; an empty value stands for customers without that key."""
    for key, value in pairs.items():
        rows = rows.filter(metadata__key=key, metadata__value=value) if value else rows.exclude(metadata__key=key)
    return rows


def matching(rows: models.QuerySet[Customer], *, wanted: Mapping[str, Sequence[str]]) -> models.QuerySet[Customer]:
    """Keep the customers whose fields have one of the wanted values; a field without wanted values is left out."""
    return rows.filter(**{f"{field}__in": list(values) for field, values in wanted.items() if values})
