"""App configuration of the platform."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string

ROLES = "config.platform.services.roles.ensure"  # by name: models cannot be imported before the apps are ready


class PlatformConfig(AppConfig):
    """The installation itself."""

    name = "config.platform"
    label = "platform"
    verbose_name = "Settings"

    def ready(self) -> None:
        """Let no installation be without its roles. The only signal of the product, and one of set-up."""
        post_migrate.connect(ensure_roles, dispatch_uid="config.platform.roles")


def ensure_roles(sender: AppConfig, **_: Any) -> None:
    """Make the roles once all apps are migrated, when all rights are there."""
    with_models = [config for config in apps.get_app_configs() if config.models_module is not None]
    if sender == with_models[-1]:
        import_string(ROLES)()
