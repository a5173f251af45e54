// One long flow of the official JavaScript client against a running server: every resource, from a tax to a deleted
// customer. Usage: node flow.mjs URL KEY. Prints one JSON object with every answer by its step; a step that fails ends it.
import assert from "node:assert/strict";
import { Client } from "lago-javascript-client";

const [url, key] = process.argv.slice(2);
const lago = Client(key, { baseUrl: `${url}/api/v1` });
const answers = {};

/** Waits for a call, keeps its answer under its name and returns it. */
async function step(name, call) {
  try {
    const response = await call;
    answers[name] = response.data;
    return response.data;
  } catch (error) {
    const body = typeof error.json === "function" ? JSON.stringify(error.error ?? (await error.text())) : error.stack;
    console.error(`${name}: ${error.status ?? ""} ${body}`);
    process.exit(1);
  }
}

/** Waits for a call that has to be refused with this status and code. */
async function refused(name, status, code, call) {
  try {
    await call;
  } catch (error) {
    if (error.status === undefined) throw error;
    assert.equal(error.status, status, `${name}: ${JSON.stringify(error.error)}`);
    if (code) assert.ok(JSON.stringify(error.error).includes(code), `${name}: ${JSON.stringify(error.error)}`);
    answers[name] = error.error;
    return;
  }
  assert.fail(`${name} was not refused`);
}

const a = lago.organizations;
await step("updateOrganization", a.updateOrganization({ organization: { name: "Meridian", email: "billing@example.com" } }));
await step("findOrganization", a.findOrganization());

await step("listBillingEntities", lago.billingEntities.listBillingEntities());

// --- The catalogue -----------------------------------------------------------------------------------------------
const { tax } = await step("createTax", lago.taxes.createTax({ tax: { name: "VAT", code: "vat", rate: "20.0" } }));
assert.equal(tax.rate, 20);
await step("updateTax", lago.taxes.updateTax("vat", { tax: { name: "VAT 20", description: "The standard rate" } }));
await step("findTax", lago.taxes.findTax("vat"));
await step("findAllTaxes", lago.taxes.findAllTaxes({ page: 1, per_page: 10 }));
await step("createTax2", lago.taxes.createTax({ tax: { name: "Gone", code: "gone", rate: "5.5" } }));
await step("destroyTax", lago.taxes.destroyTax("gone"));
await refused("findTaxGone", 404, "tax_not_found", lago.taxes.findTax("gone"));

const addOn = { name: "Set-up", code: "setup", amount_cents: 5000, amount_currency: "EUR", tax_codes: ["vat"] };
await step("createAddOn", lago.addOns.createAddOn({ add_on: addOn }));
await step("updateAddOn", lago.addOns.updateAddOn("setup", { add_on: { description: "Once" } }));
await step("findAddOn", lago.addOns.findAddOn("setup"));
await step("findAllAddOns", lago.addOns.findAllAddOns());
const seats = { name: "Seats", code: "seats", amount_cents: 700, amount_currency: "EUR" };
const { add_on: seat } = await step("createAddOn2", lago.addOns.createAddOn({ add_on: seats }));
await step("createAddOn3", lago.addOns.createAddOn({ add_on: { ...seats, code: "gone" } }));
await step("destroyAddOn", lago.addOns.destroyAddOn("gone"));

const m = lago.billableMetrics;
const calls = {
  name: "Calls",
  code: "calls",
  description: "Calls of the interface",
  aggregation_type: "sum_agg",
  field_name: "units",
  recurring: false,
  filters: [{ key: "region", values: ["eu", "us"] }],
};
const { billable_metric: metric } = await step("createBillableMetric", m.createBillableMetric({ billable_metric: calls }));
await step("updateBillableMetric", m.updateBillableMetric("calls", { billable_metric: { name: "API calls" } }));
await step("findBillableMetric", m.findBillableMetric("calls"));
await step("findAllBillableMetrics", m.findAllBillableMetrics({ per_page: 5 }));
const expression = { expression: "round(event.properties.seconds / 60)", event: { code: "x", timestamp: 1767225600, properties: { seconds: "90" } } };
const worth = await step("evaluateBillableMetricExpression", m.evaluateBillableMetricExpression(expression));
assert.equal(Number(worth.expression_result.value), 2);
await step("createBillableMetric2", m.createBillableMetric({ billable_metric: { name: "Gone", code: "gone", aggregation_type: "count_agg" } }));
await step("destroyBillableMetric", m.destroyBillableMetric("gone"));

