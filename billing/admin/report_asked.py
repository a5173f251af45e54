"""What a report is asked: whose figures, in which currency, over which months. Kept in the address, so that a link is a
saved report. Owns the form, its defaults, and addresses that carry the same question on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Count
from django.http import QueryDict

from billing.models import Subscription
from billing.queries import report_recurring
from catalog.models import PlanVersion
from config.kernel import dates, money
from config.platform.admin.forms import SearchWidget, VerbForm
from customers.models import BillingEntity, Customer
from invoicing.queries import revenue

MONTHS = 12
"""A report that is not asked for months shows the last twelve, the one that runs included."""

MOST_MONTHS = 60
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Asked:
    """A question: months by their first days, both included. ``at`` is now, where the last month ends if it runs."""

    at: datetime
    currency: str
    since: date
    until: date
    entity_id: int | None = None
    customer_id: int | None = None
    given: Mapping[str, str] | None = None

    @property
    def months(self) -> list[date]:
        """The months, oldest first."""
        return self.reaching_back(0)

    @property
    def last_day(self) -> date:
        """The last day of the months."""
        return dates.add_months(self.until, 1) - timedelta(days=1)

    def reaching_back(self, further: int) -> list[date]:
        """The months with so many more before them."""
        months: list[date] = []
        first = dates.add_months(self.since, -further)
        while (month := dates.add_months(first, len(months))) <= self.until:
            months.append(month)
        return months

    def documents(self) -> revenue.Asked:
        """The same question to documents and the ledger."""
        return revenue.Asked(
            since=self.since,
            until=self.last_day,
            billing_entity_id=self.entity_id,
            customer_id=self.customer_id,
            currency=self.currency,
        )

    def of(self, *, since: date | None = None, until: date | None = None, customer_id: int | None = None) -> Asked:
        """The same question about other months, or a customer."""
        return replace(
            self,
            since=since or self.since,
            until=until or since or self.until,
            customer_id=customer_id or self.customer_id,
        )

    def query(self, **further: object) -> str:
        """The question as it stands in an address, with what more is asked."""
        values = {
            "entity": self.entity_id,
            "currency": self.currency,
            "since": f"{self.since:%Y-%m}",
            "until": f"{self.until:%Y-%m}",
            "customer": self.customer_id,
            **{name: f"{value:%Y-%m}" if isinstance(value, date) else value for name, value in further.items()},
        }
        return urlencode({name: value for name, value in values.items() if value not in {None, ""}})


class MonthField(forms.CharField):
    """A month as "2026-05"; its value is the month's first day, None where nothing is given."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> date | None:
        """Return the first day. Raises ValidationError for what is no month."""
        text = str(value or "").strip()
        if not text:
            return None
        found = _MONTH.fullmatch(text)
        if found is None or not 1970 <= int(found[1]) <= 9990:
            raise forms.ValidationError("A month is written as 2026-05.")
        return date(int(found[1]), int(found[2]), 1)

    def prepare_value(self, value: Any) -> Any:
        """Return what stands in the field."""
        return f"{value:%Y-%m}" if isinstance(value, date) else value

    def validate(self, value: Any) -> None:
        """A month is a month; there is nothing more to ask of it."""

    def run_validators(self, value: Any) -> None:
        """As above: the validators of texts do not go."""


class EntityField(forms.ModelChoiceField):
    """A billing entity by its name, or all of them."""

    def label_from_instance(self, entity: BillingEntity) -> str:
        """Return the name."""
        return entity.name


