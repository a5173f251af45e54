"""What the surroundings say: environment variables, the file `.env`, and where things lie on disk.

Knows nothing of Django, so that the embedded database and scripts share it. A real variable beats a line in `.env`.
"""

import os
import pathlib

import environ

PACKAGE_DIR = pathlib.Path(__file__).resolve().parent
BASE_DIR = PACKAGE_DIR.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def data_dir() -> pathlib.Path:
    """Return the absolute directory of everything this installation writes, without creating it.

    `DATA_DIR` names it. Otherwise it is `.data` beside the code in a checkout, and `.data` in the current directory
    where the code is installed as a package, because a package directory is replaced on upgrade.
    """
    named = os.environ.get("DATA_DIR", "").strip()
    if named:
        return pathlib.Path(named).expanduser().absolute()
    home = BASE_DIR if (BASE_DIR / "pyproject.toml").is_file() else pathlib.Path.cwd()
    return home / ".data"


def make_private(directory: pathlib.Path) -> pathlib.Path:
    """Create a directory that only its owner can enter, if it is absent, and return it. Safe to repeat."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