const f = lago.features;
const privileges = [
  { code: "max", name: "Seats", value_type: "integer" },
  { code: "sso", value_type: "select", config: { select_options: ["okta", "google"] } },
];
await step("createFeature", f.createFeature({ feature: { code: "seats", name: "Seats", description: "People", privileges } }));
await step("updateFeature", f.updateFeature("seats", { feature: { name: "Seats of people" } }));
await step("findFeature", f.findFeature("seats"));
await step("findAllFeatures", f.findAllFeatures());
await step("createFeature2", f.createFeature({ feature: { code: "gone", privileges: [{ code: "a" }, { code: "b" }] } }));
await step("deleteFeaturePrivilege", f.deleteFeaturePrivilege("gone", "b"));
await step("destroyFeature", f.destroyFeature("gone"));

const p = lago.plans;
const plan = {
  name: "Pro",
  code: "pro",
  interval: "monthly",
  amount_cents: 1000,
  amount_currency: "EUR",
  pay_in_advance: true,
  tax_codes: ["vat"],
  metadata: { tier: "gold" },
  charges: [
    {
      billable_metric_id: metric.lago_id,
      code: "calls",
      charge_model: "standard",
      properties: { amount: "0.25" },
      filters: [{ properties: { amount: "0.5" }, values: { region: ["us"] }, invoice_display_name: "Calls (US)" }],
    },
  ],
  fixed_charges: [{ add_on_id: seat.lago_id, code: "seats", charge_model: "standard", units: "2", properties: { amount: "7" } }],
  minimum_commitment: { amount_cents: 100, invoice_display_name: "Minimum" },
  usage_thresholds: [{ amount_cents: 1000000, threshold_display_name: "Much" }],
};
const made = await step("createPlan", p.createPlan({ plan }));
assert.equal(made.plan.amount_cents, 1000);
await step("updatePlan", p.updatePlan("pro", { plan: { description: "For teams" } }));
await step("findPlan", p.findPlan("pro"));
await step("findAllPlans", p.findAllPlans());
await step("replacePlanMetadata", p.replacePlanMetadata("pro", { metadata: { tier: "gold", owner: "ann" } }));
await step("mergePlanMetadata", p.mergePlanMetadata("pro", { metadata: { team: "blue" } }));
await step("deletePlanMetadataKey", p.deletePlanMetadataKey("pro", "owner"));
await step("deleteAllPlanMetadata", p.deleteAllPlanMetadata("pro"));
await step("createEntitlement", p.createEntitlement("pro", { entitlements: { seats: { max: 10, sso: "okta" } } }));
await step("updateEntitlement", p.updateEntitlement("pro", { entitlements: { seats: { max: 20 } } }));
await step("findAllEntitlements", p.findAllEntitlements("pro"));
await step("findEntitlement", p.findEntitlement("pro", "seats"));
await step("removeEntitlementPrivilege", p.removeEntitlementPrivilege("pro", "seats", "sso"));
const charge = { billable_metric_id: metric.lago_id, code: "more", charge_model: "package", properties: { amount: "1", package_size: 100, free_units: 0 } };
await step("createPlanCharge", p.createPlanCharge("pro", { charge }));
await step("updatePlanCharge", p.updatePlanCharge("pro", "more", { charge: { invoice_display_name: "More calls" } }));
await step("findPlanCharge", p.findPlanCharge("pro", "more"));
await step("findAllPlanCharges", p.findAllPlanCharges("pro"));
const filter = { invoice_display_name: "EU", properties: { amount: "2", package_size: 10, free_units: 0 }, values: { region: ["eu"] } };
const inFilter = await step("createPlanChargeFilter", p.createPlanChargeFilter("pro", "more", { filter }));
const filterId = inFilter.filter.lago_id;
await step("findAllPlanChargeFilters", p.findAllPlanChargeFilters("pro", "more"));
await step("findPlanChargeFilter", p.findPlanChargeFilter("pro", "more", filterId));
await step("updatePlanChargeFilter", p.updatePlanChargeFilter("pro", "more", filterId, { filter: { invoice_display_name: "Europe" } }));
await step("destroyPlanChargeFilter", p.destroyPlanChargeFilter("pro", "more", filterId));
await step("destroyPlanCharge", p.destroyPlanCharge("pro", "more"));
const fixed = { add_on_id: seat.lago_id, code: "extra", charge_model: "standard", units: 1, properties: { amount: "3" } };
await step("createPlanFixedCharge", p.createPlanFixedCharge("pro", { fixed_charge: fixed }));
await step("updatePlanFixedCharge", p.updatePlanFixedCharge("pro", "extra", { fixed_charge: { units: "3" } }));
await step("findPlanFixedCharge", p.findPlanFixedCharge("pro", "extra"));
await step("findAllPlanFixedCharges", p.findAllPlanFixedCharges("pro"));
await step("destroyPlanFixedCharge", p.destroyPlanFixedCharge("pro", "extra"));
await step("createPlan2", p.createPlan({ plan: { ...plan, code: "gone", charges: [], fixed_charges: [], usage_thresholds: [] } }));
await step("destroyPlan", p.destroyPlan("gone"));

