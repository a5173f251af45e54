"""The search of long lists of what customers have: by beginnings and ends of texts, and by customers looked up first.

Owns how such a list is searched; which texts of it have indexes says the list. The theme shows a search box where
``search_fields`` names something, so lists say that too.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from config.platform.queries import matching
from customers.queries import finding


class IndexedSearch:
    """Beside `PageAdmin`, before it: finds by what indexes serve, so that a million rows are searched at once.

    ``search_starts`` and ``search_ends`` name texts found by their beginnings and ends, ``search_equals`` those found
    only whole, ``search_customer`` the key of the customer.
    """

    search_starts: tuple[str, ...] = ()
    search_ends: tuple[str, ...] = ()
    search_equals: tuple[str, ...] = ()
    search_customer = "customer_id"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Narrow to what the term means; no term narrows nothing. One query more, for the customers."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(**{f"{self.search_customer}__in": finding.keys(term)})
        for column in self.search_equals:
            found |= Q(**{column: term})
        return matching.any_of(queryset, term, starts=self.search_starts, ends=self.search_ends, or_else=found), False
