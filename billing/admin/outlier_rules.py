"""When a rehearsed invoice is conspicuous, in the admin: rules that are data, each told as a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from moneyed import Money

from billing.models import OutlierRule
from billing.services import outlier_rules
from billing.services.outlier_rules import RuleValues
from catalog.domain import decimals
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Row, Tab, Table, columns
from config.platform.admin.bulk import BulkVerb
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm, told
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome, changelist_url

Kind = OutlierRule.Kind
HUNDRED = Decimal(100)
KINDS = (
    (Kind.TIMES_MORE.value, "is more than so many times last period"),
    (Kind.TIMES_LESS.value, "is less than a part of last period"),
    (Kind.OFF_CONTRACT.value, "is off the agreed recurring value"),
    (Kind.NEGATIVE.value, "is negative"),
    (Kind.ZERO_USAGE.value, "has no usage where there always was some"),
    (Kind.NEW_TAX.value, "is taxed in another way"),
    (Kind.NO_PURCHASE_ORDER.value, "has no purchase order number where there was one"),
    (Kind.ABOVE_AMOUNT.value, "is above an amount"),
)
_NEEDS = {
    Kind.TIMES_MORE: ("times", "How many times?"),
    Kind.TIMES_LESS: ("percent", "Which part?"),
    Kind.OFF_CONTRACT: ("percent", "By which part?"),
    Kind.ABOVE_AMOUNT: ("amount", "Above which amount?"),
}


class RuleForm(VerbForm):
    """What a rule says. ``rule_values`` is what the service takes."""

    sections = (
        ("What it looks for", ("kind", "times", "percent", "amount", "currency")),
        ("Rule", ("name", "is_active")),
    )
    aliases = {"factor": "times"}

    kind = forms.ChoiceField(label="Flag an invoice that", choices=KINDS)
    times = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=4, help_text="For so many times last period: 3, say."
    )
    percent = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text="For a part of last period, or of the agreed value: 25, say.",
    )
    amount = forms.DecimalField(
        required=False, min_value=0, max_digits=15, decimal_places=4, help_text="For above an amount: before tax."
    )
    currency = forms.ChoiceField(required=False, choices=lambda: [("", "–"), *((c, c) for c in money.currencies())])
    name = forms.CharField(
        required=False, max_length=255, help_text="As lists and flags name it. Empty: as the sentence says."
    )
    is_active = forms.BooleanField(label="It is in use", required=False, initial=True)

    def clean(self) -> dict[str, Any]:
        """Each kind needs its own value; an amount has no more digits than its currency."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("kind")
        field, question = _NEEDS.get(kind, ("", ""))
        if field and not cleaned.get(field) and field not in self.errors:
            self.add_error(field, question)
        if kind == Kind.ABOVE_AMOUNT and not cleaned.get("currency"):
            self.add_error("currency", "In which currency?")
        if not self.errors:
            cleaned["rule_values"] = self._values(cleaned)
        return cleaned

    def _values(self, cleaned: Mapping[str, Any]) -> RuleValues | None:
        kind = cleaned["kind"]
        amount = None
        if kind == Kind.ABOVE_AMOUNT:
            amount = Money(cleaned["amount"], cleaned["currency"])
            try:
                money.to_minor(amount)
            except errors.Invalid as refusal:
                self.add_error("amount", told(refusal))
                return None
        factor = cleaned["times"] if kind == Kind.TIMES_MORE else None
        if _NEEDS.get(kind, ("", ""))[0] == "percent":
            factor = cleaned["percent"] / HUNDRED
        name = cleaned["name"] or sentence(kind=kind, factor=factor, amount=amount)
        return RuleValues(name=name, kind=kind, factor=factor, amount=amount, is_active=cleaned["is_active"])


def sentence(*, kind: str, factor: Decimal | None, amount: Money | None) -> str:
    """What a rule looks for, in words."""
    if kind == Kind.TIMES_MORE and factor is not None:
        return f"More than {cells.number_text(factor)} times last period"
    if kind == Kind.TIMES_LESS and factor is not None:
        return f"Less than {cells.percent_text(factor)} of last period"
    if kind == Kind.OFF_CONTRACT and factor is not None:
        return f"More than {cells.percent_text(factor)} off the agreed recurring value"
    if kind == Kind.ABOVE_AMOUNT and amount is not None:
        return f"Above {cells.money_text(amount)} before tax"
    return {
        Kind.NEGATIVE.value: "Negative",
        Kind.ZERO_USAGE.value: "No usage where the last three periods all had some",
        Kind.NEW_TAX.value: "Another tax treatment than last period",
        Kind.NO_PURCHASE_ORDER.value: "No purchase order number where there was one before",
    }.get(kind, kind)


