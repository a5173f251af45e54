"""Addresses of a quote's page, below ``/quote/<token>/``."""

from django.urls import path

from billing.portal import quotes

urlpatterns = [
    path("", quotes.Offer.as_view(), name="quote-offer"),
    path("document.pdf", quotes.Pdf.as_view(), name="quote-document"),
    path("theme.css", quotes.Theme.as_view(), name="quote-theme"),
    path("logo.svg", quotes.Logo.as_view(), name="quote-logo"),
]
