"""Operation ids and tags. Owns how an operation is called and grouped, from its path; a view may name its own id.

An id is a verb and what the path names: ``findAllPlans``, ``findPlan``, ``createPlan``, ``updatePlanCharge``. Groups go
by the beginning of the path, and what other billing systems' clients do not know is grouped apart, as an addition.
"""

from __future__ import annotations

import re

PREFIX = "/api/v1/"

_VERBS = {"GET": "find", "POST": "create", "PUT": "update", "PATCH": "merge", "DELETE": "destroy"}
_ACTIONS = {
    "activate", "allocate", "cancel", "decide", "download", "download_pdf", "end", "finalize", "pause", "preview",
    "refresh", "refund", "regenerate", "resume", "retry", "rotate", "void", "replay",
}  # fmt: skip
"""Last words of a path that are verbs: ``pauseSubscription``."""

_UNCOUNTED = {"current_usage", "past_usage", "projected_usage", "lifetime_usage", "analytics", "late_usage", "spend"}

_NAMED = {
    ("POST", "applied_coupons"): "applyCoupon",
    ("GET", "billing_entities"): "listBillingEntities",
    ("GET", "billing_entities/{code}"): "getBillingEntity",
    ("DELETE", "features/{code}/privileges/{privilege_code}"): "deleteFeaturePrivilege",
    ("GET", "customers/{external_id}/wallets/{wallet_code}/alerts"): "getCustomerWalletAlerts",
    ("GET", "customers/{external_id}/wallets/{wallet_code}/alerts/{code}"): "getCustomerWalletAlert",
    ("DELETE", "customers/{external_id}/wallets/{wallet_code}/alerts/{code}"): "deleteCustomerWalletAlert",
    ("GET", "subscriptions/{external_id}/alerts"): "getSubscriptionAlerts",
    ("GET", "subscriptions/{external_id}/alerts/{code}"): "getSubscriptionAlert",
    ("DELETE", "subscriptions/{external_id}/alerts/{code}"): "deleteSubscriptionAlert",
    ("GET", "subscriptions/{external_id}/lifetime_usage"): "getSubscriptionLifetimeUsage",
    ("GET", "webhooks/json_public_key"): "fetchJsonPublicKey",
    ("GET", "webhooks/public_key"): "fetchPublicKey",
    ("GET", "customers/{external_id}/past_usage"): "findAllCustomerPastUsage",
    ("GET", "late_usage"): "findAllLateUsage",
    ("GET", "organizations"): "findOrganization",
    ("PUT", "organizations"): "updateOrganization",
    ("POST", "billable_metrics/evaluate_expression"): "evaluateBillableMetricExpression",
    ("POST", "events/batch"): "createBatchEvents",
    ("POST", "events/stream"): "streamEvents",
    ("POST", "events/reconcile"): "reconcileEvents",
    ("GET", "events/corrections"): "findAllEventCorrections",
    ("POST", "events/corrections"): "correctEvents",
}

