"""Approval rules of quotes in the admin: the list in sentences, making, changing, switching off and on, and the
usual ones to begin with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from moneyed import Money

from billing.models import QuoteApproval, QuoteApprovalRule
from billing.services import quote_approval_rules
from billing.services.quote_approval_rules import RuleValues
from catalog.domain import decimals
from config.kernel import money
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Page, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome

Subject = QuoteApprovalRule.Subject
HUNDRED = Decimal(100)
IN_MONEY = (Subject.TOTAL, Subject.FREE_CREDITS)
MANAGERS = "Sales manager"


def sentence(rule: QuoteApprovalRule) -> str:
    """A rule as a sentence: "A discount above 20% needs Sales manager"."""
    verb = "need" if rule.subject == Subject.FREE_CREDITS else "needs"
    return f"{_about(rule.subject, rule.threshold, rule.currency)} {verb} {rule.group}"


class RuleForm(VerbForm):
    """What a rule says. A discount is asked in percent."""

    sections = (("", ("name", "subject", "limit", "currency", "group")),)
    aliases = {"threshold": "limit"}

    name = forms.CharField(max_length=255)
    subject = forms.ChoiceField(label="Asks for consent when", choices=Subject.choices)
    limit = forms.DecimalField(
        label="is above",
        min_value=0,
        max_digits=19,
        decimal_places=4,
        help_text="Percent of a discount, months of a term, days of a payment term, or an amount.",
    )
    currency = forms.ChoiceField(required=False, help_text="For amounts.")
    group = forms.ModelChoiceField(
        Group.objects.order_by("name"), label="Who has to agree", help_text="One person of the group is enough."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [("", "–"), *((code, code) for code in money.currencies())]


def rule_values(values: Mapping[str, Any], *, is_active: bool) -> RuleValues:
    """The filled-in form as the service takes it."""
    limit = values["limit"]
    return RuleValues(
        name=values["name"],
        subject=values["subject"],
        threshold=limit / HUNDRED if values["subject"] == Subject.DISCOUNT else limit,
        group_id=values["group"].pk,
        currency=values["currency"] if values["subject"] in IN_MONEY else "",
        is_active=is_active,
    )


class CreateRule(ListVerb):
    """Make a rule."""

    name = "create"
    label = "New rule"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.add_quoteapprovalrule"
    explanation = "It is asked of every quote that is submitted from now on. Exactly the limit needs no consent."
    confirm = "Save"
    form_class = RuleForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        rule = quote_approval_rules.create(values=rule_values(values, is_active=True), actor=actor, at=at)
        return Outcome(f"{sentence(rule)}.")


class GroupForm(VerbForm):
    """Who is asked."""

    group = forms.ModelChoiceField(
        Group.objects.order_by("name"), label="Who has to agree", help_text="One person of the group is enough."
    )


class ProposeRules(ListVerb):
    """Make the rules that most houses begin with."""

    name = "propose"
    label = "Add the usual rules"
    icon = "rule"
    permission = "billing.add_quoteapprovalrule"
    explanation = "They are asked of every quote that is submitted from now on. Each can be changed or switched off."
    confirm = "Add them"
    form_class = GroupForm

    def initial(self, *, at: datetime) -> Mapping[str, Any]:
        """Whoever leads sales."""
        group = Group.objects.filter(name=MANAGERS).order_by("pk").first()
        return {"group": None if group is None else group.pk}

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """What they say."""
        rows = [
            Row((name, _about(subject, threshold, ""))) for name, subject, threshold in quote_approval_rules.PROPOSED
        ]
        return (Table("Rules", columns("Name", "Asks for consent to"), tuple(rows)),)

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make them."""
        made = quote_approval_rules.propose(group_id=values["group"].pk, actor=actor, at=at)
        return Outcome(f"{len(made)} rules ask {values['group']} from now on.")


class RuleVerb(ObjectVerb):
    """What verbs of a rule share."""

    permission = "billing.change_quoteapprovalrule"

    def preview(self, *, instance: QuoteApprovalRule, at: datetime) -> Sequence[Block]:
        """What it says."""
        return (facts(instance),)