class ReportForm(VerbForm):
    """Whose figures, in which currency, from which month to which. Everything may be left out."""

    entity = EntityField(
        BillingEntity.objects.order_by("-is_default", "name"),
        label="Billing entity",
        required=False,
        empty_label="All",
        error_messages={"invalid_choice": "There is no such billing entity."},
    )
    currency = forms.ChoiceField(required=False)
    since = MonthField(label="From", required=False, widget=forms.TextInput(attrs={"type": "month"}))
    until = MonthField(label="To", required=False, widget=forms.TextInput(attrs={"type": "month"}))
    customer = forms.ModelChoiceField(
        Customer.objects.all(),
        required=False,
        widget=SearchWidget(Subscription._meta.get_field("customer")),
        error_messages={"invalid_choice": "There is no such customer."},
    )

    def __init__(self, given: QueryDict, *, at: datetime) -> None:
        values = given.copy()
        self._at = at
        self._this = at.astimezone(UTC).date().replace(day=1)
        busiest = _currencies()
        known = sorted({*busiest, *PlanVersion.objects.order_by().values_list("currency", flat=True).distinct()})
        code = str(values.get("currency", "")).strip().upper()
        if not code:
            code = busiest[0] if busiest else (known[0] if known else _of_seller())
        if code not in known and money.known(code):
            known.append(code)
        values["currency"] = code
        if not values.get("until"):
            values["until"] = f"{self._this:%Y-%m}"
        if not values.get("since"):
            values["since"] = f"{self._first(str(values['until'])):%Y-%m}"  # a young company has no empty months
        super().__init__(values)
        del self.fields["once"]  # nothing is done, so nothing can be done twice
        self.fields["currency"].choices = [(one, one) for one in known]

    def clean(self) -> dict[str, Any]:
        """Months in their order, none that has not begun, and not too many."""
        values = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if until and until > self._this:
            self.add_error("until", "This month has not begun.")
        elif since and until and until < since:
            self.add_error("until", "The last month is before the first.")
        elif since and until and _apart(since, until) >= MOST_MONTHS:
            self.add_error("since", f"Ask for {MOST_MONTHS} months at most.")
        return values

    def asked(self) -> Asked:
        """The question; needs a valid form."""
        values = self.cleaned_data
        entity, customer = values["entity"], values["customer"]
        return Asked(
            at=self._at,
            currency=values["currency"],
            since=values["since"],
            until=values["until"],
            entity_id=None if entity is None else entity.pk,
            customer_id=None if customer is None else customer.pk,
            given={name: str(value) for name, value in self.data.items()},
        )

    def _first(self, until: str) -> date:
        found = _MONTH.fullmatch(until)
        known = found is not None and 1970 <= int(found[1]) <= 9990
        last = date(int(found[1]), int(found[2]), 1) if found and known else self._this
        begun = report_recurring.first_month(at=self._at)
        first = dates.add_months(last, 1 - MONTHS)
        return first if begun is None else min(max(first, begun), last)


def month_of(asked: Asked, name: str, default: date) -> date:
    """Return a month that an address names besides the question; ``default`` where it names none that can be read."""
    found = _MONTH.fullmatch((asked.given or {}).get(name, ""))
    month = date(int(found[1]), int(found[2]), 1) if found and 1970 <= int(found[1]) <= 9990 else default
    return month if month <= asked.at.astimezone(UTC).date() else default


def word_of(asked: Asked, name: str, choices: tuple[str, ...]) -> str:
    """Return a word that an address names besides the question; the first choice where it names none of them."""
    found = (asked.given or {}).get(name, "")
    return found if found in choices else choices[0]


def number_of(asked: Asked, name: str, most: int = 10**18) -> int | None:
    """Return a number that an address names besides the question; None where it names none."""
    found = (asked.given or {}).get(name, "")
    return int(found) if found.isascii() and found.isdigit() and len(found) < 19 and int(found) <= most else None


def _currencies() -> list[str]:
    """The currencies of running subscriptions, the busiest first."""
    rows = Subscription.objects.filter(status=Subscription.Status.ACTIVE).order_by().values("plan_version__currency")
    found = rows.annotate(count=Count("pk")).order_by("-count", "plan_version__currency")
    return [row["plan_version__currency"] for row in found]


def _of_seller() -> str:
    seller = BillingEntity.objects.order_by("-is_default", "pk").first()
    return "EUR" if seller is None else seller.default_currency


def _apart(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month
