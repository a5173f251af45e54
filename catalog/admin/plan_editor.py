"""The plan editor: fee, prices and tiers of a plan in one form, with tables and curves that follow the typing; and
what it changes, shown before it is published as a version.

The prices beside the fields are computed here, by the formulas of bills; the page's script only asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
)
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from moneyed import Money

from catalog.admin import price_blocks, prices, version_differences
from catalog.admin.charges import require_existing_plan
from catalog.admin.price_blocks import PriceBlock
from catalog.admin.publishing import PublishForm, chosen
from catalog.domain import decimals
from catalog.domain.pricing import samples
from catalog.models import Plan, PlanVersion
from catalog.queries import plans as known_plans
from catalog.queries import versions
from catalog.services import plans
from catalog.services.plans import PlanValues
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.admin import acting, approval_asking, cells, verbs
from config.platform.admin.blocks import Block
from config.platform.admin.forms import told
from config.platform.services import approvals

TEMPLATE = "admin/catalog/plan_editor.html"
REVIEW = "admin/catalog/plan_review.html"
SAMPLE = "admin/catalog/price_sample.html"
RIGHT = "catalog.change_plan"
WIDTH, HEIGHT = 320, 120


@dataclass(frozen=True)
class Sampled:
    """A block beside its table and curve, as the page draws them."""

    block: PriceBlock
    rows: tuple[tuple[str, str, str], ...]
    path: str = ""
    right: str = ""
    top: str = ""
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Typed:
    """What a person typed in the whole form, and what is wrong with the fee."""

    fee: str
    blocks: tuple[PriceBlock, ...]
    fee_error: str = ""
    amount: Money | None = None

    @property
    def is_right(self) -> bool:
        """Say whether it can be published as it is."""
        wrong = any(block.terms is None for block in self.blocks if not block.is_removed)
        return not wrong and not self.fee_error


def view(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the form (GET); go on to the changes, back to the form, or publish them (POST)."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    plan, refused = _plan(model_admin, request, object_id)
    if plan is None:
        return refused
    version = known_plans.by_code(code=plan.code)
    blocks = price_blocks.of_version(version)
    if request.method != "POST":
        fee = decimals.text(money.rounded(version.amount).amount)
        return _form(model_admin, request, version, Typed(fee, tuple(blocks)))
    typed = _typed(version, blocks, request.POST)
    if request.POST.get("seen") != str(version.pk):
        return _form(model_admin, request, version, typed, "Somebody else changed the plan meanwhile. Start again.")
    step = request.POST.get("step", "")
    if step not in ("review", "publish") or not typed.is_right:
        return _form(model_admin, request, version, typed)
    try:
        return _next(model_admin, request, version, typed, timezone.now(), is_confirmed=step == "publish")
    except errors.DomainError as refusal:
        return _form(model_admin, request, version, typed, told(refusal))


def sample(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Answer with the table, the curve and the errors of one block as it is typed. Changes nothing."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    plan, refused = _plan(model_admin, request, object_id)
    if plan is None:
        return refused
    version = known_plans.by_code(code=plan.code)
    found = {block.prefix: block for block in _typed(version, price_blocks.of_version(version), request.POST).blocks}
    block = found.get(request.POST.get("block", ""))
    if block is None:
        return JsonResponse({"error": "There is no such price."}, status=404)
    return JsonResponse(
        {
            "html": render_to_string(SAMPLE, {"sampled": sampled(block)}),
            "errors": dict(block.errors),
            "tiers": [row.error for row in block.tiers] if block.is_tiered else [],
        }
    )


def sampled(block: PriceBlock) -> Sampled:
    """A block with its table and curve."""
    rows, curve = price_blocks.sampled(block)
    shown = tuple((cells.number_text(row.units), _price(row.amount, block), _price(row.average, block)) for row in rows)
    if curve is None:
        return Sampled(block, shown)
    return Sampled(
        block,
        shown,
        path=_path(curve),
        right=cells.number_text(curve.right),
        top=_price(curve.top, block),
    )


def _plan(model_admin: Any, request: HttpRequest, object_id: str) -> tuple[Plan | None, HttpResponse]:
    if not request.user.has_perm(RIGHT) or not model_admin.has_view_permission(request):
        raise PermissionDenied
    plan = model_admin.get_object(request, unquote(object_id))
    if plan is None:
        return None, model_admin.missing(request, object_id)
    try:
        require_existing_plan(plan)
    except errors.DomainError as refusal:
        messages.warning(request, told(refusal))
        return None, HttpResponseRedirect(verbs.object_url(model_admin, plan))
    return plan, HttpResponse()


def _typed(version: PlanVersion, blocks: Sequence[PriceBlock], data: QueryDict) -> Typed:
    fee = data.get("fee", "").strip()[: price_blocks.MAX_TEXT]
    read = tuple(price_blocks.read(blocks, data))
    found = decimals.read(fee)
    if found is None or found < 0:
        return Typed(fee, read, price_blocks.WRONG)
    amount = Money(found, version.currency)
    try:
        money.to_minor(amount)
    except errors.Invalid as refusal:
        return Typed(fee, read, told(refusal))
    return Typed(fee, read, amount=amount)


def _next(
    model_admin: Any, request: HttpRequest, version: PlanVersion, typed: Typed, at: datetime, *, is_confirmed: bool
) -> HttpResponse:
    """Show what changes, or publish it."""
    values = _values(version, typed)
    before, after = plans.proposed(code=version.plan.code, values=values, at=at)
    found = version_differences.between(before, after)
    if not found:
        return _form(model_admin, request, version, typed, "Nothing changes.")
    form = PublishForm(request.POST if is_confirmed else None)
    if is_confirmed and form.is_valid():
        try:
            publication = form.publication(at=at)
            plans.update(
                code=version.plan.code,
                values=values,
                publication=publication,
                seen=version.pk,
                actor=acting.actor(request),
                at=at,
            )
        except approvals.ApprovalRequired as refusal:
            if (asked := _asked_for(model_admin, request, version.plan, form, refusal, at)) is not None:
                return asked
        except errors.DomainError as refusal:
            form.refuse(refusal)
        else:
            words = "is sold from then on" if publication.waits(at=at) else "is sold now"
            messages.success(request, f"The new version {words}. Subscriptions keep theirs until they are moved.")
            return HttpResponseRedirect(verbs.object_url(model_admin, version.plan))
    waiting = versions.scheduled(version.plan)
    context = {
        "form": form,
        "blocks": (version_differences.table(found),),
        "waiting": waiting,
        "hidden": [(name, text) for name, texts in request.POST.lists() for text in texts if name not in _OWN],
    }
    return _page(model_admin, request, version, REVIEW, context, form)


class TypedForm(PublishForm):
    """When the version begins to be sold, with all that was typed in the editor beside it."""

    def clean(self) -> dict[str, Any]:
        """What was typed goes along as it is."""
        return {**(super().clean() or {}), "typed": self.data}


class PublishTyped(verbs.ObjectVerb):
    """Publish what was typed in the editor, for whoever approves it: it stands on no page."""

    name = "publish_typed"
    label = "Publish prices"
    permission = RIGHT
    form_class = TypedForm
    weighs = True

    def check(self, *, instance: Plan, at: datetime) -> None:
        """Only a plan that is still there."""
        require_existing_plan(instance)

    def weigh(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What changes. Raises PlanChanged where somebody published another version meanwhile."""
        before, after = plans.proposed(code=instance.code, values=_stored(instance, values["typed"]), at=at)
        return (version_differences.table(version_differences.between(before, after)),)

    def perform(self, *, instance: Plan, values: Mapping[str, Any], actor: Actor, at: datetime) -> verbs.Outcome:
        """Publish it."""
        plans.update(
            code=instance.code,
            values=_stored(instance, values["typed"]),
            publication=chosen(values, at=at),
            seen=int(values["typed"]["seen"]),
            actor=actor,
            at=at,
        )
        return verbs.Outcome("The new version was published.", cells.page_url(instance))