TAGS: tuple[tuple[str, str, str], ...] = (
    # Additions first: the first pattern that begins like the path counts.
    ("Event stream and reconciliation", r"events/(stream|reconcile|corrections)",
     "An addition: events with a verdict on each, comparing what was sent with what is stored, and corrections."),
    ("Traces and adjustments", r"fees/\{[^}]+\}/(trace|adjustment)|invoices/\{[^}]+\}/adjustments",
     "An addition: the worked sum of a fee, computed again from what is stored, and fees of drafts set by hand."),
    ("Corrections", r"corrections|invoices/\{[^}]+\}/corrections",
     "An addition: correcting issued invoices by credit notes and new invoices, from events that were wrong."),
    ("Disputes and voids", r"disputes|invoices/\{[^}]+\}/(disputes|regenerate)",
     "An addition: invoices in dispute, and issuing a voided invoice anew."),
    ("Write-offs", r"write_offs|invoices/\{[^}]+\}/write_off",
     "An addition: what nobody expects to be paid any more, and undoing that."),
    ("Held payments", r"payments/\{[^}]+\}/(allocate|refund)",
     "An addition: money that came in for an invoice that was voided since, and what becomes of it."),
    ("Documents", r"files|invoices/\{[^}]+\}/documents", "An addition: the files of an invoice with their digests."),
    ("Ledger", r"ledger|customers/\{[^}]+\}/statement",
     "An addition: the double-entry ledger, its exports, and statements of customers."),
    ("Books checks", r"books_checks", "An addition: nightly checks that the books agree with the documents."),
    ("Prepaid credits", r"customers/\{[^}]+\}/prepaid_credits",
     "An addition: what a customer committed to and paid before it is used."),
    ("Contracts", r"contracts", "An addition: agreements with a term, commitments, notice and renewal."),
    ("Quotes", r"quotes|quote_versions|order_forms|orders",
     "What is offered to customers, what they sign, and what is made of it."),
    ("Rehearsals", r"rehearsals|parked_accounts",
     "An addition: billing runs that are looked at before they bill, and accounts that are left out of them."),
    ("Plan versions", r"plans/\{[^}]+\}/versions|plan_migrations",
     "An addition: the versions of a plan, and moving subscriptions from one to another."),
    ("Pricing units", r"pricing_units", "An addition: units of your own that prices are in, such as credits."),
    ("Simulations", r"simulations", "An addition: what contracts would bill, and plans compared. Nothing is changed."),
    ("Late usage", r"late_usage|subscriptions/\{[^}]+\}/late_usage_policy",
     "An addition: usage that came after its period was billed, and what becomes of it."),
    ("Spend caps", r"subscriptions/\{[^}]+\}/spend", "An addition: the most that a subscription may use in a period."),
    ("Life of subscriptions",
     r"subscriptions/\{[^}]+\}/(pause|resume|timeline|upcoming_invoices|change_preview|termination_preview|decline)",
     "An addition: pauses, the timeline, what the next days will bill, and previews of changes."),
    ("Tax engines", r"tax_engines", "An addition: services that compute taxes, asked for each invoice."),
    # What clients of the reference know.
    ("Customers", r"customers$|customers/\{[^}]+\}$",
     "Whom you bill. A customer is known by your own `external_id`."),
    ("Customer usage", r"customers/\{[^}]+\}/(current|past|projected)_usage",
     "What was used and not billed yet, what was billed, and what the running period may come to."),
    ("Customer portal", r"customers/\{[^}]+\}/(portal_url|checkout_url)", "A page of its own for each customer."),
    ("Payment methods", r"customers/\{[^}]+\}/payment_methods", "How a customer pays."),
    ("Wallets", r"wallets|customers/\{[^}]+\}/wallets(/\{[^}]+\}(/metadata.*)?)?$",
     "Credits that a customer bought or was given, and how they are used up."),
    ("Wallet transactions", r"wallet_transactions", "What came into a wallet and went out of it."),
    ("Alerts", r"(subscriptions/\{[^}]+\}|customers/\{[^}]+\}/wallets/\{[^}]+\})/alerts",
     "Thresholds of usage and of balances, and when they were passed."),
    ("Applied coupons", r"applied_coupons|customers/\{[^}]+\}/applied_coupons",
     "Which customer has which coupon, on which terms."),
    ("Coupons", r"coupons", "Reductions that can be given to customers."),
    ("Subscriptions", r"subscriptions|customers/\{[^}]+\}/subscriptions", "Who has bought which plan, and since when."),
    ("Entitlements", r"plans/\{[^}]+\}/entitlements|subscriptions/\{[^}]+\}/entitlements",
     "What a plan gives of features, and what is agreed for a subscription beside it."),
    ("Features", r"features", "What a plan may allow, with the privileges of each feature."),
    ("Plans", r"plans", "What is sold: a fee for each interval, charges by use, fixed charges."),
    ("Billable metrics", r"billable_metrics", "What is counted, and how."),
    ("Add-ons", r"add_ons", "What is sold once, or with a plan in a number."),
    ("Taxes", r"taxes", "Taxes and their rates."),
    ("Events", r"events", "Usage. A repeat of an event changes nothing."),
    ("Fees", r"fees", "The lines of invoices, and those that stand alone."),
    ("Invoices", r"invoices|customers/\{[^}]+\}/invoices", "What was billed."),
    ("Invoice custom sections", r"invoice_custom_sections", "Texts at the end of invoices."),
    ("Credit notes", r"credit_notes|customers/\{[^}]+\}/credit_notes", "What is given back of issued invoices."),
    ("Payments", r"payments|customers/\{[^}]+\}/payments", "Money that came in."),
    ("Payment receipts", r"payment_receipts", "Receipts of payments."),
    ("Payment requests", r"payment_requests|customers/\{[^}]+\}/payment_requests", "Asking for overdue money."),
    ("Billing entities", r"billing_entities", "Who sells, and on which terms."),
    ("Organization", r"organizations", "The installation."),
    ("Webhooks", r"webhook", "Where events of yours are told, and how to check that they came from here."),
    ("Analytics", r"analytics", "What was earned, used and is open, by month."),
    ("Approvals", r"approvals", "An addition: what waits for a second person, and what became of it."),
    ("Logs", r"(activity|api|security)_logs", "Who did what, and which requests came in."),
    ("API keys", r"api_keys", "An addition: keys, their rights, and their rotation."),
)  # fmt: skip
"""Tag, pattern of the path below the prefix, description."""


def tag(path: str) -> str:
    """Return the group of an operation by its path. Raises LookupError for a path that belongs nowhere."""
    below = path.removeprefix(PREFIX)
    for name, pattern, _ in TAGS:
        if re.match(pattern, below):
            return name
    raise LookupError(f"no tag for {path}")


def operation_id(method: str, path: str) -> str:
    """Name an operation by its method and path."""
    below = path.removeprefix(PREFIX)
    named = _NAMED.get((method, below))
    if named:
        return named
    parts = below.split("/")
    words = [part for part in parts if not part.startswith("{")]
    last = words[-1]
    if last in _ACTIONS and not parts[-1].startswith("{"):
        return last.split("_")[0] + _noun(words[:-1]) + _camel("_".join(last.split("_")[1:]))
    many = not parts[-1].startswith("{") and last.endswith("s") and last not in _UNCOUNTED
    if many and method == "GET":
        return f"findAll{_noun(words[:-1])}{_camel(last)}"
    if many and method == "DELETE":
        return f"destroyAll{_noun(words[:-1])}{_camel(last)}"
    return _VERBS[method] + _noun(words)


def _noun(words: list[str]) -> str:
    return "".join(_camel(_one(word)) for word in words)


def _one(word: str) -> str:
    if word in _UNCOUNTED or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith("xes") else word[:-1]


def _camel(word: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_.]", word))