const coupon = { name: "Welcome", code: "welcome", coupon_type: "fixed_amount", amount_cents: 400, amount_currency: "EUR", frequency: "once", expiration: "no_expiration", reusable: true };
await step("createCoupon", lago.coupons.createCoupon({ coupon }));
await step("updateCoupon", lago.coupons.updateCoupon("welcome", { coupon: { name: "Welcome!" } }));
await step("findCoupon", lago.coupons.findCoupon("welcome"));
await step("findAllCoupons", lago.coupons.findAllCoupons());
await step("createCoupon2", lago.coupons.createCoupon({ coupon: { ...coupon, code: "gone" } }));
await step("destroyCoupon", lago.coupons.destroyCoupon("gone"));

// --- The customer ------------------------------------------------------------------------------------------------
const c = lago.customers;
const acme = {
  external_id: "acme",
  name: "Acme",
  email: "ap@acme.example",
  currency: "EUR",
  country: "FR",
  timezone: "Europe/Paris",
  tax_codes: ["vat"],
  billing_configuration: { document_locale: "fr", invoice_grace_period: 0 },
  metadata: [{ key: "crm", value: "42", display_in_invoice: true }],
};
await step("createCustomer", c.createCustomer({ customer: acme }));
await step("upsertCustomer", c.createCustomer({ customer: { external_id: "acme", legal_name: "Acme SARL" } }));
await step("findCustomer", c.findCustomer("acme"));
await step("findAllCustomers", c.findAllCustomers({ search_term: "Acme" }));
const portal = await step("getCustomerPortalUrl", c.getCustomerPortalUrl("acme"));
assert.ok(portal.customer.portal_url.startsWith("http"));
await refused("generateCustomerCheckoutUrl", 422, "", c.generateCustomerCheckoutUrl("acme"));
await step("findAllCustomersPaymentMethods", c.findAllCustomersPaymentMethods("acme"));

const applied = await step("applyCoupon", lago.appliedCoupons.applyCoupon({ applied_coupon: { external_customer_id: "acme", coupon_code: "welcome" } }));
const second = await step("applyCoupon2", lago.appliedCoupons.applyCoupon({ applied_coupon: { external_customer_id: "acme", coupon_code: "welcome", amount_cents: 100, amount_currency: "EUR" } }));
await step("findAllAppliedCoupons", lago.appliedCoupons.findAllAppliedCoupons({ external_customer_id: "acme", status: "active" }));
await step("findAllCustomerAppliedCoupons", c.findAllCustomerAppliedCoupons("acme"));
await step("deleteAppliedCoupon", c.deleteAppliedCoupon("acme", second.applied_coupon.lago_id));