PUBLISH_TYPED = PublishTyped()
approval_asking.register(Plan._meta.label_lower, PUBLISH_TYPED)


def _stored(plan: Plan, data: QueryDict) -> PlanValues:
    """What was typed in a request that was kept; it was right then."""
    version = known_plans.by_code(code=plan.code)
    typed = _typed(version, price_blocks.of_version(version), data)
    if data.get("seen") != str(version.pk) or not typed.is_right:
        raise plans.PlanChanged("plan_changed", "Somebody else changed the plan meanwhile.")
    return _values(version, typed)


def _asked_for(
    model_admin: Any,
    request: HttpRequest,
    plan: Plan,
    form: PublishForm,
    refusal: approvals.ApprovalRequired,
    at: datetime,
) -> HttpResponse | None:
    """Ask for the second person that publishing needs; None where that is refused, which the form then says."""
    try:
        row = approval_asking.ask(
            model=Plan,
            verb=PUBLISH_TYPED,
            data=request.POST,
            values={**form.cleaned_data, "typed": request.POST},
            instance=plan,
            refusal=refusal,
            actor=acting.actor(request),
            at=at,
        )
    except errors.DomainError as other:
        form.refuse(other)
        return None
    messages.warning(request, verbs.asked_words(refusal))
    may_look = request.user.has_perm("platform.view_approvalrequest")
    return HttpResponseRedirect(cells.page_url(row) if may_look else verbs.object_url(model_admin, plan))


