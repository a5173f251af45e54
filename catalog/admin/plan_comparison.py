"""Plans side by side: fees, prices, tiers and features of two or three versions, and what units of a metric cost on
each.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from catalog.admin import feature_forms, prices
from catalog.domain.pricing import models, properties, samples
from catalog.models import Charge, PlanVersion
from catalog.queries import features
from catalog.queries import plans as known_plans
from config.kernel import errors, money, registry
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Block, Chart, Note, Row, Series, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm

TEMPLATE = "admin/catalog/plan_comparison.html"
PANELS = "catalog.plan_comparison"
"""Upper apps register panels of this name: they get the list of versions that are compared."""

MAX_VERSIONS = 500
MOST = 10**9
TONES = ("accent", "info", "warn")


class ComparisonForm(VerbForm):
    """Which versions, and which metric to draw."""

    sections = (("Versions", ("first", "second", "third")), ("Chart", ("metric", "units")))

    first = forms.ChoiceField()
    second = forms.ChoiceField()
    third = forms.ChoiceField(required=False)
    metric = forms.ChoiceField(required=False, help_text="Whose price is drawn. Empty: the first that all have.")
    units = forms.IntegerField(
        label="Up to units", required=False, min_value=1, max_value=MOST, help_text="Empty: past the last tier."
    )

    def __init__(self, *args: Any, versions: Sequence[PlanVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["once"]  # nothing is done, so nothing can be done twice
        choices = [(reference(one), label(one)) for one in versions]
        for name in ("first", "second", "third"):
            self.fields[name].choices = [("", "–"), *choices]
        rows = Charge.objects.filter(plan_version__in=versions).order_by("metric__name")
        metrics = rows.values_list("metric__code", "metric__name").distinct()
        self.fields["metric"].choices = [("", "–"), *metrics]

    def chosen(self) -> list[str]:
        """The references of the versions, each once."""
        found = [self.cleaned_data[name] for name in ("first", "second", "third")]
        return list(dict.fromkeys(one for one in found if one))


def view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the form and the versions side by side. An address says all that was asked for."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET"])
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    rows = PlanVersion.objects.filter(
        base__isnull=True, withdrawn_at__isnull=True, plan__deleted_at__isnull=True
    ).select_related("plan")
    versions = list(rows.order_by("plan__name", "plan_id", "-number")[:MAX_VERSIONS])
    is_asked = "second" in request.GET
    start = {"first": request.GET.get("first", "")}
    form = ComparisonForm(request.GET if is_asked else None, initial=start, versions=versions)
    shown: Sequence[Block] = ()
    if is_asked and form.is_valid():
        wanted = {reference(one): one.pk for one in versions}
        ids = [wanted[text] for text in form.chosen()]
        if len(ids) < 2:
            form.add_error("second", "Choose two different versions.")
        else:
            found = known_plans.with_content(PlanVersion.objects.filter(pk__in=ids)).in_bulk()
            chosen = [found[pk] for pk in ids]
            shown = of(chosen, metric=form.cleaned_data["metric"], right=form.cleaned_data["units"])
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Compare plans",
        "opts": model_admin.opts,
        "form": form,
        "is_asked": is_asked,
        "blocks": shown,
    }
    return TemplateResponse(request, TEMPLATE, context)


def of(versions: Sequence[PlanVersion], *, metric: str = "", right: int | None = None) -> tuple[Block, ...]:
    """The versions side by side, with what differs marked, and the chart of a metric."""
    panels = blocks.registered(registry.panels(PANELS, list(versions)))
    return (*_table(versions), *_chart(versions, metric, right), *panels)


def reference(version: PlanVersion) -> str:
    """How an address names a version: its plan's code alone where it is on sale."""
    return version.plan.code if version.is_current else f"{version.plan.code}@{version.number}"


def label(version: PlanVersion) -> str:
    """How a person knows a version: plans in several currencies often share a name."""
    return f"{version.plan.name} ({version.plan.code}, {version.currency}, version {version.number})"


def _table(versions: Sequence[PlanVersion]) -> tuple[Block, ...]:
    rows = [
        _row("Fee", [prices.fee(one) for one in versions]),
        _row("Billed", [prices.timing(one) for one in versions]),
        _row("Minimum", [prices.minimum(one) for one in versions]),
        _row("Taxes on the fee", [", ".join(map(str, one.taxes.all())) or "the customer's" for one in versions]),
    ]
    rows += _charges(versions)
    rows += _fixed(versions)
    if any(one.usage_thresholds.all() for one in versions):
        rows.append(_row("Usage thresholds", [_thresholds(one) for one in versions]))
    rows += _features(versions)
    note = "Marked lines differ."
    found = Table("Side by side", columns("", *(label(one) for one in versions), ""), tuple(rows), note=note)
    if len({one.currency for one in versions}) > 1:
        return (Note("The plans are in different currencies: their amounts cannot be compared.", Tone.WARN), found)
    return (found,)