const w = lago.wallets;
const wallet = { external_customer_id: "acme", name: "Prepaid", code: "prepaid", rate_amount: "1.0", currency: "EUR", granted_credits: "5", paid_credits: "0" };
const { wallet: purse } = await step("createWallet", w.createWallet({ wallet }));
await step("updateWallet", w.updateWallet(purse.lago_id, { wallet: { name: "Prepaid credits", recurring_transaction_rules: [{ trigger: "interval", interval: "monthly", method: "fixed", paid_credits: "0", granted_credits: "1" }] } }));
await step("findWallet", w.findWallet(purse.lago_id));
await step("findAllWallets", w.findAllWallets({ external_customer_id: "acme" }));
await step("replaceWalletMetadata", w.replaceWalletMetadata(purse.lago_id, { metadata: { a: "1" } }));
await step("mergeWalletMetadata", w.mergeWalletMetadata(purse.lago_id, { metadata: { b: "2" } }));
await step("deleteWalletMetadataKey", w.deleteWalletMetadataKey(purse.lago_id, "a"));
await step("deleteAllWalletMetadata", w.deleteAllWalletMetadata(purse.lago_id));
const topUps = await step("createWalletTransaction", lago.walletTransactions.createWalletTransaction({ wallet_transaction: { wallet_id: purse.lago_id, granted_credits: "2", name: "A gift" } }));
const topUp = topUps.wallet_transactions[0];
assert.equal(topUp.credit_amount, "2.0");
await step("createWalletTransaction2", lago.walletTransactions.createWalletTransaction({ wallet_transaction: { wallet_id: purse.lago_id, voided_credits: "2" } }));
const bought = await step("createWalletTransaction3", lago.walletTransactions.createWalletTransaction({ wallet_transaction: { wallet_id: purse.lago_id, paid_credits: "9" } }));
assert.equal(bought.wallet_transactions[0].status, "pending");
await step("findWalletTransaction", lago.walletTransactions.findWalletTransaction(topUp.lago_id));
await step("findAllWalletTransactions", w.findAllWalletTransactions(purse.lago_id));
await step("findAllWalletTransactionConsumptions", lago.walletTransactions.findAllWalletTransactionConsumptions(topUp.lago_id));
await refused("walletTransactionPaymentUrl", 422, "", lago.walletTransactions.walletTransactionPaymentUrl(bought.wallet_transactions[0].lago_id));
await step("createCustomerWallet", c.createCustomerWallet("acme", { wallet: { name: "Gone", code: "gone", rate_amount: "1", currency: "EUR" } }));
await step("updateCustomerWallet", c.updateCustomerWallet("acme", "gone", { wallet: { name: "Going" } }));
await step("findCustomerWallet", c.findCustomerWallet("acme", "gone"));
await step("findAllCustomerWallets", c.findAllCustomerWallets("acme"));
await step("replaceCustomerWalletMetadata", c.replaceCustomerWalletMetadata("acme", "gone", { metadata: { a: "1" } }));
await step("mergeCustomerWalletMetadata", c.mergeCustomerWalletMetadata("acme", "gone", { metadata: { b: "2" } }));
await step("deleteCustomerWalletMetadataKey", c.deleteCustomerWalletMetadataKey("acme", "gone", "a"));
await step("deleteAllCustomerWalletMetadata", c.deleteAllCustomerWalletMetadata("acme", "gone"));
const low = { alert_type: "wallet_balance_amount", code: "low", name: "Low", thresholds: [{ code: "warn", value: "100" }] };
await step("createCustomerWalletAlert", c.createCustomerWalletAlert("acme", "gone", { alert: low }));
await step("updateCustomerWalletAlert", c.updateCustomerWalletAlert("acme", "gone", "low", { alert: { name: "Lower" } }));
await step("getCustomerWalletAlert", c.getCustomerWalletAlert("acme", "gone", "low"));
await step("getCustomerWalletAlerts", c.getCustomerWalletAlerts("acme", "gone"));
await step("deleteCustomerWalletAlert", c.deleteCustomerWalletAlert("acme", "gone", "low"));
await step("deleteAllCustomerWalletAlerts", c.deleteAllCustomerWalletAlerts("acme", "gone"));
await step("destroyCustomerWallet", c.destroyCustomerWallet("acme", "gone"));

