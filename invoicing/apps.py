"""App configuration."""

from django.apps import AppConfig


class InvoicingConfig(AppConfig):
    """The invoicing app."""

    name = "invoicing"
    verbose_name = "Invoicing"
