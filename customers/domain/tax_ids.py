"""Tax identification numbers. Owns the check of their form; whether a number is registered is not known here.

A wrong form is a warning, not a refusal: numbers come from other systems, and an invoice without one is still owed.
"""

from __future__ import annotations

from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())


def warning(*, number: str, country: str) -> str:
    """Return what looks wrong about a number, or nothing: it is missing, right, or of a country without a known form.

    ``country`` is the ISO code of the address. A number of the EU is checked by the country that it names itself.
    """
    text = number.strip()
    if not text:
        return ""
    if country in EU or text[:2].upper() in EU or text[:2].upper() == "EL":
        valid = _valid(eu_vat, text) or (
            country in EU and _valid(eu_vat, f"{'EL' if country == 'GR' else country}{text}")
        )
        return "" if valid else "This does not look like a VAT number of the EU."
    module = get_cc_module(country.lower(), "vat") if country else None
    if module is None or _valid(module, text):
        return ""
    return f"This does not look like a tax number of {country}."


def _valid(module: object, text: str) -> bool:
    try:
        module.validate(text)  # type: ignore[attr-defined]
    except ValidationError:
        return False
    return True
