"""How the rows of the editor of a quote look: every field with its text, its choices and what is wrong with it.

Owns no text of its own; what was typed is `quote_editor_rows`', what a field holds `quote_editor_fields`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from billing.admin import quote_editor_fields as fields
from billing.admin import quote_editor_prices as prices
from billing.admin import quote_editor_rows as rows
from billing.admin.quote_editor_fields import Kind, Spec
from billing.admin.quote_editor_prices import PriceField, PriceLists
from billing.admin.quote_editor_rows import Row, Typed
from billing.models import Contract, ContractCommitment
from catalog.models import AddOn, Coupon, PlanVersion
from config.platform.admin import cells

MOST_CHOICES = 1000
INTERVALS = {"weekly": "week", "monthly": "month", "quarterly": "quarter", "semiannual": "half-year", "yearly": "year"}
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Shown:
    """A field as the page draws it."""

    name: str
    label: str
    value: str
    kind: str
    error: str = ""
    placeholder: str = ""
    choices: Choices = ()
    is_wide: bool = False
    is_tiered: bool = False
    hint: str = ""

    @property
    def is_number(self) -> bool:
        """Say whether its text is a figure, which stands on the right."""
        return self.kind in (Kind.WHOLE, Kind.NUMBER, Kind.PERCENT, Kind.MONEY)

    @property
    def lines(self) -> int:
        """How many lines its text needs."""
        return min(max(self.value.count("\n") + 1, 2), 8)


@dataclass(frozen=True)
class ShownPrice:
    """The price of a fixed charge or of usage beside what the list says."""

    title: str
    model: str
    price: Shown | None
    units: Shown | None = None
    is_changed: bool = False


@dataclass(frozen=True)
class ShownPhase:
    """A phase with its prices."""

    prefix: str
    place: int
    fields: tuple[Shown, ...]
    hidden: tuple[tuple[str, str], ...]
    interval: str = ""
    fixed: tuple[ShownPrice, ...] = ()
    usage: tuple[ShownPrice, ...] = ()
    minimum: Shown | None = None
    changed: int = 0
    remove: str = ""
    has_error: bool = False


@dataclass(frozen=True)
class ShownRow:
    """A row of a list with its phases."""

    prefix: str
    title: str
    fields: tuple[Shown, ...]
    remove: str
    kind: str = ""
    phases: tuple[ShownPhase, ...] = ()
    phases_count: str = ""
    add_phase: str = ""
    up: str = ""


@dataclass(frozen=True)
class ShownList:
    """A list of the editor: its rows and the buttons that add one."""

    name: str
    title: str
    help: str
    count: str
    rows: tuple[ShownRow, ...]
    adds: tuple[tuple[str, str], ...]
    is_main: bool = False


@dataclass(frozen=True)
class Catalogue:
    """What the fields of a page offer to choose from."""

    plans: Choices = ()
    add_ons: Choices = ()
    coupons: Choices = ()
    products: Choices = ()
    commitments: Choices = ()
    lists: PriceLists = field(default_factory=PriceLists)

    def of(self, spec: Spec, row: Row, *, keeps_plan: bool) -> Choices:
        """The choices of a field, with what was chosen even if it is not sold any more."""
        if spec.choices:
            return spec.choices
        found: list[tuple[str, str]] = []
        match spec.name:
            case "plan_code":
                found = [("", "as it is" if keeps_plan else "Choose a plan"), *self.plans]
            case "add_on_code":
                found = [("", "Choose an add-on"), *self.add_ons]
            case "coupon_code":
                found = [("", "Choose a coupon"), *self.coupons]
            case "external_id":
                found = [("", "Choose a product"), *self.products]
            case "commitment_id":
                found = [("", "one more"), *self.commitments]
        chosen = row.values.get(spec.name, "")
        if chosen and chosen not in {value for value, _ in found}:
            found.append((chosen, f"{chosen} (not offered any more)"))
        return found


LISTS = {
    "items": ("Products", "What is sold for the term. A ramp has several steps, each with prices of its own."),
    "changes": ("Changes", "What changes in the contract, each from a day on."),
    "one_offs": ("One-offs", "Add-ons that are invoiced once, with the acceptance."),
    "coupons": ("Coupons", "Taken off the invoices to come."),
    "credits": ("Credits", "A wallet with credits that are paid for, or given."),
    "commitments": ("Commitments", "What the customer commits to spend."),
}
_ADDS = {
    "items": "Add a product",
    "one_offs": "Add a one-off",
    "coupons": "Add a coupon",
    "credits": "Add credits",
    "commitments": "Add a commitment",
}
_OF_KIND = {
    "new": ("items", "one_offs", "coupons", "credits", "commitments"),
    "renewal": ("items", "one_offs", "coupons", "credits", "commitments"),
    "amendment": ("changes", "one_offs", "coupons", "credits"),
    "one_off": ("one_offs", "coupons", "credits"),
}


def catalogue(*, contract: Contract | None, lists: PriceLists) -> Catalogue:
    """Fetch what can be chosen. Three statements, and one more for a contract."""
    sold = PlanVersion.objects.filter(
        is_current=True, plan__deleted_at__isnull=True, plan__deletion_asked_at__isnull=True
    )
    plans = sold.select_related("plan").order_by("plan__name", "plan_id")[:MOST_CHOICES]
    add_ons = AddOn.objects.filter(deleted_at__isnull=True).order_by("name", "pk")[:MOST_CHOICES]
    coupons = Coupon.objects.filter(deleted_at__isnull=True, terminated_at__isnull=True).order_by("name", "pk")
    return Catalogue(
        plans=[(one.plan.code, plan_label(one)) for one in plans],
        add_ons=[(one.code, f"{one.name} · {cells.money_text(one.amount)}") for one in add_ons],
        coupons=[(one.code, f"{one.name} ({one.code})") for one in coupons[:MOST_CHOICES]],
        products=[] if contract is None else [(item.external_id, _product(item)) for item in contract.items.all()],
        commitments=[] if contract is None else _commitments(contract),
        lists=lists,
    )


def plan_label(version: PlanVersion) -> str:
    """A plan with its fee, as it is chosen."""
    return f"{version.plan.name} · {cells.money_text(version.amount)} a {INTERVALS[version.interval]}"


def shown(typed: Typed, *, kind: str, found: Catalogue, errors: Mapping[str, str]) -> list[ShownList]:
    """Every list of the editor of such a quote; the first one is what it is about."""
    names = _OF_KIND.get(kind, _OF_KIND["new"])
    return [_list(name, typed, found, errors, is_main=name == names[0]) for name in names]


def _list(name: str, typed: Typed, found: Catalogue, errors: Mapping[str, str], *, is_main: bool) -> ShownList:
    title, text = LISTS[name]
    if name == "changes":
        adds = tuple((f"add:changes={kind}", label) for kind, label in fields.CHANGE_TITLES.items())
    else:
        adds = ((f"add:{name}", _ADDS[name]),)
    return ShownList(
        name=name,
        title=title,
        help=text,
        count=rows.count_name(rows.LETTERS[name]),
        rows=tuple(_row(name, number, row, found, errors) for number, row in enumerate(typed.lists[name])),
        adds=adds,
        is_main=is_main,
    )


def _row(name: str, number: int, row: Row, found: Catalogue, errors: Mapping[str, str]) -> ShownRow:
    prefix = rows.prefix(name, number)
    kind = row.values.get("kind", "") if name == "changes" else ""
    keeps_plan = kind == "change_terms"
    specs = fields.specs(name, row.values)
    return ShownRow(
        prefix=prefix,
        title=fields.CHANGE_TITLES.get(kind, "") if name == "changes" else f"Product {number + 1}",
        fields=tuple(_field(prefix, spec, row, found, errors) for spec in specs),
        remove=f"remove:{name}:{number}",
        up=f"up:{name}:{number}" if number else "",
        kind=kind,
        phases=tuple(
            _phase(prefix, place, phase, row, found, errors, keeps_plan=keeps_plan)
            for place, phase in enumerate(row.phases)
        ),
        phases_count=rows.count_name(prefix) if name in rows.PHASED else "",
        add_phase=f"add:phase:{prefix}" if row.phases and not keeps_plan else "",
    )


def _phase(
    of_row: str, place: int, phase: Row, row: Row, found: Catalogue, errors: Mapping[str, str], *, keeps_plan: bool
) -> ShownPhase:
    prefix = rows.phase_prefix(of_row, place)
    product = row.values.get("external_id", "") if keeps_plan else ""
    version = found.lists.of(phase, product)
    listed = () if version is None else prices.price_fields(version)
    own = tuple(
        _field(prefix, spec, phase, found, errors, version=version, keeps_plan=keeps_plan)
        for spec in fields.PHASE
        if not (spec.name == "after_months" and (place == 0 or keeps_plan))
    )
    fixed = tuple(_price(prefix, one, phase, errors) for one in listed if one.units_name)
    usage = tuple(_price(prefix, one, phase, errors) for one in listed if not one.units_name)
    changed = sum(one.is_changed for one in usage)
    minimum = None
    if version is not None:
        minimum = _field(prefix, prices.MINIMUM, phase, found, errors, version=version)
        changed += bool(minimum.value)
    inner = [one.price for one in usage if one.price] + ([minimum] if minimum else [])
    return ShownPhase(
        prefix=prefix,
        place=place,
        fields=own,
        hidden=tuple(
            (f"{prefix}-{name}", phase.values.get(name, ""))
            for name in (prices.KEPT, prices.KEPT_PLAN, prices.KEPT_VERSION)
            if phase.values.get(name)
        )
        + (((f"{prefix}-after_months", "0"),) if place == 0 else ()),
        interval="" if version is None else INTERVALS[version.interval],
        fixed=fixed,
        usage=usage,
        minimum=minimum,
        changed=changed,
        remove=f"remove:phase:{of_row}:{place}" if place else "",
        has_error=any(one.error for one in inner),
    )


def _price(prefix: str, one: PriceField, phase: Row, errors: Mapping[str, str]) -> ShownPrice:
    units = None
    if one.units_name:
        name = f"{prefix}-{one.units_name}"
        text = phase.values.get(one.units_name, "")
        units = Shown(name, "Units", text, Kind.NUMBER, errors.get(name, ""), placeholder=one.units_text)
    typed = phase.values.get(one.name, "")
    price = None
    if one.help:
        price = Shown(
            name=f"{prefix}-{one.name}",
            label=one.short,
            value=typed if typed or not one.is_tiered else one.list_text,
            kind=Kind.TEXT,
            error=errors.get(f"{prefix}-{one.name}", ""),
            placeholder=one.list_text,
            is_tiered=one.is_tiered,
            hint=one.help,
        )
    return ShownPrice(one.title, one.model, price, units, is_changed=prices.differs(typed, one))


def _field(
    prefix: str,
    spec: Spec,
    row: Row,
    found: Catalogue,
    errors: Mapping[str, str],
    *,
    version: PlanVersion | None = None,
    keeps_plan: bool = False,
) -> Shown:
    name = f"{prefix}-{spec.name}"
    empty = spec.empty
    if version is not None and spec.name == prices.FEE.name:
        empty = prices.fee_text(version)
    if version is not None and spec.name == prices.MINIMUM.name:
        empty = prices.minimum_text(version) or "none"
    is_choice = spec.kind is Kind.CHOICE
    return Shown(
        name=name,
        label=spec.label,
        value=row.values.get(spec.name, ""),
        kind=spec.kind,
        error=errors.get(name, ""),
        placeholder=empty,
        choices=found.of(spec, row, keeps_plan=keeps_plan) if is_choice else (),
        is_wide=spec.wide,
    )


def _product(item: object) -> str:
    name, external_id = str(item), getattr(item, "external_id", "")
    return name if name == external_id else f"{name} ({external_id})"


def _commitments(contract: Contract) -> list[tuple[str, str]]:
    open_ones = ContractCommitment.objects.filter(contract=contract, settled_at__isnull=True, cut_on__isnull=True)
    changing = open_ones.exclude(kind=ContractCommitment.Kind.PREPAID).order_by("pk")
    return [
        (str(one.uuid), f"{cells.money_text(one.amount)} {one.get_kind_display()}, until {cells.day_text(one.ends_on)}")
        for one in changing
    ]