class EditRule(RuleVerb):
    """Change a rule."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    explanation = "What was submitted already is not asked again."
    confirm = "Save"
    form_class = RuleForm

    def initial(self, *, instance: QuoteApprovalRule, at: datetime) -> Mapping[str, Any]:
        """The rule as it is."""
        limit = instance.threshold * HUNDRED if instance.subject == Subject.DISCOUNT else instance.threshold
        return {
            "name": instance.name,
            "subject": instance.subject,
            "limit": decimals.text(limit),
            "currency": instance.currency,
            "group": instance.group_id,
        }

    def perform(self, *, instance: QuoteApprovalRule, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        wanted = rule_values(values, is_active=instance.is_active)
        rule = quote_approval_rules.update(rule_id=instance.pk, values=wanted, actor=actor, at=at)
        return Outcome(f"{sentence(rule)}.")


class SwitchRule(RuleVerb):
    """Switch a rule off, or on again."""

    name = "switch"
    label = "Switch off or on"
    icon = "toggle_on"
    explanation = "A rule that is off asks nobody. What was asked for already stays."
    confirm = "Switch it"

    def title(self, *, instance: QuoteApprovalRule) -> str:
        """What it would do now."""
        return "Switch off" if instance.is_active else "Switch on"

    def perform(self, *, instance: QuoteApprovalRule, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Switch it."""
        wanted = RuleValues(
            name=instance.name,
            subject=instance.subject,
            threshold=instance.threshold,
            group_id=instance.group_id,
            currency=instance.currency,
            is_active=not instance.is_active,
        )
        rule = quote_approval_rules.update(rule_id=instance.pk, values=wanted, actor=actor, at=at)
        return Outcome("It is on." if rule.is_active else "It is off.")


class ActiveFilter(filters.ChoiceFilter):
    """Rules that are on, or off."""

    title = "state"
    parameter_name = "state"
    options = (
        ("on", "On", lambda rows: rows.filter(is_active=True)),
        ("off", "Off", lambda rows: rows.filter(is_active=False)),
    )


@pages.register(QuoteApprovalRule)
class QuoteApprovalRuleAdmin(pages.PageAdmin):
    """Approval rules."""

    list_display = ("rule", "named", "asked_count", "waiting_count", "state")
    list_filter = (ActiveFilter, ("subject", theme.ChoicesDropdownFilter))
    list_select_related = ("group",)
    search_fields = ("name", "group__name")
    ordering = ("subject", "threshold", "id")
    list_verbs = (ProposeRules(), CreateRule())
    verbs = (EditRule(), SwitchRule())
    empty_title = "Every quote is approved as it is submitted"
    empty_text = (
        "A rule asks for a second person where a quote goes beyond a limit. Most houses begin with the usual ones: "
        "discount, term and payment term."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuoteApprovalRule]:
        """Rules with how often they asked."""
        pending = Q(approvals__state=QuoteApproval.State.PENDING)
        rows = super().get_queryset(request)
        return rows.annotate(asked=Count("approvals"), waiting=Count("approvals", filter=pending))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; the usual rules are offered as long as there is none."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and QuoteApprovalRule.objects.exists():
            buttons = (response.context_data or {}).get("actions_list", [])
            buttons[:] = [one for one in buttons if one.get("name") != ProposeRules.name]
        return response

    @theme.display(description="Rule", ordering="threshold")
    def rule(self, rule: QuoteApprovalRule) -> str:
        """What it says."""
        return sentence(rule)

    @theme.display(description="Name", ordering="name")
    def named(self, rule: QuoteApprovalRule) -> str:
        """What it is called."""
        return rule.name

    @theme.display(description="Asked", ordering="asked")
    def asked_count(self, rule: Any) -> str:
        """How often it asked."""
        return cells.number(rule.asked)

    @theme.display(description="Waiting", ordering="waiting")
    def waiting_count(self, rule: Any) -> str:
        """How many wait for an answer."""
        return cells.number(rule.waiting)

    @theme.display(description="State", ordering="is_active")
    def state(self, rule: QuoteApprovalRule) -> str:
        """Whether it asks."""
        return state(rule)

    def page(self, request: HttpRequest, instance: QuoteApprovalRule) -> Page:
        """What it says, and its history."""
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(facts(instance), recent))


def facts(rule: QuoteApprovalRule) -> Facts:
    """A rule on its page and before it is changed."""
    return Facts(
        rule.name,
        (
            Fact("It says", f"{sentence(rule)}."),
            Fact("State", state(rule)),
            Fact("Made", cells.instant(rule.created_at)),
        ),
    )


def state(rule: QuoteApprovalRule) -> str:
    """Whether a rule asks."""
    return cells.badge("on", Tone.GOOD) if rule.is_active else cells.badge("off", Tone.NEUTRAL)


def _about(subject: str, limit: Decimal, currency: str) -> str:
    match subject:
        case Subject.DISCOUNT:
            return f"A discount above {cells.percent_text(limit)}"
        case Subject.TERM:
            return f"A term above {cells.number_text(limit)} months"
        case Subject.PAYMENT_TERM:
            return f"A payment term above {cells.number_text(limit)} days"
        case Subject.TOTAL:
            return f"More than {_money(limit, currency)} over the term"
        case _:
            return f"Credits worth more than {_money(limit, currency)} given for nothing"


def _money(amount: Decimal, currency: str) -> str:
    return cells.money_text(Money(amount, currency))
