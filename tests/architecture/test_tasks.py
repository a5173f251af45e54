"""Services name tasks by path, which no import checks: so each path is looked up here."""

import ast
import inspect
from collections.abc import Iterator

from django.utils import module_loading

from config import celery
from config.kernel import jobs
from tests.architecture import sources


def test_every_task_path_resolves() -> None:
    celery.app.autodiscover_tasks(force=True)
    unknown = [f"{place}: {path}" for place, path in _enqueued() if path not in celery.app.tasks]
    assert unknown == []


def test_task_paths_are_written_out() -> None:
    """A path that is put together at run time cannot be checked."""
    hidden = [place for place, path in _enqueued() if path is None]
    assert hidden == []


def test_periodic_jobs_name_a_service_and_a_task_that_exist() -> None:
    celery.app.autodiscover_tasks(force=True)
    for job in jobs.periodic_jobs().values():
        service = module_loading.import_string(job.service)
        assert "as_of" in inspect.signature(service).parameters, job.name
        assert job.task in celery.app.tasks, job.name


def test_tasks_take_keywords_only() -> None:
    """Arguments by name survive a change of the signature while old messages are still on their way."""
    celery.app.autodiscover_tasks(force=True)
    ours = {name: task for name, task in celery.app.tasks.items() if name.split(".")[0] in sources.PRODUCT}
    positional = [
        name
        for name, task in ours.items()
        for parameter in inspect.signature(task.run).parameters.values()
        if parameter.kind not in {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
    ]
    assert positional == []


def _enqueued() -> Iterator[tuple[str, str | None]]:
    for file in sources.files(*sources.PRODUCT):
        for name, node in sources.calls(file):
            if name in ("jobs.enqueue", "jobs.wake"):
                argument = node.args[0] if node.args else None
                literal = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                yield f"{sources.name(file)}:{node.lineno}", argument.value if literal else None
