"""The schedule of periodic jobs. Owns the step from the registered jobs to the rows that the scheduler reads."""

from __future__ import annotations

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from config.kernel import jobs


def scheduled() -> list[jobs.PeriodicJob]:
    """Return the registered jobs that have times, in the order of their registration."""
    return [job for job in jobs.periodic_jobs().values() if job.minutes]


@transaction.atomic
def sync() -> list[str]:
    """Give every registered job with times a row in the schedule, and return the names of the new ones.

    Rows are known by their name. What staff changed (times, whether a job is enabled) stays; nothing is deleted.
    Only the task's path follows the code.
    """
    made = []
    for job in scheduled():
        row, is_new = PeriodicTask.objects.get_or_create(
            name=job.name,
            defaults={"task": job.task, "crontab": _times(job.minutes, job.hours), "description": job.description},
        )
        if is_new:
            made.append(job.name)
        elif row.task != job.task:
            row.task = job.task
            row.save(update_fields=["task", "date_changed"])
    return made


def _times(minutes: str, hours: str) -> CrontabSchedule:
    """The times of a job that is due at these minutes of these hours. Staff may have made the same times twice."""
    daily = {"hour": hours, "day_of_week": "*", "day_of_month": "*", "month_of_year": "*", "timezone": "UTC"}
    found = CrontabSchedule.objects.filter(minute=minutes, **daily).order_by("pk").first()
    return found or CrontabSchedule.objects.create(minute=minutes, **daily)