_OWN = {"csrfmiddlewaretoken", "step", "block", "effective_date", "once"}


def _values(version: PlanVersion, typed: Typed) -> PlanValues:
    if typed.amount is None:
        raise AssertionError("a fee that is wrong is not published")
    rest = iter(typed.blocks)
    charges: list[Mapping[str, Any]] = []
    for charge in version.charges.all():
        block = next(rest)
        parts = [(part, next(rest)) for part in charge.filters.all()]
        if block.is_removed:
            continue
        row: dict[str, Any] = {"id": charge.key, "charge_model": block.model, "properties": block.changed}
        if parts:
            row["filters"] = [
                {
                    "values": part.values,
                    "properties": own.changed,
                    "invoice_display_name": part.invoice_display_name,
                }
                for part, own in parts
            ]
        charges.append(row)
    fixed: list[Mapping[str, Any]] = []
    for one in version.fixed_charges.all():
        block = next(rest)
        if not block.is_removed:
            units = decimals.read(block.units or "") or Decimal(0)
            row = {"id": one.key, "charge_model": block.model, "properties": block.changed, "units": units}
            fixed.append(row)
    return PlanValues(amount_cents=money.to_minor(typed.amount), charges=charges, fixed_charges=fixed)  # type: ignore[typeddict-item] # rows of the shapes that the lists have


def _form(
    model_admin: Any, request: HttpRequest, version: PlanVersion, typed: Typed, problem: str = ""
) -> TemplateResponse:
    context = {
        "typed": typed,
        "problem": problem,
        "is_wrong": request.method == "POST" and not typed.is_right,
        "sampled": [sampled(block) for block in typed.blocks],
        "sample_url": model_admin.url("sample", version.plan_id),
        "waiting": versions.scheduled(version.plan),
    }
    return _page(model_admin, request, version, TEMPLATE, context)


def _page(
    model_admin: Any,
    request: HttpRequest,
    version: PlanVersion,
    template: str,
    extra: Mapping[str, Any],
    form: forms.Form | None = None,
) -> TemplateResponse:
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Edit prices",
        "subtitle": str(version.plan),
        "opts": model_admin.opts,
        "original": version.plan,
        "version": version,
        "interval": prices.INTERVALS[PlanVersion.Interval(version.interval)],
        "back": verbs.object_url(model_admin, version.plan),
        "media": verbs.form_media(form),
        **extra,
    }
    return TemplateResponse(request, template, context)


def _price(value: Decimal, block: PriceBlock) -> str:
    return prices.amount_text(value, block.measure)


def _path(curve: samples.Curve) -> str:
    """The curve as an SVG path in a box of WIDTH by HEIGHT, from the lower left."""
    points = [
        f"{decimals.text(money.round_half_up(across * WIDTH, 1))} "
        f"{decimals.text(money.round_half_up((1 - up) * HEIGHT, 1))}"
        for across, up in curve.points
    ]
    return "M" + " L".join(points)
