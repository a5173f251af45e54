"""Which events of subscriptions, contracts and usage are told to webhook endpoints.

A change of plan that waits for its day is no subscription of its own to them: the one that runs is told as updated.
"""

from __future__ import annotations

from config.platform.services import outbox
from config.platform.services.outbox import EventType

_PAYLOADS = "billing.api.webhook_payloads"
_USAGE_PAYLOADS = "billing.api.webhook_usage_payloads"

STARTED = "subscription.started"
UPDATED = "subscription.updated"
INCOMPLETE = "subscription.incomplete"
CANCELED = "subscription.canceled"
TERMINATED = "subscription.terminated"
PAUSED = "subscription.paused"
RESUMED = "subscription.resumed"
TERMINATION_ALERT = "subscription.termination_alert"
TRIAL_ENDED = "subscription.trial_ended"
USAGE_THRESHOLD_REACHED = "subscription.usage_threshold_reached"
CONTRACT_ACTIVATED = "contract.activated"
CONTRACT_AMENDED = "contract.amended"
CONTRACT_RENEWED = "contract.renewed"
CONTRACT_CANCELED = "contract.canceled"
CONTRACT_ENDED = "contract.ended"
FEE_CREATED = "fee.created"
ALERT_TRIGGERED = "alert.triggered"
WALLET_DEPLETED = "wallet.depleted_ongoing_balance"
EVENT_ERROR = "event.error"
EVENTS_ERRORS = "events.errors"
QUOTE_CREATED = "quote.created"
QUOTE_UPDATED = "quote.updated"
QUOTE_SUBMITTED = "quote.submitted"
QUOTE_APPROVED = "quote.approved"
QUOTE_VOIDED = "quote.voided"
ORDER_FORM_CREATED = "order_form.created"
ORDER_FORM_SENT = "order_form.sent"
ORDER_FORM_SIGNED = "order_form.signed"
ORDER_FORM_DECLINED = "order_form.declined"
ORDER_FORM_EXPIRED = "order_form.expired"
ORDER_FORM_VOIDED = "order_form.voided"
ORDER_CREATED = "order.created"
ORDER_EXECUTED = "order.executed"
ORDER_FAILED = "order.failed"
REHEARSAL_READY = "rehearsal.ready"
REHEARSAL_SIGNED_OFF = "rehearsal.signed_off"

outbox.register(
    EventType(STARTED, "subscription", f"{_PAYLOADS}.subscriptions", "A subscription began to run."),
    EventType(
        UPDATED,
        "subscription",
        f"{_PAYLOADS}.subscriptions",
        "What is agreed for a subscription was changed: its terms, end, units or entitlements, or the change of plan "
        "that waits for it was scheduled or called off. A new price of its plan is told as plan.updated.",
    ),
    EventType(
        INCOMPLETE, "subscription", f"{_PAYLOADS}.subscriptions", "A subscription waits for its first payment to run."
    ),
    EventType(
        CANCELED,
        "subscription",
        f"{_PAYLOADS}.subscriptions",
        "A subscription that did not run, because it waited for its start or first payment or was paused, is over.",
    ),
    EventType(
        TERMINATED,
        "subscription",
        f"{_PAYLOADS}.subscriptions",
        "A subscription ended; with a change of plan the next one started at that instant.",
    ),
    EventType(PAUSED, "subscription", f"{_PAYLOADS}.subscriptions", "A subscription was paused."),
    EventType(RESUMED, "subscription", f"{_PAYLOADS}.subscriptions", "A paused subscription runs again."),
    EventType(
        TERMINATION_ALERT,
        "subscription",
        f"{_PAYLOADS}.subscriptions",
        "A subscription comes to its agreed end, 45 and 15 days before unless the installation says otherwise.",
    ),
    EventType(TRIAL_ENDED, "subscription", f"{_PAYLOADS}.subscriptions", "The trial of a subscription is over."),
    EventType(
        USAGE_THRESHOLD_REACHED,
        "subscription",
        f"{_PAYLOADS}.subscriptions",
        "The usage of a subscription passed a usage threshold; the payload has it as usage_threshold.",
    ),
    EventType(CONTRACT_ACTIVATED, "contract", f"{_PAYLOADS}.contracts", "A signed contract begins to be served."),
    EventType(CONTRACT_AMENDED, "contract", f"{_PAYLOADS}.contracts", "A contract that runs was amended."),
    EventType(CONTRACT_RENEWED, "contract", f"{_PAYLOADS}.contracts", "A contract was renewed for another term."),
    EventType(CONTRACT_CANCELED, "contract", f"{_PAYLOADS}.contracts", "The draft of a contract was thrown away."),
    EventType(CONTRACT_ENDED, "contract", f"{_PAYLOADS}.contracts", "The last day of a contract is over."),
    EventType(
        FEE_CREATED,
        "fee",
        f"{_USAGE_PAYLOADS}.fees",
        "Usage that is paid in advance was billed, on an invoice or as a fee that stands alone.",
    ),
    EventType(
        ALERT_TRIGGERED,
        "triggered_alert",
        f"{_USAGE_PAYLOADS}.triggered_alerts",
        "Usage grew to a threshold of an alert, or a wallet fell to one.",
        subject="alert",
    ),
    EventType(
        WALLET_DEPLETED,
        "wallet",
        "invoicing.api.webhook_payloads.wallets",
        "Usage that is not billed yet leaves nothing of a wallet; told once until something is left again.",
    ),
    EventType(
        EVENT_ERROR,
        "event_error",
        f"{_USAGE_PAYLOADS}.event_errors",
        "A property of a usage event could not be computed by an expression. Told within the hour, for each event.",
    ),
    EventType(
        EVENTS_ERRORS,
        "events_errors",
        f"{_USAGE_PAYLOADS}.nothing_more",
        "Usage events of the last hour are not good for billing: transaction ids by reason, the first 1,000 of each.",
    ),
)

