"""From what somebody typed into the editor to the terms of a quote as JSON, and back. What is wrong is told at the
field that it is about: by this module for a text that cannot be read, by its path for what a service refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from billing.admin import quote_editor_fields as fields
from billing.admin import quote_editor_prices as prices
from billing.admin import quote_editor_rows as rows
from billing.admin.quote_editor_fields import Kind, Spec, Wrong
from billing.admin.quote_editor_prices import PriceLists
from billing.admin.quote_editor_rows import Row, Typed
from catalog.models import PlanVersion
from config.kernel import errors
from config.platform.admin.forms import told, words

NEEDED = "This is needed."


@dataclass
class Asked:
    """What was typed, as terms. ``names`` are the fields by the paths of the terms, ``wrong`` words by fields."""

    terms: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    def refuse(self, refusal: errors.DomainError) -> None:
        """Put what a service refused at its fields: by the longest path that a field is known for; the rest above."""
        is_told = bool(refusal.message) and refusal.code != "validation_errors"
        shown = False
        for path, codes in refusal.details.items():
            name = self._field(str(path))
            text = refusal.message if is_told else " ".join(words(str(code)) for code in codes)
            if name:
                self.wrong.setdefault(name, text)
                shown = True
            elif not is_told:
                self.others.append(f"{str(path).replace('_', ' ')}: {text}")
                shown = True
        if not shown:
            self.others.append(told(refusal))

    def _field(self, path: str) -> str:
        path = path.removeprefix("terms.")
        while path:
            if path in self.names:
                return self.names[path]
            path = path.rpartition(".")[0]
        return ""


def of(typed: Typed, *, currency: str, lists: PriceLists, is_live: bool = False) -> Asked:
    """Read all rows into terms; those of the head are the form's.

    While somebody is still typing (``is_live``) rows that are not begun are left out, and nothing is missed yet.
    """
    asked = Asked()
    for name, found in typed.lists.items():
        asked.terms[name] = []
        for number, row in enumerate(found):
            one = _Reading(asked, currency, is_live, rows.prefix(name, number), f"{name}.{len(asked.terms[name])}")
            content = one.row(name, row, lists)
            if content is not None:
                asked.terms[name].append(content)
    return asked


@dataclass
class _Reading:
    """Reads one row: ``prefix`` begins the names of its fields, ``path`` is where its terms stand."""

    asked: Asked
    currency: str
    is_live: bool
    prefix: str
    path: str

    def row(self, name: str, row: Row, lists: PriceLists) -> dict[str, Any] | None:
        specs = fields.specs(name, row.values)
        content = self.content(specs, row)
        if content is None:
            return None
        if name == "changes":
            content = self.change(row, content, specs)
        if name in rows.PHASED:
            content["phases"] = self.phases(row, lists)
            if self.is_live and row.phases and not content["phases"]:
                return None
        return content

    def content(self, specs: tuple[Spec, ...], row: Row) -> dict[str, Any] | None:
        """The terms of the fields; None for a row that somebody only begins."""
        found: dict[str, Any] = {}
        is_begun = True
        for spec in specs:
            name = f"{self.prefix}-{spec.name}"
            self.asked.names[f"{self.path}.{spec.key}"] = name
            try:
                value = fields.read(spec, row.values.get(spec.name, ""), currency=self.currency)
            except Wrong as wrong:
                self.asked.wrong[name] = str(wrong)
                is_begun = is_begun and not (self.is_live and spec.needed)
                continue
            if value is not None:
                found[spec.key] = value
            elif spec.needed:
                is_begun = False
                if not self.is_live:
                    self.asked.wrong[name] = NEEDED
        self.asked.names[self.path] = f"{self.prefix}-{specs[0].name}" if specs else ""
        return found if is_begun or not self.is_live else None

    def change(self, row: Row, content: dict[str, Any], specs: tuple[Spec, ...]) -> dict[str, Any]:
        """A change of a contract; what is said of a commitment stands in a part of its own."""
        kind = row.values.get("kind", "")
        if kind == "change_commitment":
            own = {spec.key for spec in fields.COMMITMENT}
            for key in own:
                self.asked.names[f"{self.path}.commitment.{key}"] = self.asked.names.get(f"{self.path}.{key}", "")
            commitment = {key: value for key, value in content.items() if key in own}
            content = {key: value for key, value in content.items() if key not in own} | {"commitment": commitment}
            commitment["kind"] = commitment.get("kind") or "term"
        return {"kind": kind, **content}

    def phases(self, row: Row, lists: PriceLists) -> list[dict[str, Any]]:
        """The phases of a product or of a change."""
        found: list[dict[str, Any]] = []
        keeps_plan = row.values.get("kind") == "change_terms"
        for place, phase in enumerate(row.phases):
            path = f"{self.path}.phases.{len(found)}"
            one = _Reading(self.asked, self.currency, self.is_live, rows.phase_prefix(self.prefix, place), path)
            product = row.values.get("external_id", "") if keeps_plan else ""
            content = one.phase(phase, lists.of(phase, product), keeps_plan=keeps_plan)
            if content is not None:
                found.append(content)
        return found

    def phase(self, phase: Row, version: PlanVersion | None, *, keeps_plan: bool) -> dict[str, Any] | None:
        """A phase: its plan, the prices that are agreed otherwise, the units, the discount."""
        specs = tuple(
            spec for spec in fields.PHASE if spec.name != "fee" and not (keeps_plan and spec.name == "plan_code")
        )
        content = self.content(specs, phase)
        if content is None:
            return None
        if keeps_plan:
            content["plan_code"] = phase.values.get("plan_code", "")
        for key in ("after_months", "discount_rate"):
            content.setdefault(key, "0" if key == "discount_rate" else 0)
        if version is None:
            content["overrides"] = prices.kept(phase, self.refuse)
            return content
        content["overrides"], content["units"] = prices.read(phase, version, self.refuse)
        content["plan_version"] = prices.pinned(phase)
        self._name_prices(content, version)
        return content

    def refuse(self, name: str, text: str) -> None:
        """Note what is wrong with a field of the row."""
        self.asked.wrong[f"{self.prefix}-{name}"] = text

    def _name_prices(self, content: Mapping[str, Any], version: PlanVersion) -> None:
        """Tell the paths of prices, in the forms in which the catalogue refuses them."""
        own: dict[str, str] = {"amount_cents": prices.FEE.name, "minimum_commitment": prices.MINIMUM.name}
        for name, charges in (("fixed_charges", version.fixed_charges.all()), ("charges", version.charges.all())):
            fields_of = {str(charge.key): prices.field_name(charge) for charge in charges}
            codes = {charge.code: prices.field_name(charge) for charge in charges}
            for number, row in enumerate(content["overrides"].get(name, ())):
                own[f"{name}.{number}"] = fields_of.get(str(row.get("id")), codes.get(str(row.get("code")), ""))
        for path, name in own.items():
            for head in ("overrides", "plan_overrides", "overrides.plan_overrides"):
                self.asked.names[f"{self.path}.{head}.{path}"] = f"{self.prefix}-{name}"
        for charge in version.fixed_charges.all():
            self.asked.names[f"{self.path}.units.{charge.code}"] = f"{self.prefix}-units_{charge.key.hex}"
            self.asked.names[f"{self.path}.units"] = f"{self.prefix}-units_{charge.key.hex}"


def typed(terms: Mapping[str, Any], *, currency: str, lists: PriceLists) -> Typed:
    """Write stored terms as the rows of the editor; `of` gives the same terms back."""
    found = Typed()
    for name in rows.LETTERS:
        found.lists[name] = [_row(name, one, currency, lists) for one in terms.get(name) or ()]
    return found


def _row(name: str, term: Mapping[str, Any], currency: str, lists: PriceLists) -> Row:
    kind = {"kind": str(term.get("kind") or "")} if name == "changes" else {}
    content = {**term, **(term.get("commitment") or {})} if name == "changes" else term
    row = Row(values=dict(kind))
    for spec in fields.every(name, kind):
        row.values.setdefault(spec.name, fields.write(spec, content.get(spec.key), currency=currency))
    for phase in term.get("phases") or () if name in rows.PHASED else ():
        row.phases.append(_phase(phase, str(term.get("external_id") or ""), currency, lists))
    return row


def _phase(phase: Mapping[str, Any], external_id: str, currency: str, lists: PriceLists) -> Row:
    row = Row(
        values={
            spec.name: fields.write(spec, phase.get(spec.key), currency=currency)
            for spec in fields.PHASE
            if spec.kind is not Kind.MONEY
        }
    )
    row.values |= {
        prices.KEPT_PLAN: str(phase.get("plan_code") or ""),
        prices.KEPT_VERSION: str(phase.get("plan_version") or ""),
    }
    row.values |= prices.write(phase, lists.of(row, external_id))
    return row