// --- The subscription and its usage ------------------------------------------------------------------------------
const s = lago.subscriptions;
const { subscription } = await step("createSubscription", s.createSubscription({ subscription: { external_customer_id: "acme", plan_code: "pro", external_id: "acme-pro", name: "Pro of Acme", billing_time: "anniversary" } }));
assert.equal(subscription.status, "active");
await step("updateSubscription", s.updateSubscription("acme-pro", { subscription: { name: "Acme Pro" } }));
await step("findSubscription", s.findSubscription("acme-pro"));
await step("findAllSubscriptions", s.findAllSubscriptions({ external_customer_id: "acme", "status[]": ["active"] }));
await step("findAllCustomerSubscriptions", c.findAllCustomerSubscriptions("acme"));
await step("findAllSubscriptionEntitlements", s.findAllSubscriptionEntitlements("acme-pro"));
await step("updateSubscriptionEntitlements", s.updateSubscriptionEntitlements("acme-pro", { entitlements: { seats: { max: 30 } } }));
await step("destroySubscriptionEntitlementPrivilege", s.destroySubscriptionEntitlementPrivilege("acme-pro", "seats", "max"));
await step("destroySubscriptionEntitlement", s.destroySubscriptionEntitlement("acme-pro", "seats"));
await step("findAllSubscriptionCharges", s.findAllSubscriptionCharges("acme-pro"));
await step("findSubscriptionCharge", s.findSubscriptionCharge("acme-pro", "calls"));
await step("findAllSubscriptionChargeFilters", s.findAllSubscriptionChargeFilters("acme-pro", "calls"));
await step("findAllSubscriptionFixedCharges", s.findAllSubscriptionFixedCharges("acme-pro"));
await step("findSubscriptionFixedCharge", s.findSubscriptionFixedCharge("acme-pro", "seats"));
const usage = { alert_type: "current_usage_amount", code: "spend", name: "Spend", thresholds: [{ code: "warn", value: "100000" }] };
await step("createSubscriptionAlert", s.createSubscriptionAlert("acme-pro", { alert: usage }));
await step("updateSubscriptionAlert", s.updateSubscriptionAlert("acme-pro", "spend", { alert: { name: "Spending" } }));
await step("getSubscriptionAlert", s.getSubscriptionAlert("acme-pro", "spend"));
await step("getSubscriptionAlerts", s.getSubscriptionAlerts("acme-pro"));
await step("deleteSubscriptionAlert", s.deleteSubscriptionAlert("acme-pro", "spend"));
await step("deleteAllSubscriptionAlerts", s.deleteAllSubscriptionAlerts("acme-pro"));

const e = lago.events;
const event = { transaction_id: "tx-1", external_subscription_id: "acme-pro", code: "calls", properties: { units: 4, region: "eu" } };
await step("createEvent", e.createEvent({ event }));
await refused("createEventAgain", 422, "value_already_exist", e.createEvent({ event }));
await step("createBatchEvents", e.createBatchEvents({ events: [{ ...event, transaction_id: "tx-2", properties: { units: "2", region: "us" } }, { ...event, transaction_id: "tx-3", properties: { units: 6 } }] }));
await step("findEvent", e.findEvent("tx-1"));
await step("findAllEvents", e.findAllEvents({ external_subscription_id: "acme-pro" }));
// 4 and 6 calls at 0.25 and 2 at 0.50: 2.50 + 1.00 = 3.50
const current = await step("findCustomerCurrentUsage", c.findCustomerCurrentUsage("acme", { external_subscription_id: "acme-pro" }));
assert.equal(current.customer_usage.amount_cents, 350);
await step("findCustomerProjectedUsage", c.findCustomerProjectedUsage("acme", { external_subscription_id: "acme-pro" }));
await step("findAllCustomerPastUsage", c.findAllCustomerPastUsage("acme", { external_subscription_id: "acme-pro" }));
await refused("eventEstimateFees", 422, "does_not_match_an_instant_charge", e.eventEstimateFees({ event: { code: "calls", external_subscription_id: "acme-pro", properties: { units: "1" } } }));
await step("getSubscriptionLifetimeUsage", s.getSubscriptionLifetimeUsage("acme-pro"));
await step("updateSubscriptionLifetimeUsage", s.updateSubscriptionLifetimeUsage("acme-pro", { lifetime_usage: { external_historical_usage_amount_cents: 100 } }));
await step("overrideSubscriptionCharge", s.overrideSubscriptionCharge("acme-pro", "calls", { charge: { properties: { amount: "0.2" } } }));
const own = await step("createSubscriptionChargeFilter", s.createSubscriptionChargeFilter("acme-pro", "calls", { filter: { invoice_display_name: "EU", properties: { amount: "0.1" }, values: { region: ["eu"] } } }));
await step("findSubscriptionChargeFilter", s.findSubscriptionChargeFilter("acme-pro", "calls", own.filter.lago_id));
await step("updateSubscriptionChargeFilter", s.updateSubscriptionChargeFilter("acme-pro", "calls", own.filter.lago_id, { filter: { properties: { amount: "0.15" } } }));
await step("destroySubscriptionChargeFilter", s.destroySubscriptionChargeFilter("acme-pro", "calls", own.filter.lago_id));
await step("overrideSubscriptionFixedCharge", s.overrideSubscriptionFixedCharge("acme-pro", "seats", { fixed_charge: { units: "3" } }));

