"""Reading the audit trail. Owns finding entries, of an object and by words; writing them is the service's."""

from __future__ import annotations

import re

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db import models
from django.db.models import F, Func

from config.platform.models import AuditEntry

_WORD = re.compile(r"[^\W_]+")
_MOST_WORDS = 12
COMMON = 10_000
"""Words that more entries have are common."""


def of(instance: models.Model) -> models.QuerySet[AuditEntry]:
    """The entries on one object, newest first. Served by an index."""
    return AuditEntry.objects.filter(object_type=instance._meta.label_lower, object_id=instance.pk).order_by(
        "-at", "-id"
    )


def with_words(rows: models.QuerySet[AuditEntry], text: str) -> models.QuerySet[AuditEntry]:
    """Narrow entries to those that have all these words, or words that begin so, in any order. Served by an index.

    Looked for in what was done, by whom, to what, why, and in the old and new values. No words narrow nothing. Words
    that very many entries have are looked for from the newest on instead: sorting all that have them would take long.
    One query more.
    """
    words = _WORD.findall(text)[:_MOST_WORDS]
    if not words:
        return rows
    wanted = SearchQuery(" & ".join(f"{word.lower()}:*" for word in words), config="simple", search_type="raw")
    found = Func(
        F("object_label"), F("actor_label"), F("verb"), F("reason"), F("old"), F("new"),
        function="platform_audit_words", output_field=SearchVectorField(),
    )  # fmt: skip
    having = AuditEntry.objects.alias(words=found).filter(words=wanted).order_by()
    keys = list(having.values_list("pk", flat=True)[: COMMON + 1])
    if len(keys) <= COMMON:
        return rows.filter(pk__in=keys)
    unknown_to_the_index = Func(found, template="(%(expressions)s || ''::tsvector)", output_field=SearchVectorField())
    return rows.alias(words=unknown_to_the_index).filter(words=wanted)
