"""The chart of accounts in the admin: accounts with their statements, and which postings go to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from invoicing.admin import shown
from invoicing.admin.ledger_forms import EntityChoice
from invoicing.domain import accounts as rules
from invoicing.domain.accounts import Rule
from invoicing.domain.ledger import Dimensions
from invoicing.models import LedgerAccount, LedgerMapping
from invoicing.queries import account_statements
from invoicing.services import accounts
from invoicing.services.accounts import AccountValues

_LINES = 50
ROLES = [("", "manual entries alone"), *LedgerAccount.Role.choices]


class AccountForm(VerbForm):
    """What an account is."""

    code = forms.CharField(max_length=32, help_text="As your general ledger knows it.")
    name = forms.CharField(max_length=255)
    type = forms.ChoiceField(choices=LedgerAccount.Type.choices)
    role = forms.ChoiceField(
        label="Takes", choices=ROLES, required=False, help_text="Postings of this kind may be mapped to it."
    )


class NewAccountForm(AccountForm):
    """An account of a seller."""

    billing_entity = EntityChoice()
    field_order = ["once", "billing_entity"]


class OpenAccount(ListVerb):
    """Open an account."""

    name = "create"
    label = "New account"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.add_ledgeraccount"
    explanation = "An account gets postings once they are mapped to it."
    confirm = "Save"
    form_class = NewAccountForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Open it."""
        account = accounts.create(
            billing_entity_id=values["billing_entity"].pk, values=_values(values, is_active=True), actor=actor, at=at
        )
        return Outcome(f"The account {account} was opened.", cells.page_url(account))


class OpenChartForm(VerbForm):
    """Whose."""

    billing_entity = EntityChoice()


