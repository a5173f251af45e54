"""Routes of this app's part of the API, below ``/api/v1/``. External ids and codes may hold slashes."""

from django.urls import path

from customers.api import (
    applied_coupons,
    coupons,
    custom_sections,
    customers,
    entities,
    payment_methods,
    portal,
    taxes,
)

urlpatterns = [
    path("customers", customers.Customers.as_view()),
    path("customers/<path:external_id>/applied_coupons", applied_coupons.CustomerAppliedCoupons.as_view()),
    path("customers/<path:external_id>/applied_coupons/<str:lago_id>", applied_coupons.CustomerAppliedCoupon.as_view()),
    path("customers/<path:external_id>/checkout_url", payment_methods.CheckoutUrl.as_view()),
    path("customers/<path:external_id>/payment_methods", payment_methods.PaymentMethods.as_view()),
    path("customers/<path:external_id>/payment_methods/<str:lago_id>", payment_methods.OnePaymentMethod.as_view()),
    path(
        "customers/<path:external_id>/payment_methods/<str:lago_id>/set_as_default",
        payment_methods.DefaultPaymentMethod.as_view(),
    ),
    path("customers/<path:external_id>/portal_url", portal.PortalUrl.as_view()),
    path("customers/<path:external_id>", customers.Customer.as_view()),
    path("coupons", coupons.Coupons.as_view()),
    path("coupons/<path:code>", coupons.Coupon.as_view()),
    path("applied_coupons", applied_coupons.AppliedCoupons.as_view()),
    path("taxes", taxes.Taxes.as_view()),
    path("taxes/<path:code>", taxes.Tax.as_view()),
    path("invoice_custom_sections", custom_sections.Sections.as_view()),
    path("invoice_custom_sections/<path:code>", custom_sections.Section.as_view()),
    path("billing_entities", entities.Entities.as_view()),
    path("billing_entities/<path:code>", entities.Entity.as_view()),
    path("organizations", entities.Organization.as_view()),
]
