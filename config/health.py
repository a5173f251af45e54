"""Two probes for whoever watches the server: is it alive, and can it serve. They show no data and need no key."""

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations import executor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators import cache, http


@http.require_safe
@cache.never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process handles requests. A slow database must not restart servers."""
    return JsonResponse({"status": "ok"})


@http.require_safe
@cache.never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if the database answers and has every migration, else 503 with the check that failed."""
    checks = {"database": "ok", "migrations": "ok"}
    try:
        if pending_migrations():
            checks["migrations"] = "pending"
    except DatabaseError:
        checks = {"database": "unreachable", "migrations": "unknown"}
    ready = all(state == "ok" for state in checks.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503)


def pending_migrations() -> list[str]:
    """Return the migrations the database lacks as `app.name`, in the order they would run. Raises DatabaseError."""
    migrations = executor.MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    plan = migrations.migration_plan(migrations.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
