"""Routes of this app's part of the API, below ``/api/v1/``. External ids and codes may hold slashes."""

from django.urls import path

from customers.api import customers, entities, taxes

urlpatterns = [
    path("customers", customers.Customers.as_view()),
    path("customers/<path:external_id>", customers.Customer.as_view()),
    path("taxes", taxes.Taxes.as_view()),
    path("taxes/<path:code>", taxes.Tax.as_view()),
    path("billing_entities", entities.Entities.as_view()),
    path("billing_entities/<path:code>", entities.Entity.as_view()),
    path("organizations", entities.Organization.as_view()),
]
