"""The page that plays plans and contracts: a form, what comes out of it, and the same as a file. Changes nothing."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from billing.admin import simulation_blocks
from billing.domain import simulation, simulation_usage
from billing.domain.simulation_comparison import Outcome
from billing.models import BilledPeriod, Subscription
from billing.queries.simulation_contracts import Subject
from billing.services import simulation_exports, simulation_offers, simulation_reports, simulations
from billing.services.simulation_reports import Report
from billing.services.simulations import Wanted
from catalog.models import Plan, PlanVersion
from config.kernel import errors
from config.platform.admin import cells, verbs
from config.platform.admin.blocks import Block
from config.platform.admin.forms import SearchWidget, VerbForm

TEMPLATE = "admin/billing/simulation.html"
RIGHTS = ("billing.view_subscription", "billing.view_usageevent", "catalog.view_plan")
MAX_VERSIONS = 500


class PlanChoice(forms.ModelChoiceField):
    """A plan by its name, code and currency: plans in several currencies often share a name."""

    def label_from_instance(self, plan: Plan) -> str:
        """Return what the choice says. Needs the ``currency`` of the current version at hand."""
        return f"{plan.name} ({plan.code}, {plan.currency})"


class SimulationForm(VerbForm):
    """What to play, compared with what, for how long, on which usage."""

    sections = (
        ("What to play", ("plan", "subscription")),
        ("How", ("compare", "months", "usage")),
    )
    aliases = {
        "subject": "subscription",
        "synthetic_usage": "usage",
        "external_id": "subscription",
        "from": "months",
        "to": "months",
    }

    plan = PlanChoice(Plan.objects.none(), required=False, empty_label="–", help_text="All of its subscriptions.")
    subscription = forms.ModelChoiceField(
        Subscription.objects.all(),
        required=False,
        widget=SearchWidget(BilledPeriod._meta.get_field("subscription")),
        help_text="Or one of them. Search by id, name or customer.",
        error_messages={"invalid_choice": "There is no such subscription."},
    )
    compare = forms.ChoiceField(label="Compare with", required=False, help_text="A plan of the same currency.")
    months = forms.IntegerField(
        min_value=1,
        max_value=simulation.MAX_MONTHS,
        initial=simulation.DEFAULT_MONTHS,
        help_text="The last calendar months that are over; the coming ones with supposed usage.",
    )
    usage = forms.CharField(
        label="Supposed usage",
        required=False,
        max_length=2000,
        help_text="Empty: the events that are stored. Or units a month: requests=10000,growth=5%;seats=12. "
        "With a plan it is played for one customer who does not exist.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["once"]  # nothing is done, so nothing can be done twice
        plans = Plan.objects.filter(deleted_at__isnull=True, versions__is_current=True)
        self.fields["plan"].queryset = plans.annotate(currency=F("versions__currency")).order_by("name", "pk")
        self.fields["compare"].choices = [("", "–"), *_versions()]

    def wanted(self, *, at: datetime) -> Wanted:
        """What was asked for. Raises DomainError for what does not make sense."""
        values = self.cleaned_data
        supposed = simulation_usage.parse(values["usage"]) if values["usage"] else ()
        frame = simulation.frame(today=at.date(), months=values["months"], first=None, end=None, ahead=bool(supposed))
        other = simulation_offers.named(reference=values["compare"]) if values["compare"] else None
        plan, subscription = values["plan"], values["subscription"]
        subject = Subject(
            plan="" if plan is None else plan.code,
            subscription="" if subscription is None else subscription.external_id,
        )
        if plan is not None and supposed:
            alone = simulation_offers.stored(code=plan.code)
            return Wanted(frame=frame, alone=alone, other=other, supposed=supposed)
        return Wanted(frame=frame, subject=subject, other=other, supposed=supposed)


def may(request: HttpRequest) -> bool:
    """Say whether the person may see what a simulation shows."""
    return request.user.has_perms(RIGHTS)


def view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the form and what comes of it, or answer with the file. An address says all that was asked for."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET"])
    if not may(request):
        raise PermissionDenied
    at = timezone.now()
    form = SimulationForm(request.GET if "months" in request.GET else None)
    if request.GET.get("format") == "csv":
        file = _file()
        other = form.cleaned_data["compare"] if form.is_valid() else ""
        rows = csv.writer(file)

        def write(outcome: Outcome) -> None:
            rows.writerows(simulation_exports.rows(outcome, other_plan=other))

        rows.writerow(simulation_exports.COLUMNS)
        if _report(form, at, write) is not None:
            return file
        return _page(model_admin, request, form, ())
    report = _report(form, at)
    blocks = () if report is None else simulation_blocks.of(report, action=_download(request))
    return _page(model_admin, request, form, blocks)


def _report(form: SimulationForm, at: datetime, write: Callable[[Outcome], None] | None = None) -> Report | None:
    if not form.is_valid():
        return None
    try:
        wanted = form.wanted(at=at)
        simulations.demand_quick(wanted=wanted)
        return simulation_reports.make(wanted=wanted, today=at.date(), on_outcome=write)
    except errors.DomainError as refusal:
        form.refuse(refusal)
        return None


def _page(model_admin: Any, request: HttpRequest, form: SimulationForm, blocks: Sequence[Block]) -> HttpResponse:
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Simulation",
        "form": form,
        "is_asked": form.is_bound,
        "blocks": blocks,
        "media": verbs.form_media(form),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _download(request: HttpRequest) -> SafeString:
    query = request.GET.copy()
    query["format"] = "csv"
    return cells.link(cells.nowrap("Download CSV"), f"?{query.urlencode()}")


def _file() -> HttpResponse:
    return HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="simulation.csv"'},
    )


def _versions() -> list[tuple[str, str]]:
    rows = PlanVersion.objects.filter(
        plan__deleted_at__isnull=True, base__isnull=True, withdrawn_at__isnull=True
    ).select_related("plan")
    found = rows.order_by("plan__name", "plan_id", "-number")[:MAX_VERSIONS]
    return [
        (one.plan.code if one.is_current else f"{one.plan.code}@{one.number}", simulation_offers.label(one))
        for one in found
    ]
