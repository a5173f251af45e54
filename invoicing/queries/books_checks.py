"""Runs of the books check, newest first, with what they found. Never writes."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Prefetch

from config.kernel import errors
from invoicing.models import BooksCheck, BooksCheckResult, BooksFinding


class BooksCheckNotFound(errors.NotFound):
    """No run has this id."""


def search(*, status: str | None = None) -> models.QuerySet[BooksCheck]:
    """Return the runs, newest first, with the results of each and their findings at hand."""
    results = BooksCheckResult.objects.order_by("position").prefetch_related(
        Prefetch("findings", BooksFinding.objects.order_by("pk"))
    )
    rows = BooksCheck.objects.order_by("-pk").prefetch_related(Prefetch("results", results))
    return rows if status is None else rows.filter(status=status)


def find(public_id: uuid.UUID | None) -> BooksCheck:
    """Return a run by its public id. Raises BooksCheckNotFound."""
    found = search().filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise BooksCheckNotFound("books_check_not_found", "There is no such books check.")
    return found


def with_results(pk: int) -> BooksCheck:
    """Return a run with its results and findings at hand."""
    return search().get(pk=pk)


def latest() -> BooksCheck | None:
    """Return the newest run that is done, without its results."""
    return BooksCheck.objects.exclude(status=BooksCheck.Status.RUNNING).order_by("-pk").first()