// --- Invoices and money ------------------------------------------------------------------------------------------
const i = lago.invoices;
const invoices = await step("findAllInvoices", i.findAllInvoices({ external_customer_id: "acme", "invoice_type": "subscription" }));
assert.equal(invoices.invoices.length, 1);
const first = invoices.invoices[0];
// 10.00 - 4.00 of the coupon = 6.00, 20 % tax 1.20, 7.20; 5.00 of granted credit: 2.20 are due.
assert.deepEqual([first.fees_amount_cents, first.coupons_amount_cents, first.taxes_amount_cents, first.prepaid_credit_amount_cents, first.total_amount_cents], [1000, 400, 120, 500, 220]);
await step("findInvoice", i.findInvoice(first.lago_id));
await step("findAllCustomerInvoices", c.findAllCustomerInvoices("acme"));
await step("updateInvoice", i.updateInvoice(first.lago_id, { invoice: { metadata: [{ key: "po", value: "7" }] } }));
await step("downloadInvoice", i.downloadInvoice(first.lago_id));
await refused("retryInvoice", 405, "", i.retryInvoice(first.lago_id));
await refused("invoicePaymentUrl", 422, "", i.invoicePaymentUrl(first.lago_id));
await refused("finalizeInvoice", 405, "invalid_status", i.finalizeInvoice(first.lago_id));

const paid = await step("createPayment", lago.payments.createPayment({ payment: { invoice_id: first.lago_id, amount_cents: 220, reference: "wire 1" } }));
assert.equal(paid.payment.payment_status, "succeeded");
await step("findPayment", lago.payments.findPayment(paid.payment.lago_id));
await step("findAllPayments", lago.payments.findAllPayments({ external_customer_id: "acme" }));
await step("findAllCustomerPayments", c.findAllCustomerPayments("acme"));
const receipts = await step("findAllPaymentReceipts", lago.paymentReceipts.findAllPaymentReceipts({ invoice_id: first.lago_id }));
if (receipts.payment_receipts.length) await step("findPaymentReceipt", lago.paymentReceipts.findPaymentReceipt(receipts.payment_receipts[0].lago_id));

const oneOff = { external_customer_id: "acme", currency: "EUR", fees: [{ add_on_code: "setup", units: "2", unit_amount_cents: 4000, description: "Two days" }] };
const { invoice: sale } = await step("createInvoice", i.createInvoice({ invoice: oneOff }));
// 2 x 40.00 = 80.00 and 20 %: 96.00
assert.deepEqual([sale.invoice_type, sale.total_amount_cents], ["one_off", 9600]);
await step("loseDisputeInvoice", i.loseDisputeInvoice(sale.lago_id));
const { invoice: other } = await step("createInvoice2", i.createInvoice({ invoice: oneOff }));
await step("voidInvoice", i.voidInvoice(other.lago_id, {}));
await step("invoicePreview", i.invoicePreview({ customer: { external_id: "acme" }, plan_code: "pro", billing_time: "anniversary" }));
await refused("createPaymentRequest", 405, "invoices_not_overdue", lago.paymentRequests.createPaymentRequest({ payment_request: { external_customer_id: "acme", lago_invoice_ids: [sale.lago_id] } }));
await step("findAllPaymentRequests", lago.paymentRequests.findAllPaymentRequests());
await step("findAllCustomerPaymentRequests", c.findAllCustomerPaymentRequests("acme"));

