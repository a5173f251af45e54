"""Makes the installation itself a Django application, so that the task application exists wherever Django is set up."""

from django import apps
from django.utils.module_loading import autodiscover_modules

from config import celery


class InstallationConfig(apps.AppConfig):
    """The composition of everything. It has no models."""

    name = "config"
    verbose_name = "Installation"
    task_application = celery.app

    def ready(self) -> None:
        """Load what the apps register: tasks, periodic jobs, listeners, and what they show on lower apps' objects."""
        autodiscover_modules(
            "services.webhook_types",
            "services.approval_actions",
            "tasks",
            "subscribers",
            "api.parts",
            "admin.panels",
            "dashboard.pages",
        )