class OpenChart(ListVerb):
    """Open the usual chart of a seller."""

    name = "chart"
    label = "Open the usual chart"
    icon = "playlist_add"
    permission = "invoicing.add_ledgeraccount"
    explanation = "Opens and maps the accounts that a billing entity lacks. The first booking does it too."
    form_class = OpenChartForm

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """The accounts of the chart."""
        types = dict(LedgerAccount.Type.choices)
        rows = tuple(
            Row((one.code, one.name, LedgerAccount.Role(one.role).label, types[one.type])) for one in rules.CHART
        )
        return (Table("The usual chart", columns("Code", "Name", "Takes", "Type"), rows),)

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Open it."""
        found = accounts.open_chart(billing_entity_id=values["billing_entity"].pk, actor=actor, at=at)
        return Outcome(f"{values['billing_entity'].name} has {len(found)} accounts.")


class EditForm(AccountForm):
    """What an account is, and whether it is open."""

    is_active = forms.BooleanField(label="Open", required=False, help_text="Nothing can be posted to a closed one.")


class EditAccount(ObjectVerb):
    """Change an account."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "invoicing.change_ledgeraccount"
    explanation = "Code and name are shown everywhere from now on; exports that were made keep the old ones."
    confirm = "Save"
    form_class = EditForm

    def initial(self, *, instance: LedgerAccount, at: datetime) -> Mapping[str, Any]:
        """The account as it is."""
        return {name: getattr(instance, name) for name in ("code", "name", "type", "role", "is_active")}

    def perform(self, *, instance: LedgerAccount, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        new = _values(values, is_active=values["is_active"])
        accounts.update(account_id=instance.pk, values=new, actor=actor, at=at)
        return Outcome("The account was saved.")


class DeleteAccount(ObjectVerb):
    """Delete an account that was never used."""

    name = "delete"
    label = "Delete"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "invoicing.delete_ledgeraccount"
    explanation = "Only an account that nothing was posted or mapped to can be deleted."
    confirm = "Delete the account"

    def check(self, *, instance: LedgerAccount, at: datetime) -> None:
        """One in use stays."""
        accounts.demand_unused(instance)

    def perform(self, *, instance: LedgerAccount, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Delete it."""
        accounts.delete(account_id=instance.pk, actor=actor, at=at)
        return Outcome(f"The account {instance} was deleted.", self_url())


class MappingForm(VerbForm):
    """Which of the account's kind of postings go to it; empty fields mean any."""

    item_code = forms.CharField(max_length=255, required=False, help_text="A metric, an add-on or a plan on the line.")
    tax_code = forms.CharField(max_length=255, required=False)
    plan_code = forms.CharField(max_length=255, required=False)
    line_kind = forms.CharField(max_length=32, required=False, help_text="subscription, charge, fixed_charge, …")
    payment_kind = forms.CharField(max_length=16, required=False, help_text="manual, …")
    currency = forms.CharField(max_length=3, required=False)


class MapPostings(ObjectVerb):
    """Let postings go to an account."""

    name = "map"
    label = "Map postings"
    icon = "alt_route"
    permission = "invoicing.add_ledgermapping"
    explanation = "From now on postings of the account's kind go to it: all, or those that you narrow it to. "
    explanation += "Of several mappings the most specific one wins: item, tax, plan, payment, kind of line, currency."
    form_class = MappingForm
    weighs = True
    weigh_label = "Show where they go"

    def check(self, *, instance: LedgerAccount, at: datetime) -> None:
        """An open account that takes postings."""
        if not instance.role or not instance.is_active:
            raise accounts.InvalidAccount("wrong_role", f"{instance} takes no postings of documents.")

    def preview(self, *, instance: LedgerAccount, at: datetime) -> Sequence[Block]:
        """The mappings of the same kind."""
        return (mappings_table(instance),)

    def weigh(
        self, *, instance: LedgerAccount, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """Where such postings go today, and where from now on."""
        wanted = _mapping(instance, values)
        narrowed = accounts.narrowing(wanted)
        currency = narrowed.pop("currency")
        now = accounts.where(
            billing_entity_id=instance.billing_entity_id,
            role=instance.role,
            dimensions=Dimensions(**narrowed),
            currency=currency,
        )
        facts = Facts(
            "Where such postings go",
            (Fact("Today", cells.to(now)), Fact("From now on", cells.to(instance))),
        )
        return (facts, Note("What is booked already stays where it is.", Tone.INFO))

    def perform(self, *, instance: LedgerAccount, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Map them."""
        accounts.map_postings(
            billing_entity_id=instance.billing_entity_id, values=_mapping(instance, values), actor=actor, at=at
        )
        return Outcome(f"Such postings go to {instance} from now on.")


class UnmapForm(VerbForm):
    """Which mapping."""

    mapping = forms.ModelChoiceField(LedgerMapping.objects.none(), empty_label=None)


class Unmap(ObjectVerb):
    """Take a mapping away."""

    name = "unmap"
    label = "Take a mapping away"
    icon = "link_off"
    permission = "invoicing.delete_ledgermapping"
    explanation = "Its postings go where the next specific mapping says, from now on."
    form_class = UnmapForm

    def check(self, *, instance: LedgerAccount, at: datetime) -> None:
        """There has to be one."""
        if not narrowed_mappings(instance):
            raise accounts.AccountInUse("mapping_of_role", "No mapping of this account can be taken away.")

    def form(self, *, data: Any, instance: LedgerAccount, at: datetime) -> VerbForm:
        """The account's own."""
        form = UnmapForm(data)
        ids = [row.pk for row in narrowed_mappings(instance)]
        form.fields["mapping"].queryset = LedgerMapping.objects.filter(pk__in=ids)
        return form

    def perform(self, *, instance: LedgerAccount, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Take it away."""
        accounts.unmap(mapping_id=values["mapping"].pk, actor=actor, at=at)
        return Outcome("The mapping was taken away.")


@pages.register(LedgerAccount)
class LedgerAccountAdmin(pages.PageAdmin):
    """Accounts."""

    list_display = ("account", "takes", "type_shown", "entity_named", "state")
    list_filter = (("billing_entity", theme.RelatedDropdownFilter), "type", "is_active")
    list_select_related = ("billing_entity",)
    search_fields = ("code", "name")
    ordering = ("billing_entity", "code")
    list_verbs = (OpenAccount(), OpenChart())
    verbs = (EditAccount(), MapPostings(), Unmap(), DeleteAccount())
    empty_text = "The usual chart is opened with the first booking, or by hand."

    @theme.display(description="Account", ordering="code")
    def account(self, account: LedgerAccount) -> str:
        """Name and code."""
        return cells.stack(account.name, account.code)

    @theme.display(description="Takes", ordering="role")
    def takes(self, account: LedgerAccount) -> str:
        """Which postings."""
        return account.role_name or cells.muted("manual entries alone")

    @theme.display(description="Type", ordering="type")
    def type_shown(self, account: LedgerAccount) -> str:
        """Asset, liability and so on."""
        return account.get_type_display()

    @theme.display(description="Billing entity")
    def entity_named(self, account: LedgerAccount) -> str:
        """Whose."""
        return account.billing_entity.name

    @theme.display(description="State")
    def state(self, account: LedgerAccount) -> str:
        """Open or closed."""
        return cells.badge("open", Tone.GOOD) if account.is_active else cells.badge("closed")

    def page(self, request: HttpRequest, instance: LedgerAccount) -> Page:
        """The account, what goes to it, and what moved on it last."""
        facts = Facts(
            "Account",
            (
                Fact("Code", cells.code(instance.code)),
                Fact("Name", instance.name),
                Fact("Type", instance.get_type_display()),
                Fact("Takes", instance.role_name or "manual entries alone"),
                Fact("Billing entity", cells.to(instance.billing_entity)),
                Fact("State", self.state(instance)),
            ),
        )
        recent = history.recent(instance, self.url("history", instance.pk))
        statements = tuple(
            _statement(instance, currency, request.GET.get(f"after_{currency}", ""))
            for currency in account_statements.currencies(account=instance)
        )
        tables: tuple[Block, ...] = statements or (Note("Nothing was posted to it yet.", Tone.INFO),)
        return Page(top=(facts,), tabs=(Tab("Statement", tables), Tab("Mappings", (mappings_table(instance), recent))))


def self_url() -> str:
    """The list of accounts."""
    return reverse("admin:invoicing_ledgeraccount_changelist")


def narrowed_mappings(account: LedgerAccount) -> list[LedgerMapping]:
    """The mappings to an account that are not of a whole role."""
    return [row for row in account.mappings.all() if any(getattr(row, name) for name in rules.DIMENSIONS)]


def mappings_table(account: LedgerAccount) -> Table:
    """All mappings of the kind of postings that an account takes, the most specific first."""
    found = LedgerMapping.objects.filter(billing_entity_id=account.billing_entity_id, role=account.role)
    ordered = sorted(
        found.select_related("account") if account.role else (),
        key=lambda row: tuple(not getattr(row, name) for name in rules.DIMENSIONS),
    )
    rows = tuple(
        Row(
            (
                *(_dimension(getattr(row, name)) for name in rules.DIMENSIONS),
                cells.to(row.account),
            )
        )
        for row in ordered
    )
    labels = ("Item", "Tax", "Plan", "Payment", "Kind of line", "Currency", "Account")
    return Table("Which postings go where", columns(*labels), rows, empty="Nothing is mapped.")


def _dimension(value: str) -> str:
    return cells.code(value) if value else cells.muted("any")


def _statement(account: LedgerAccount, currency: str, after: str) -> Table:
    try:
        cursor = account_statements.cursor(after) if after else None
    except errors.Invalid:
        cursor = None  # an address that somebody changed shows the first page
    page = account_statements.page(account=account, currency=currency, after=cursor, size=_LINES)
    rows = [Row(("", "Brought forward", "", "", "", cells.money(page.opening)))]
    rows += [
        Row(
            (
                cells.day(line.posting.entry.accounting_date),
                cells.to(line.posting.entry, line.posting.entry.description),
                line.posting.entry.customer.display_name if line.posting.entry.customer else "",
                shown.debit(line.posting),
                shown.credit(line.posting),
                cells.money(line.balance),
            )
        )
        for line in page.lines
    ]
    rows.append(Row(("", "Balance", "", "", "", cells.money(page.closing)), is_total=True))
    more = cells.link("Next page", f"?after_{currency}={page.next_cursor}") if page.next_cursor else ""
    labels = columns("Day", "Booking", "Customer", "Debit#", "Credit#", "Balance#")
    return Table(f"Statement, {currency}", labels, tuple(rows), action=more)


def _values(values: Mapping[str, Any], *, is_active: bool) -> AccountValues:
    return AccountValues(
        code=values["code"], name=values["name"], type=values["type"], role=values["role"], is_active=is_active
    )


def _mapping(account: LedgerAccount, values: Mapping[str, Any]) -> Rule:
    narrowed = {name: values[name] for name in rules.DIMENSIONS}
    narrowed["currency"] = narrowed["currency"].upper()
    return Rule(account_id=account.pk, role=account.role, **narrowed)
