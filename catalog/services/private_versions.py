"""Private versions of a plan: its prices with own terms of one contract. Owns making them, and carrying own terms over
to another version of the plan.

They take their numbers from the plan, are never sold and never edited: other own terms are another version. Charges
keep their keys, so what a contract was billed for stays one thing. Which contract has one is not the catalogue's to
know.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from catalog.models import Plan, PlanVersion
from catalog.queries import plans
from catalog.services import own_terms_input, price_lists, private_terms
from catalog.services.own_terms_input import OwnTerms
from catalog.services.price_lists import PriceList
from config.kernel import db


def lock(*, plan_ids: Collection[int]) -> None:
    """Lock plans against other writers, in the order in which all lock them."""
    db.lock(Plan.objects.filter(pk__in=set(plan_ids)))


def make(*, version: PlanVersion, terms: OwnTerms, at: datetime) -> PlanVersion:
    """Return the version that a contract on the given one has with these own terms, on top of those that it has.

    What says the same as the plan is no own term; the version it was made of is returned where none is left, and the
    given one where nothing changes. Needs a transaction and the lock of the plan. Raises as `own_terms_input.agreed`.
    """
    version = _with_content(version)
    own, asked = own_terms_input.agreed(before=price_lists.read(version), terms=terms, at=at)
    return _stored(version, own, private_terms.merged(version.overrides, asked), base_of(version), at)


def rebase(*, version: PlanVersion, onto: PlanVersion, at: datetime) -> PlanVersion:
    """Return a private version with the same own terms, made of another version of the plan.

    All that was not agreed is that version's. A version that is not private leads to ``onto`` itself. Needs a
    transaction and the lock of the plan.
    """
    if version.base_id is None or version.base_id == onto.pk:
        return onto if version.base_id is None else version
    version, onto = _with_content(version), _with_content(onto)
    own = private_terms.rebased(version.overrides, own=price_lists.read(version), onto=price_lists.read(onto))
    return _stored(version, own, version.overrides, onto, at)


def without(*, version: PlanVersion, terms: Collection[str], at: datetime) -> PlanVersion:
    """Return the version that is left when some own terms end: see `private_terms.without` for how they are named.

    Needs a transaction and the lock of the plan.
    """
    if version.base_id is None:
        return version
    version = _with_content(version)
    base = base_of(version)
    kept = private_terms.without(version.overrides, terms)
    own = private_terms.rebased(kept, own=price_lists.read(version), onto=price_lists.read(base))
    return _stored(version, own, kept, base, at)


def has(*, version: PlanVersion, terms: OwnTerms, at: datetime) -> bool:
    """Say whether a contract on this version has these own terms already. Writes nothing. Raises as `make`."""
    with transaction.atomic():
        is_same = make(version=version, terms=terms, at=at).pk == version.pk
        transaction.set_rollback(True)
    return is_same


def base_of(version: PlanVersion) -> PlanVersion:
    """Return the version of the plan that a private one was made of, with its content; else the version itself."""
    if version.base_id is None:
        return version
    return plans.with_content(PlanVersion.objects.all()).get(pk=version.base_id)


def _stored(
    version: PlanVersion, own: PriceList, overrides: Mapping[str, Any], base: PlanVersion, at: datetime
) -> PlanVersion:
    names = {name: getattr(version.plan, name) for name in private_terms.NAMES}
    kept = private_terms.differing(overrides, own=own, base=price_lists.read(base), names=names)
    if not kept:
        return base
    if kept == version.overrides and base.pk == version.base_id and own == price_lists.read(version):
        return version
    number = price_lists.next_number(plan=version.plan)
    return price_lists.store(plan=version.plan, number=number, content=own, at=at, base=base, overrides=kept)


def _with_content(version: PlanVersion) -> PlanVersion:
    return plans.with_content(PlanVersion.objects.all()).get(pk=version.pk)