class AddRule(ListVerb):
    """Another rule."""

    name = "add"
    label = "Add a rule"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.add_outlierrule"
    explanation = "It goes for rehearsals that are computed from now on. Whoever signs one off has to see its flags."
    form_class = RuleForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        row = outlier_rules.create(values=values["rule_values"], actor=actor, at=at)
        return Outcome(f"The rule “{row}” was added.")


class RestoreDefaults(ListVerb):
    """What a new installation begins with."""

    name = "defaults"
    label = "Add the usual rules"
    icon = "auto_awesome"
    permission = "billing.add_outlierrule"
    explanation = "Rules of a kind that is there already are left as they are."
    confirm = "Add them"

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """Which they are, and which are there."""
        known = set(OutlierRule.objects.values_list("kind", flat=True))
        there, missing = cells.badge("there already"), cells.badge("will be added", Tone.INFO)
        rows = tuple(Row((one.name, there if one.kind in known else missing)) for one in outlier_rules.DEFAULTS)
        return (Table("The usual rules", columns("Flag an invoice that is", ""), rows),)

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make those that are missing."""
        made = outlier_rules.restore_defaults(actor=actor, at=at)
        return Outcome(f"Rules added: {len(made)}.")


class ChangeRule(ObjectVerb):
    """What it says, or that it is in use."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.change_outlierrule"
    explanation = "Rehearsals that were computed keep their flags."
    confirm = "Save"
    form_class = RuleForm

    def initial(self, *, instance: OutlierRule, at: datetime) -> Mapping[str, Any]:
        """What it says now."""
        is_part = _NEEDS.get(Kind(instance.kind), ("", ""))[0] == "percent"
        factor = instance.factor
        return {
            "kind": instance.kind,
            "times": None if is_part or factor is None else Decimal(decimals.text(factor)),
            "percent": Decimal(decimals.text(factor * HUNDRED)) if is_part and factor is not None else None,
            "amount": None if instance.amount is None else instance.amount.amount,
            "currency": instance.currency,
            "name": instance.name,
            "is_active": instance.is_active,
        }

    def perform(self, *, instance: OutlierRule, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Save it."""
        outlier_rules.update(rule_id=instance.pk, values=values["rule_values"], actor=actor, at=at)
        return Outcome("The rule was changed.")


class DeleteRule(ObjectVerb):
    """No such rule any more."""

    name = "remove"
    label = "Delete"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "billing.delete_outlierrule"
    explanation = "Rehearsals that were computed keep their flags. To pause a rule, edit it and take it out of use."
    confirm = "Delete it"

    def perform(self, *, instance: OutlierRule, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Delete it."""
        outlier_rules.delete(rule_id=instance.pk, actor=actor, at=at)
        return Outcome(f"The rule “{instance}” was deleted.", changelist_url(OutlierRule))


@pages.register(OutlierRule)
class OutlierRuleAdmin(pages.PageAdmin):
    """Outlier rules."""

    list_display = ("named", "says", "state", "changed")
    list_filter = (("kind", theme.ChoicesDropdownFilter), "is_active")
    search_fields = ("name",)
    ordering = ("-is_active", "kind", "id")
    list_verbs = (AddRule(), RestoreDefaults())
    verbs = (ChangeRule(), DeleteRule())
    bulk_verbs = (BulkVerb(DeleteRule(), "Delete"),)
    empty_title = "No rule flags anything"
    empty_text = (
        "Rules point at the invoices of a rehearsal that a person should look at before the run. The usual ones: three "
        "times last period, negative, no usage where there always was some, another tax treatment, a missing purchase "
        "order number."
    )

    @theme.display(description="Rule", ordering="name")
    def named(self, row: OutlierRule) -> str:
        """Its name."""
        return row.name

    @theme.display(description="Flags an invoice that is")
    def says(self, row: OutlierRule) -> str:
        """What it looks for."""
        return sentence(kind=row.kind, factor=row.factor, amount=row.amount)

    @theme.display(description="State", ordering="is_active")
    def state(self, row: OutlierRule) -> str:
        """Whether it is in use."""
        return cells.badge("in use", Tone.GOOD) if row.is_active else cells.badge("off")

    @theme.display(description="Changed", ordering="updated_at")
    def changed(self, row: OutlierRule) -> str:
        """When it was changed last."""
        return cells.instant(row.updated_at)

    def page(self, request: HttpRequest, instance: OutlierRule) -> Page:
        """What it says."""
        about = Facts(
            "Rule",
            (
                Fact("Flags an invoice that is", self.says(instance)),
                Fact("State", self.state(instance)),
                Fact("Changed", cells.instant(instance.updated_at)),
            ),
        )
        note = Note("It goes for rehearsals that are computed from now on; the others keep their flags.")
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(about, note), tabs=(Tab("History", (recent,)),))
