"""Approval rules in the admin: what needs a second person, above which amount, and of which group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest

from config.kernel import money
from config.kernel.actors import Actor
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from config.platform.models import ApprovalRule
from config.platform.queries import approvals
from config.platform.services import approval_actions, approval_rules
from config.platform.services.approval_rules import RuleValues

DECIDE = "platform.decide_approvalrequest"
_MOST = 50


class RuleForm(VerbForm):
    """What needs whom, and above which amount."""

    action = forms.ChoiceField(help_text="What a person may not do alone any more.")
    group = forms.ModelChoiceField(
        Group.objects.order_by("name"), empty_label=None, label="Approved by", help_text="Somebody else of this role."
    )
    above_amount = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=20,
        decimal_places=4,
        label="Above",
        help_text="More than this needs the second person. Empty: always.",
    )
    currency = forms.CharField(
        required=False,
        max_length=3,
        help_text="Of the limit. An amount in a currency without a limit always needs the second person.",
    )
    counts = forms.ChoiceField(
        required=False,
        label="Against the limit counts",
        choices=[("", "the usual of the action"), *ApprovalRule.Counts.choices],
        help_text="What the same invoice, payment or opening balance, or the same customer, had of the action before "
        "counts too, so that an amount in parts does not pass. Usual is all of the same document; bookings by hand, "
        "credits of wallets, declaring paid and refunds of fees only count each by itself.",
    )
    days = forms.IntegerField(
        required=False, min_value=1, max_value=3660, label="Of the last days", help_text="Empty: of all time."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(action.code, _named(action)) for action in approval_actions.every().values()]
        self.fields["action"].choices = self.fields["action"].widget.choices = choices

    def rule(self) -> RuleValues:
        """What was filled in."""
        return rule_of(self.cleaned_data)


class EditForm(RuleForm):
    """The same, and whether it counts."""

    is_active = forms.BooleanField(label="In force", required=False)


class CreateRule(ListVerb):
    """Make a rule."""

    name = "create"
    label = "New rule"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "platform.add_approvalrule"
    action = approval_actions.CHANGE_RULES
    explanation = "It counts at once, for people and for API clients: those are refused, as they cannot ask."
    confirm = "Make the rule"
    form_class = RuleForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        row = approval_rules.create(values=rule_of(values), actor=actor, at=at)
        return Outcome("The rule counts now.", cells.page_url(row))


class EditRule(ObjectVerb):
    """Change a rule, or switch it off."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "platform.change_approvalrule"
    action = approval_actions.CHANGE_RULES
    explanation = (
        "What waits already keeps the group that it was asked of. Where it needs another one by now, whoever approves "
        "it has to be of both."
    )
    confirm = "Save"
    form_class = EditForm

    def initial(self, *, instance: ApprovalRule, at: datetime) -> Mapping[str, Any]:
        """The rule as it is."""
        limit = instance.limit
        return {
            "action": instance.action,
            "group": instance.group_id,
            "above_amount": None if limit is None else money.quantize(limit.amount, currency=instance.currency),
            "currency": instance.currency,
            "counts": instance.counts,
            "days": instance.days,
            "is_active": instance.is_active,
        }

    def perform(self, *, instance: ApprovalRule, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Save it."""
        approval_rules.change(
            rule_id=instance.pk, values=rule_of(values), is_active=values["is_active"], actor=actor, at=at
        )
        return Outcome("The rule was saved.")


@pages.register(ApprovalRule)
class ApprovalRuleAdmin(pages.PageAdmin):
    """What needs a second person."""

    list_display = ("what", "above", "of", "state")
    list_filter = (("is_active", theme.BooleanRadioFilter), ("group", theme.RelatedDropdownFilter))
    list_select_related = ("group",)
    search_fields = ("action", "group__name")
    ordering = ("action", "currency", "above_amount", "id")
    list_verbs = (CreateRule(),)
    verbs = (EditRule(),)
    rows_name = "rules"
    empty_title = "Nobody needs a second person yet"
    empty_text = "Make a rule: such as that voiding more than 1,000.00 EUR is approved by somebody else."

    @theme.display(description="What", ordering="action")
    def what(self, rule: ApprovalRule) -> str:
        """The action."""
        return label(rule.action)

    @theme.display(description="Above")
    def above(self, rule: ApprovalRule) -> str:
        """The limit."""
        return cells.stack(cells.money(rule.limit), counted(rule)) if rule.limit is not None else "always"

    @theme.display(description="Approved by", ordering="group__name")
    def of(self, rule: ApprovalRule) -> str:
        """The group."""
        return rule.group.name

    @theme.display(description="State", ordering="is_active")
    def state(self, rule: ApprovalRule) -> str:
        """Whether it counts."""
        return badge(rule)

    def page(self, request: HttpRequest, instance: ApprovalRule) -> Page:
        """The rule, and who can approve by it."""
        action = approval_actions.every().get(instance.action)
        facts = Facts(
            "Rule",
            (
                Fact("What", label(instance.action)),
                Fact("Above", cells.money_text(instance.limit) if instance.limit is not None else "always"),
                Fact("Counts", counted(instance)),
                Fact("Measured by", action.measured if action is not None and action.measured else "nothing"),
                Fact("Approved by", instance.group.name),
                Fact("State", badge(instance)),
            ),
        )
        found = list(_people(instance)[:_MOST]) if action is not None else []
        blocks: list[Block] = [_table(found)]
        if len(found) < 2:
            blocks.insert(0, _warning(found))
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(facts,), tabs=(Tab("Rule", (*blocks, recent)),))


def rule_of(values: Mapping[str, Any]) -> RuleValues:
    """What a form says of a rule."""
    currency = values["currency"].strip().upper()
    return RuleValues(
        action=values["action"],
        group_id=values["group"].pk,
        currency=currency,
        above_amount=values["above_amount"],
        counts=values["counts"],
        days=values["days"],
    )


def label(code: str) -> str:
    """What an action is called; its code where this version does not know it."""
    action = approval_actions.every().get(code)
    return code if action is None else action.label


def counted(rule: ApprovalRule) -> str:
    """What is held against the limit."""
    if rule.limit is None:
        return cells.EMPTY
    action = approval_actions.every().get(rule.action)
    if action is not None and not action.adds_up:
        return ApprovalRule.Counts.EACH.label
    days = "" if rule.days is None else f", of {rule.days} days"
    return f"{rule.get_counts_display()}{days}"


def badge(rule: ApprovalRule) -> str:
    """Whether a rule counts."""
    return cells.badge("in force", Tone.GOOD) if rule.is_active else cells.badge("off", Tone.NEUTRAL)


def _people(rule: ApprovalRule) -> QuerySet[User]:
    """Who could approve: people of the group who may decide, and may do the action itself."""
    permissions = (DECIDE, approval_actions.one(rule.action).permission)
    return approvals.people(group_ids=[rule.group_id], permissions=permissions)


def _table(people: Sequence[User]) -> Table:
    rows = tuple(Row((cells.stack(one.get_full_name() or one.username, one.email), one.username)) for one in people)
    return Table("Who can approve", columns("Person", "User name"), rows, empty="Nobody.")


def _warning(people: Sequence[User]) -> Note:
    if people:
        words = (
            "Only one person can approve by this rule, and nobody approves their own: what that person asks for waits."
        )
    else:
        words = (
            "Nobody can approve by this rule: whoever does needs this role, the right to decide approvals, and the "
            "right of the action itself. What is asked for waits until somebody has them."
        )
    return Note(words, Tone.WARN)


def _named(action: approval_actions.Action) -> str:
    return f"{action.label}, by {action.measured}" if action.measured else action.label
