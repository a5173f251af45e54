"""Two people in the editor of one draft: what the other one saved meanwhile, beside what was typed here.

Nothing is lost: what was typed stays in the form, and saving once more puts it in the place of the other one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing.admin import quote_differences
from billing.admin.quote_editor_forms import HeadForm
from billing.domain import quote_terms
from billing.domain.quote_values import QuoteTerms
from billing.models import Quote, QuoteVersion
from billing.services import quote_versions
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Row, Table, columns
from config.platform.models import AuditEntry


def shown(*, form: HeadForm, version_id: int, terms: QuoteTerms, currency: str) -> tuple[Block, ...]:
    """Tell who changed the draft, and what differs; let the form know the draft as it is now. Writes nothing."""
    now = QuoteVersion.objects.select_related("quote").get(pk=version_id)
    values = form.cleaned_data
    typed = QuoteVersion(
        quote=now.quote,
        number=now.number,
        terms=quote_terms.written(terms),
        currency=currency or now.currency,
        valid_until=values["valid_until"],
        introduction=values["introduction"],
    )
    form.data["seen"] = quote_versions.seen_of(now)
    form.add_error(
        None,
        f"{_who(now)} saved this draft since you opened it. What you typed is still here: below is how it differs. "
        "Save again to put yours in its place.",
    )
    rows = [*_names(now.quote, values)]
    rows += [
        Row((one.name, one.before or cells.EMPTY, one.after or cells.EMPTY))
        for one in quote_differences.between(now, typed)
    ]
    return (Table("Saved meanwhile, and yours", columns("Term", "Saved", "Yours"), tuple(rows)),)


def _names(quote: Quote, values: Mapping[str, Any]) -> tuple[Row, ...]:
    name = str(values["name"])
    return () if name == quote.name else (Row(("Name of the quote", quote.name, name)),)


def _who(version: QuoteVersion) -> str:
    """Who changed the quote or its draft last."""
    rows = AuditEntry.objects.filter(object_type=version._meta.label_lower, object_id=version.pk)
    rows |= AuditEntry.objects.filter(object_type=version.quote._meta.label_lower, object_id=version.quote_id)
    last = rows.order_by("-pk").first()
    return "Somebody else" if last is None else last.actor_label or "Somebody else"
