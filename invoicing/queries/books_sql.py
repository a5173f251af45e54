"""Checks of the books that are one SQL statement. Owns running them: all that breaks is counted, the first are kept.

A statement sees one moment of the database, and every transaction leaves the books whole, so work that goes on
meanwhile is no finding.
"""

# ruff: noqa: S608 - statements are put together from texts of this package, what comes from outside is a parameter

from __future__ import annotations

from config.kernel import checks, money, statements
from config.kernel.checks import Check, Finding, Scope, Verdict

_ODD = [code for code in money.currencies() if money.exponent(code) != 2]

NOISE = "0.000000001"
"""What unrounded figures may be off by, because their columns keep fifteen decimals."""


def since(*columns: str) -> str:
    """Return the condition that a row was written or changed in the time that the run looks at; columns of instants."""
    looked = " OR ".join(f"{column} >= %(since)s::timestamptz" for column in columns)
    return f"(%(since)s::timestamptz IS NULL OR {looked})"


def text(amount: str, currency: str) -> str:
    """Return an amount in words, as SQL."""
    return f"trim_scale({amount})::text || ' ' || {currency}"


def exponent(currency: str) -> str:
    """Return the number of decimals of a currency, as SQL."""
    cases = " ".join(f"WHEN '{code}' THEN {money.exponent(code)}" for code in _ODD)
    return f"(CASE {currency} {cases} ELSE 2 END)"


def is_rounded(amount: str, precise: str, currency: str) -> str:
    """Return the condition that an amount is an unrounded figure rounded to its currency, as SQL.

    A figure that lies in the middle but for `NOISE` may be rounded either way.
    """
    digits = exponent(currency)
    return (
        f"({amount} = round({amount}, {digits})"
        f" AND abs({amount} - {precise}) <= 0.5 * power(10::numeric, -{digits}) + {NOISE})"
    )


def check(*, name: str, title: str, proves: str, broken: str, looked_at: str) -> Check:
    """Make a check of one statement.

    ``broken`` selects ``subject`` (a model's label), ``id``, ``label`` and ``message`` of the rows that break it;
    ``looked_at`` selects how many rows were looked at. Both may use `since`.
    """
    sql = f"""
        WITH broken AS MATERIALIZED ({broken})
        SELECT ({looked_at}), (SELECT count(*) FROM broken), top.subject, top.id, top.label, top.message
        FROM (SELECT 1) AS one
        LEFT JOIN LATERAL (
            SELECT subject, id, label, message FROM broken ORDER BY subject, id, message LIMIT %(kept)s
        ) AS top ON TRUE
    """

    def run(scope: Scope) -> Verdict:
        rows = statements.fetch_prepared(sql, {"since": scope.since, "kept": checks.KEPT})
        found = tuple(
            Finding(subject_type=subject, subject_id=int(pk), label=label or f"{subject} {pk}", message=message)
            for _, _, subject, pk, label, message in rows
            if pk is not None
        )
        return Verdict(looked_at=int(rows[0][0] or 0), count=int(rows[0][1]), findings=found)

    return Check(name=name, title=title, proves=proves, run=run)