outbox.register(
    EventType(
        REHEARSAL_READY,
        "rehearsal",
        "billing.api.rehearsal_payloads.rehearsals",
        "A rehearsal of a billing run was computed and waits for a second person.",
    ),
    EventType(
        REHEARSAL_SIGNED_OFF,
        "rehearsal",
        "billing.api.rehearsal_payloads.rehearsals",
        "A second person signed a rehearsal of a billing run off: it may be billed.",
    ),
)

_QUOTES = "billing.api.quote_payloads"

outbox.register(
    EventType(QUOTE_CREATED, "quote", f"{_QUOTES}.quotes", "A quote was made, with a draft as its first version."),
    EventType(
        QUOTE_UPDATED, "quote", f"{_QUOTES}.quotes", "A quote or its draft was changed, or another version was begun."
    ),
    EventType(QUOTE_SUBMITTED, "quote", f"{_QUOTES}.quotes", "A version of a quote waits for consents in the house."),
    EventType(QUOTE_APPROVED, "quote", f"{_QUOTES}.quotes", "A version of a quote was approved."),
    EventType(QUOTE_VOIDED, "quote", f"{_QUOTES}.quotes", "A version of a quote was voided or rejected."),
    EventType(
        ORDER_FORM_CREATED,
        "order_form",
        f"{_QUOTES}.order_forms",
        "The order form of an approved version was generated.",
    ),
    EventType(ORDER_FORM_SENT, "order_form", f"{_QUOTES}.order_forms", "An order form was sent to the customer."),
    EventType(ORDER_FORM_SIGNED, "order_form", f"{_QUOTES}.order_forms", "The customer accepted an order form."),
    EventType(ORDER_FORM_DECLINED, "order_form", f"{_QUOTES}.order_forms", "The customer declined an order form."),
    EventType(ORDER_FORM_EXPIRED, "order_form", f"{_QUOTES}.order_forms", "The time to sign an order form is over."),
    EventType(ORDER_FORM_VOIDED, "order_form", f"{_QUOTES}.order_forms", "An order form was voided with its version."),
    EventType(ORDER_CREATED, "order", f"{_QUOTES}.orders", "A signed order form became an order."),
    EventType(ORDER_EXECUTED, "order", f"{_QUOTES}.orders", "An order was turned into contract, credits and invoices."),
    EventType(ORDER_FAILED, "order", f"{_QUOTES}.orders", "An order could not be executed; nothing was made of it."),
)
