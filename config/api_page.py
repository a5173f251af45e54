"""The page that shows the API at ``/api/docs/``. Owns its introduction and how it behaves; the description itself is
generated, and what each field means is in ``config.platform.api.schema_words``.
"""

DESCRIPTION = """\
Usage in, right invoices out: a REST API in JSON.

**Paths and bodies.** Everything is below `/api/v1`. A body has one root key, the resource: `{"customer": {…}}`.
Unknown keys are dropped. A success is always 200, also of creating and deleting. What is deleted is answered as it was.

**Money** is an integer in the minor units of its currency: `1999` with `EUR` is 19.99 EUR, with `JPY` 1,999 JPY.
Decimals (units, unit prices, credits) are text, such as `"0.02"`; a request may send a number instead. Tax rates are
percentages as numbers: `19.0`.

**Time.** Moments are ISO 8601 in UTC, such as `2026-05-01T00:00:00Z`; those sent without a zone are read as UTC, and a
day alone is its start. Dates are `YYYY-MM-DD`, local to the customer or the billing entity.

**Lists** have `page` and `per_page`, and a `meta` that counts. Filters of several values are repeated:
`status[]=draft&status[]=finalized`.

**Refusals** have `status` and `error`, mostly a `code`, and with 422 `error_details` with codes by field.
"""

SETTINGS = """{
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  displayOperationId: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
  tagsSorter: "alpha",
  plugins: [SearchOperations],
}"""
"""How the page behaves, as a script: `SearchOperations` is in ``static/api_docs/page.js``."""
