"""What people fill in to ask the ledger: whose books, which days, which currency, as known on which day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from config.kernel import errors, money
from config.platform.admin import verbs
from config.platform.admin.blocks import Block
from config.platform.admin.forms import VerbForm
from customers.models import BillingEntity
from invoicing.models import LedgerAccount

TEMPLATE = "admin/invoicing/report.html"


class EntityChoice(forms.ModelChoiceField):
    """A billing entity by its name."""

    def __init__(self, **kwargs: Any) -> None:
        rows = BillingEntity.objects.order_by("-is_default", "name")
        super().__init__(rows, label="Billing entity", empty_label=None, **kwargs)

    def label_from_instance(self, entity: BillingEntity) -> str:
        """Return the name."""
        return entity.name


class AccountChoice(forms.ModelChoiceField):
    """An open account by code, name and seller."""

    def __init__(self, **kwargs: Any) -> None:
        rows = LedgerAccount.objects.filter(is_active=True).select_related("billing_entity")
        super().__init__(rows.order_by("billing_entity_id", "code"), **kwargs)

    def label_from_instance(self, account: LedgerAccount) -> str:
        """Return code, name and whose it is."""
        return f"{account} ({account.billing_entity.name})"


class ReportForm(VerbForm):
    """A seller, days and a moment. Everything may be left out."""

    billing_entity = EntityChoice(required=False)
    since = forms.DateField(label="From", required=False, help_text="Accounting day. Empty: from the beginning.")
    until = forms.DateField(label="To", required=False, help_text="Empty: to the end.")
    currency = forms.CharField(required=False, max_length=3, help_text="Empty: all.")
    known = forms.DateField(
        label="As known on", required=False, help_text="What was booked after this day (UTC) is left out. Empty: now."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["once"]  # nothing is done, so nothing can be done twice

    def clean_currency(self) -> str | None:
        """A currency, or none."""
        code = str(self.cleaned_data["currency"]).strip().upper()
        if code and not money.known(code):
            raise forms.ValidationError("This is not a currency.")
        return code or None

    def clean(self) -> dict[str, Any]:
        """Days in their order, a moment that is over."""
        values = super().clean() or self.cleaned_data
        since, until, known = (values.get(name) for name in ("since", "until", "known"))
        if since and until and until < since:
            self.add_error("until", "The last day is before the first.")
        if known and known > timezone.now().astimezone(UTC).date():
            self.add_error("known", "Nobody knows yet what will be booked by then.")
        return values

    @property
    def entity(self) -> BillingEntity | None:
        """The seller asked for, else the default one; None before there is any."""
        chosen = self.cleaned_data.get("billing_entity")
        return chosen or BillingEntity.objects.order_by("-is_default", "pk").first()

    @property
    def known_on(self) -> datetime | None:
        """The last moment of the day asked for, in UTC."""
        day = self.cleaned_data.get("known")
        return None if day is None else datetime.combine(day, time.max, UTC)


def report(
    model_admin: Any,
    request: HttpRequest,
    *,
    form: ReportForm,
    title: str,
    icon: str,
    about: str,
    blocks: Callable[[ReportForm], list[Block]],
    downloads: tuple[Mapping[str, str], ...] = (),
) -> HttpResponse:
    """Show a form and what it asks for. Changes nothing."""
    request.current_app = model_admin.admin_site.name
    shown: list[Block] = []
    if form.is_valid():
        try:
            shown = blocks(form)
        except errors.DomainError as refusal:
            form.refuse(refusal)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "icon": icon,
        "about": about,
        "opts": model_admin.opts,
        "form": form,
        "media": verbs.form_media(form),
        "blocks": shown,
        "downloads": downloads,
    }
    return TemplateResponse(request, TEMPLATE, context)


def asked(request: HttpRequest, form_class: type[ReportForm] = ReportForm) -> ReportForm:
    """Return the form with what the address says."""
    values = request.GET.copy()
    if "billing_entity" not in values and (entity := BillingEntity.objects.order_by("-is_default", "pk").first()):
        values["billing_entity"] = str(entity.pk)
    return form_class(values)
