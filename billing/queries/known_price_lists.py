"""Price lists that this process has read before. Owns knowing whether one that it remembers is still what the catalogue
says; reading it is `price_lists`'.

Nobody has to tell it about changes: with every use it asks the database which rows the price list is made of now. A
row that was changed is another one there (`ctid` is its place, `xmin` the transaction that wrote it), whoever changed
it and in whatever way. One short statement takes the place of seven. After a restore of the database processes are to
be started anew.
"""

from __future__ import annotations

from django.db import connection

from billing.queries import price_lists
from billing.queries.price_lists import PriceList
from config.kernel import statements

# Small values, and as many as there are plans that somebody looks at; the bound is for installations with a plan each.
REMEMBERED = 500

# All tables that `price_lists.load` reads, taxes because their names order them.
STAMP = """
WITH charge AS MATERIALIZED (
    SELECT id, metric_id, pricing_unit_id, tableoid AS t, xmin AS x, ctid AS c
    FROM catalog_charge WHERE plan_version_id = %(version)s
), fixed_charge AS MATERIALIZED (
    SELECT id, add_on_id, tableoid AS t, xmin AS x, ctid AS c
    FROM catalog_fixedcharge WHERE plan_version_id = %(version)s
), commitment AS MATERIALIZED (
    SELECT id, tableoid AS t, xmin AS x, ctid AS c
    FROM catalog_minimumcommitment WHERE plan_version_id = %(version)s
), taxed AS MATERIALIZED (
    SELECT tax_id, tableoid AS t, xmin AS x, ctid AS c
    FROM catalog_planversion_taxes WHERE planversion_id = %(version)s
    UNION ALL
    SELECT tax_id, tableoid, xmin, ctid FROM catalog_charge_taxes WHERE charge_id IN (SELECT id FROM charge)
    UNION ALL
    SELECT tax_id, tableoid, xmin, ctid
    FROM catalog_fixedcharge_taxes WHERE fixedcharge_id IN (SELECT id FROM fixed_charge)
    UNION ALL
    SELECT tax_id, tableoid, xmin, ctid
    FROM catalog_minimumcommitment_taxes WHERE minimumcommitment_id IN (SELECT id FROM commitment)
), part AS (
    SELECT t, x, c FROM charge UNION ALL SELECT t, x, c FROM fixed_charge UNION ALL SELECT t, x, c FROM taxed
    UNION ALL SELECT t, x, c FROM commitment
    UNION ALL
    SELECT tableoid, xmin, ctid FROM catalog_planversion WHERE id = %(version)s
    UNION ALL
    SELECT tableoid, xmin, ctid
    FROM catalog_plan WHERE id = (SELECT plan_id FROM catalog_planversion WHERE id = %(version)s)
    UNION ALL
    SELECT tableoid, xmin, ctid FROM catalog_chargefilter WHERE charge_id IN (SELECT id FROM charge)
    UNION ALL
    SELECT tableoid, xmin, ctid FROM catalog_billablemetric WHERE id IN (SELECT metric_id FROM charge)
    UNION ALL
    SELECT tableoid, xmin, ctid FROM catalog_metricfilter WHERE metric_id IN (SELECT metric_id FROM charge)
    UNION ALL
    SELECT tableoid, xmin, ctid FROM catalog_pricingunit WHERE id IN (SELECT pricing_unit_id FROM charge)
    UNION ALL
    SELECT tableoid, xmin, ctid FROM catalog_addon WHERE id IN (SELECT add_on_id FROM fixed_charge)
    UNION ALL
    SELECT tableoid, xmin, ctid FROM catalog_tax WHERE id IN (SELECT tax_id FROM taxed)
)
SELECT md5(string_agg(row, ' ' ORDER BY row)) FROM (SELECT concat_ws('.', t, x, c) AS row FROM part) AS rows
"""

_Key = tuple[str, str, str, int]

_known: dict[_Key, tuple[str, PriceList]] = {}


def of_version(version_id: int) -> PriceList:
    """Return the price list of a plan version, as it is now. One query while it stays as it was.

    What the running transaction changed is seen, too. Raises KeyError for a version that is not there.
    """
    settings = connection.settings_dict
    key = str(settings.get("HOST", "")), str(settings.get("PORT", "")), str(settings["NAME"]), version_id
    # Before the price list: what is changed in between is read under the older stamp, and read again next time.
    ((stamp,),) = statements.fetch_prepared(STAMP, {"version": version_id})
    remembered = _known.get(key)
    if remembered is not None and remembered[0] == stamp:
        return remembered[1]
    found = price_lists.load(version_ids=[version_id])[version_id]
    if len(_known) >= REMEMBERED:
        _known.clear()
    _known[key] = stamp, found
    return found
