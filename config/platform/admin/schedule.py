"""The schedule of the periodic jobs in the admin: the scheduler's own forms in the theme's look."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_celery_beat.admin import (
    ClockedScheduleAdmin,
    CrontabScheduleAdmin,
    PeriodicTaskAdmin,
    PeriodicTaskForm,
    TaskSelectWidget,
)
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from config.platform.admin import cells, theme
from config.platform.admin.audited import AuditedAdmin
from config.platform.admin.cells import Tone

for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(_model)


class TaskWidget(theme.SelectWidget, TaskSelectWidget):
    """The scheduler's choice of known tasks, in the theme's look."""


class ScheduledJobForm(PeriodicTaskForm):
    """The scheduler's form in the theme's look."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            self.fields["task"].widget = theme.TextWidget()
        if "regtask" in self.fields:
            self.fields["regtask"].widget = TaskWidget()


@admin.register(PeriodicTask)
class ScheduledJobAdmin(PeriodicTaskAdmin, AuditedAdmin):
    """What runs when. Jobs can be paused and moved; what staff changed here stays so."""

    form = ScheduledJobForm
    list_display = ("job", "state", "due", "last_run", "runs_count")
    list_filter = (("enabled", theme.BooleanRadioFilter),)
    search_fields = ("name", "task", "description")
    empty_text = "The jobs of the installation are put on the schedule by manage.py sync_schedule."
    date_hierarchy = None
    change_form_template = None  # the scheduler's own has a script inside the page, which the security policy refuses
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicTask]:
        """Jobs with their schedules."""
        return super().get_queryset(request).select_related("interval", "crontab", "solar", "clocked")

    @theme.display(description="Job", ordering="name")
    def job(self, task: PeriodicTask) -> str:
        """Its name and what it does."""
        return cells.stack(task.name, task.description or task.task)

    @theme.display(description="State", ordering="enabled")
    def state(self, task: PeriodicTask) -> str:
        """Whether the scheduler sends it."""
        return cells.badge("on", Tone.GOOD) if task.enabled else cells.badge("off", Tone.WARN)

    @theme.display(description="Due")
    def due(self, task: PeriodicTask) -> str:
        """The schedule in words."""
        if task.crontab is not None:
            return cells.stack(task.crontab.human_readable, f"{task.crontab.minute} {task.crontab.hour}")
        return str(task.scheduler)

    @theme.display(description="Last sent", ordering="last_run_at")
    def last_run(self, task: PeriodicTask) -> str:
        """When the scheduler last sent it."""
        return cells.instant(task.last_run_at)

    @theme.display(description="Times sent", ordering="total_run_count")
    def runs_count(self, task: PeriodicTask) -> str:
        """How often it was sent since it was set up."""
        return cells.number(task.total_run_count)


class ScheduleAdmin(AuditedAdmin):
    """Base of the kinds of schedules: they are reached from a job, not from the index."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep the index to what people look for."""
        return False


@admin.register(ClockedSchedule)
class ClockAdmin(ClockedScheduleAdmin, ScheduleAdmin):
    """One moment."""

    inlines: tuple[type[Model], ...] = ()


@admin.register(CrontabSchedule)
class CrontabAdmin(CrontabScheduleAdmin, ScheduleAdmin):
    """Minutes, hours and days."""

    inlines: tuple[type[Model], ...] = ()


@admin.register(IntervalSchedule)
class IntervalAdmin(ScheduleAdmin):
    """Every so often."""


@admin.register(SolarSchedule)
class SolarAdmin(ScheduleAdmin):
    """Sunrise, sunset and the like."""
