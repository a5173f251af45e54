"""The configuration of the embedded server, written anew at each start to fit the machine it starts on.

A line in `local.conf` beside the data directory wins over everything here.
"""

import pathlib

import psutil

MEGABYTE = 1024 * 1024
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
SHARED_MEMORY = pathlib.Path("/dev/shm")  # noqa: S108 - looked at, never written to
SMALL_SHARED_MEMORY = 1024 * MEGABYTE


def memory_megabytes() -> int:
    """Return the memory this process may use: the machine's, or less where a container sets a limit."""
    files = [path for path in map(pathlib.Path, CGROUP_LIMITS) if path.is_file()]
    limits = [int(text) for path in files if (text := path.read_text().strip()).isdigit()]
    return min([psutil.virtual_memory().total, *limits]) // MEGABYTE


def shared_memory_type(folder: pathlib.Path = SHARED_MEMORY) -> str:
    """Return how parallel workers share memory: POSIX segments, or System V where containers keep /dev/shm tiny."""
    if not folder.is_dir():
        return "sysv"
    return "posix" if psutil.disk_usage(str(folder)).total >= SMALL_SHARED_MEMORY else "sysv"


def configuration(*, socket_dir: pathlib.Path, memory: int, shared_memory: str) -> str:
    """Return the text of `postgresql.conf` for a machine with `memory` megabytes."""
    quoted_dir = str(socket_dir).replace("'", "''")
    settings = {
        "listen_addresses": "''",
        "unix_socket_directories": f"'{quoted_dir}'",
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "max_locks_per_transaction": "256",
        "shared_buffers": f"{_between(64, memory // 8, 1024)}MB",
        "effective_cache_size": f"{_between(128, memory // 2, 65536)}MB",
        "maintenance_work_mem": f"{_between(32, memory // 32, 256)}MB",
        "work_mem": f"{_between(4, memory // 512, 32)}MB",
        "dynamic_shared_memory_type": shared_memory,
        # An answer that says "stored" is a promise: it waits for the disk.
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "wal_compression": "on",
        "min_wal_size": "128MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        # Failed statements and rejected rows hold personal data, so they stay out of the log.
        "log_line_prefix": "'%m [%p] %d '",
        "log_min_error_statement": "fatal",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    return "\n".join(["# Written at each start. Put your own settings into ../local.conf.", *lines, ""]) + (
        "include_if_exists = '../local.conf'\n"
    )


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))