def _charges(versions: Sequence[PlanVersion]) -> list[Row]:
    names: dict[str, str] = {}
    priced: list[dict[str, list[str]]] = []
    for version in versions:
        own: dict[str, list[str]] = {}
        for charge in version.charges.all():
            names.setdefault(charge.metric.code, charge.metric.name)
            own.setdefault(charge.metric.code, []).append(_priced(charge, version.currency))
            for part in charge.filters.all():
                name = prices.filter_name(part.invoice_display_name, part.values)
                key = f"{charge.metric.code}\x00{name}"
                names.setdefault(key, f"{charge.metric.name}: {name}")
                measure = charge.pricing_unit or version.currency
                own.setdefault(key, []).append(prices.detailed(charge.charge_model, part.properties, measure))
        priced.append(own)
    return [_row(name, [" and ".join(own.get(key, ())) or "–" for own in priced]) for key, name in names.items()]


def _fixed(versions: Sequence[PlanVersion]) -> list[Row]:
    names: dict[str, str] = {}
    priced: list[dict[str, str]] = []
    for version in versions:
        own = {}
        for charge in version.fixed_charges.all():
            names.setdefault(charge.add_on.code, charge.add_on.name)
            own[charge.add_on.code] = prices.of_fixed_charge(charge, version.currency)
        priced.append(own)
    return [_row(name, [own.get(key, "–") for own in priced]) for key, name in names.items()]


def _thresholds(version: PlanVersion) -> str:
    rows = sorted(version.usage_thresholds.all(), key=lambda row: (row.recurring, row.amount_cents))
    amounts = [(cells.money_text(money.from_minor(row.amount_cents, version.currency)), row.recurring) for row in rows]
    return ", ".join(f"each further {text}" if recurring else text for text, recurring in amounts) or "–"


def _features(versions: Sequence[PlanVersion]) -> list[Row]:
    given = features.of_plans([version.plan_id for version in versions])
    names: dict[str, str] = {}
    told: list[dict[str, str]] = []
    for version in versions:
        own = {}
        for one in given[version.plan_id]:
            names.setdefault(one.code, f"Feature: {one.name or one.code}")
            own[one.code] = ", ".join(
                f"{part.definition.name or part.definition.code}: {feature_forms.chosen(part.value)}"
                for part in one.privileges
            )
        told.append(own)
    return [_row(name, [own[key] or "yes" if key in own else "–" for own in told]) for key, name in names.items()]


def _priced(charge: Charge, currency: str) -> str:
    found = prices.detailed(charge.charge_model, charge.properties, charge.pricing_unit or currency)
    return f"{charge.get_charge_model_display()}: {found}"


def _row(name: str, texts: Sequence[str]) -> Row:
    differs = len(set(texts)) > 1
    return Row((name, *texts, cells.badge("differs", Tone.WARN) if differs else ""))


def _chart(versions: Sequence[PlanVersion], metric: str, right: int | None) -> tuple[Block, ...]:
    metric = metric or _common(versions)
    terms = {version.pk: _terms(version, metric) for version in versions}
    known = [found for found in terms.values() if found is not None]
    if not known or len({version.currency for version in versions}) > 1:
        return ()
    places = samples.grid(samples.reach(known) if right is None else Decimal(right))
    series = []
    for version, tone in zip(versions, TONES, strict=False):
        found = terms[version.pk]
        if found is not None:
            values = tuple(samples.at(properties=found, units=units).amount for units in places)
            series.append(Series(label(version), values, tone))
    missing = [label(version) for version in versions if terms[version.pk] is None]
    return (
        Chart(
            f"What units of {metric} cost in a period, without the fee",
            tuple(cells.number_text(units) for units in places),
            tuple(series),
            kind="line",
            currency=versions[0].currency,
            empty="All of it costs nothing.",
            note=f"No price that can be drawn: {'; '.join(missing)}." if missing else "",
        ),
    )


def _common(versions: Sequence[PlanVersion]) -> str:
    """The first metric that all versions price, else the first of any."""
    codes = [[charge.metric.code for charge in version.charges.all()] for version in versions]
    every = [code for code in codes[0] if all(code in other for other in codes)]
    return next(iter([*every, *(code for own in codes for code in own)]), "")


def _terms(version: PlanVersion, metric: str) -> models.Properties | None:
    """The price of a metric in the plan's currency; none where there is none, or where events carry it."""
    for charge in version.charges.all():
        if charge.metric.code != metric or charge.pricing_unit is not None:
            continue
        if charge.charge_model == Charge.Model.DYNAMIC:
            return None
        try:
            return properties.parse(model=charge.charge_model, raw=charge.properties)
        except errors.Invalid:
            return None
    return None
