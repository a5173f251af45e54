"""The files of a journal export: CSV after RFC 4180 and a generic JSON. Owns their columns; what is in them is told by
`journal_exports`.

Columns are only ever added at the end. Amounts are plain decimals with the digits of their currency, debits and credits
beside each other; instants are UTC. A text that a spreadsheet would take for a formula gets an apostrophe before it.
A file is written in pieces, so that a large one is never in memory at once.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any

from moneyed import Money

from config.kernel import money
from invoicing.models import LedgerEntry, LedgerPosting

COLUMNS = (
    "journal",
    "entry_id",
    "entry_uuid",
    "accounting_date",
    "booked_at",
    "fact",
    "description",
    "source_type",
    "source_id",
    "customer_external_id",
    "account_code",
    "account_name",
    "account_type",
    "currency",
    "debit",
    "credit",
    "invoice_number",
    "late",
)
FORMAT = "quittance.journal.v1"
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class Digested:
    """The pieces of a file as they are made, compressed, with the digest of the whole."""

    parts: list[bytes] = field(default_factory=list)
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, text: str) -> None:
        """Add a piece."""
        content = text.encode()
        self._digest.update(content)
        self.parts.append(zlib.compress(content))

    @property
    def sha256(self) -> str:
        """Return the digest of all pieces together."""
        return str(self._digest.hexdigest())


def csv_head() -> str:
    """Return the line of column names."""
    return _lines([COLUMNS])


def csv_piece(*, number: int, entries: Sequence[LedgerEntry], since: date | None) -> str:
    """Return a line for each posting of entries; those of days before ``since`` are late."""
    return _lines(
        [
            (
                number,
                entry.pk,
                entry.uuid,
                entry.accounting_date.isoformat(),
                _instant(entry),
                entry.fact,
                entry.description,
                entry.source_type,
                entry.source_id,
                entry.customer.external_id if entry.customer else "",
                posting.account.code,
                posting.account.name,
                posting.account.type,
                posting.currency,
                debit(posting),
                credit(posting),
                (posting.invoice.number or "") if posting.invoice else "",
                "yes" if is_late(entry, since) else "no",
            )
            for entry in entries
            for posting in entry.postings.all()
        ]
    )


def json_head(*, about: Mapping[str, Any]) -> str:
    """Return the beginning of the file: what it is, and the list of entries opened."""
    return f'{{"format": {json.dumps(FORMAT)}, "journal": {json.dumps(about)}, "entries": ['


def json_piece(*, entries: Sequence[LedgerEntry], since: date | None, is_first: bool) -> str:
    """Return entries with their postings, each on a line of its own."""
    texts = [json.dumps(_json(entry, since), ensure_ascii=False) for entry in entries]
    return ("\n" if is_first else ",\n") + ",\n".join(texts) if texts else ""


def json_foot(*, controls: Mapping[str, Any]) -> str:
    """Return the end of the file: the control totals."""
    return f'\n], "controls": {json.dumps(controls)}}}\n'


def debit(posting: LedgerPosting) -> str:
    """Return the amount of a debit as text; nothing of a credit."""
    return amount_text(posting.amount) if posting.amount.amount > 0 else ""


def credit(posting: LedgerPosting) -> str:
    """Return the amount of a credit as text, without its sign; nothing of a debit."""
    return amount_text(-posting.amount) if posting.amount.amount < 0 else ""


def amount_text(amount: Money) -> str:
    """Return plain digits, with the decimals of the currency."""
    return format(money.rounded(amount).amount, "f")


def is_late(entry: LedgerEntry, since: date | None) -> bool:
    """Say whether an entry belongs to days that were exported before."""
    return since is not None and entry.accounting_date < since


def _json(entry: LedgerEntry, since: date | None) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "uuid": str(entry.uuid),
        "accounting_date": entry.accounting_date.isoformat(),
        "booked_at": _instant(entry),
        "fact": entry.fact,
        "description": entry.description,
        "source_type": entry.source_type,
        "source_id": entry.source_id,
        "customer_external_id": entry.customer.external_id if entry.customer else None,
        "late": is_late(entry, since),
        "postings": [
            {
                "account_code": posting.account.code,
                "account_name": posting.account.name,
                "account_type": posting.account.type,
                "currency": posting.currency,
                "debit": debit(posting) or None,
                "credit": credit(posting) or None,
                "invoice_number": posting.invoice.number if posting.invoice else None,
            }
            for posting in entry.postings.all()
        ],
    }


def _instant(entry: LedgerEntry) -> str:
    return entry.booked_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _lines(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[_safe(value) for value in row] for row in rows])
    return text.getvalue()


def _safe(value: object) -> object:
    """Return a text so that no spreadsheet takes it for a formula; figures of the ledger have no sign."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