const fees = await step("findAllFees", lago.fees.findAllFees({ external_customer_id: "acme", fee_type: "add_on" }));
const fee = fees.fees.find((one) => one.lago_invoice_id === sale.lago_id);
await step("findFee", lago.fees.findFee(fee.lago_id));
await step("createPayment2", lago.payments.createPayment({ payment: { invoice_id: sale.lago_id, amount_cents: 9600, reference: "wire 2" } }));
const n = lago.creditNotes;
const items = [{ fee_id: fee.lago_id, amount_cents: 1000 }];
const estimate = await step("estimateCreditNote", n.estimateCreditNote({ credit_note: { invoice_id: sale.lago_id, items } }));
// 10.00 of 80.00 and its 20 %: 12.00
assert.equal(estimate.estimated_credit_note.max_creditable_amount_cents, 1200);
const note = await step("createCreditNote", n.createCreditNote({ credit_note: { invoice_id: sale.lago_id, reason: "other", credit_amount_cents: 1200, refund_amount_cents: 0, items } }));
const noteId = note.credit_note.lago_id;
await step("findCreditNote", n.findCreditNote(noteId));
await step("findAllCreditNotes", n.findAllCreditNotes({ external_customer_id: "acme" }));
await step("findAllCustomerCreditNotes", c.findAllCustomerCreditNotes("acme"));
await step("replaceCreditNoteMetadata", n.replaceCreditNoteMetadata(noteId, { metadata: { a: "1" } }));
await step("mergeCreditNoteMetadata", n.mergeCreditNoteMetadata(noteId, { metadata: { b: "2" } }));
await step("deleteCreditNoteMetadataKey", n.deleteCreditNoteMetadataKey(noteId, "a"));
await step("deleteAllCreditNoteMetadata", n.deleteAllCreditNoteMetadata(noteId));
await step("downloadCreditNote", n.downloadCreditNote(noteId));
await step("voidCreditNote", n.voidCreditNote(noteId));

// --- Hooks, figures and logs -------------------------------------------------------------------------------------
const h = lago.webhookEndpoints;
const { webhook_endpoint: hook } = await step("createWebhookEndpoint", h.createWebhookEndpoint({ webhook_endpoint: { webhook_url: "https://example.com/hooks", signature_algo: "hmac", event_types: ["invoice.created"] } }));
await step("updateWebhookEndpoint", h.updateWebhookEndpoint(hook.lago_id, { webhook_endpoint: { webhook_url: "https://example.com/hooks/2" } }));
await step("findWebhookEndpoint", h.findWebhookEndpoint(hook.lago_id));
await step("findAllWebhookEndpoints", h.findAllWebhookEndpoints());
await step("destroyWebhookEndpoint", h.destroyWebhookEndpoint(hook.lago_id));
await step("fetchJsonPublicKey", lago.webhooks.fetchJsonPublicKey());

const y = lago.analytics;
await step("findAllGrossRevenues", y.findAllGrossRevenues({ currency: "EUR" }));
await step("findAllMrrs", y.findAllMrrs({ currency: "EUR" }));
await step("findAllOverdueBalances", y.findAllOverdueBalances({ currency: "EUR" }));
await step("findAllInvoiceCollections", y.findAllInvoiceCollections({ currency: "EUR" }));
await step("findAllInvoicedUsages", y.findAllInvoicedUsages({ currency: "EUR" }));
await step("findAllUsages", y.findAllUsages({ currency: "EUR" }));
await step("findAllActivityLogs", lago.activityLogs.findAllActivityLogs());
await step("findAllApiLogs", lago.apiLogs.findAllApiLogs());

// --- The end -----------------------------------------------------------------------------------------------------
const ended = await step("destroySubscription", s.destroySubscription("acme-pro"));
assert.equal(ended.subscription.status, "terminated");
await step("destroyWallet", w.destroyWallet(purse.lago_id));
await step("destroyEntitlement", p.destroyEntitlement("pro", "seats"));
await step("destroyCustomer", c.destroyCustomer("acme"));
await refused("findCustomerGone", 404, "customer_not_found", c.findCustomer("acme"));

process.stdout.write(JSON.stringify(answers));
