"""What the fields and parameters of the API mean, in words and with their units, by name. Owns the words; where they
are put is `schema_words`'.

A key is a field's name, or ``Component.name`` where it means something else there. What a name says by itself
(``lago_wallet_id``, ``plan_code``) needs no entry, and units that follow from a name are added by a rule.
"""

from __future__ import annotations

from config.platform.api.glossary import amounts, parameters, parties, records, terms, values

FIELDS: dict[str, str] = {**amounts.WORDS, **parties.WORDS, **terms.WORDS, **records.WORDS}
PARAMETERS: dict[str, str] = parameters.WORDS
VALUES: dict[str, tuple[str, ...]] = values.VALUES
