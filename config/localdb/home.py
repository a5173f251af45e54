"""Where an embedded server's files lie, and as whom it runs.

An installation's server lives in `DATA_DIR/postgres`. PostgreSQL refuses to run as root, and the checkout of a root
user may lie where no other user can go (/root, a private temporary directory). So for root that path is a link to a
home of its own under /var/lib, owned by a system user. The home's name is random: a new checkout at an old path
starts empty.
"""

import dataclasses
import hashlib
import os
import pathlib
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from typing import Any

from config import environment
from config.localdb import programs
from config.localdb.errors import INSTEAD, LocalDatabaseError

SHELF = pathlib.Path("/var/lib/quittance")
SYSTEM_USER = "quittance-db"
OTHER_USERS = ("postgres", "nobody")
LINK = "postgres"
OWNER_FILE = "checkout"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 103
"""Bytes that every system accepts for the path of a Unix socket (Linux takes 107)."""
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@~-]+")
"""Paths that need no quoting in the server's list of socket directories."""


@dataclasses.dataclass(frozen=True)
class Home:
    """The places of one server, all absolute. `account` is None where it runs as the current user."""

    data_dir: pathlib.Path
    root: pathlib.Path
    account: pwd.struct_passwd | None

    @property
    def data(self) -> pathlib.Path:
        return self.root / "data"

    @property
    def socket_dir(self) -> pathlib.Path:
        """Beside the data, or in the temporary directory under a derived name where that path is too long."""
        near = self.root / "socket"
        if len(os.fsencode(near / SOCKET_NAME)) <= SOCKET_PATH_LIMIT and PLAIN_PATH.fullmatch(str(near)):
            return near
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return pathlib.Path("/tmp") / f"quittance-{self.uid}-{digest}"  # noqa: S108 - made private, and checked

    @property
    def log(self) -> pathlib.Path:
        return self.data_dir / "postgres.log"

    @property
    def uid(self) -> int:
        return self.account.pw_uid if self.account else os.geteuid()

    @property
    def programs(self) -> pathlib.Path:
        """The directory `bin` with the server's programs, in a place where the server's user can run them."""
        return (programs.copied(SHELF) if self.account else programs.packaged()) / "bin"

    def as_owner(self) -> dict[str, Any]:
        """Return the arguments that make `subprocess` run a program as the server's user."""
        if self.account is None:
            return {"umask": 0o077}
        return {"umask": 0o077, "user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def make_directory(self, directory: pathlib.Path) -> None:
        """Create a directory that only the server's user can enter. Raises LocalDatabaseError if another has it."""
        directory.mkdir(mode=0o700, exist_ok=True)
        if self.account and directory.lstat().st_uid == os.geteuid():
            os.chown(directory, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)
        state = directory.lstat()
        if state.st_uid != self.uid or directory.is_symlink():
            raise LocalDatabaseError(f"{directory} belongs to another user; remove it and start again.")
        directory.chmod(0o700)


def find(data_dir: pathlib.Path) -> Home | None:
    """Return the home of an installation's server, or None if it has none yet. Changes nothing.

    Raises LocalDatabaseError where the home belongs to another user or to another checkout.
    """
    link = data_dir / LINK
    try:
        owner = (link / "data").stat().st_uid
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise LocalDatabaseError(f"{link} belongs to another user: use the user who created it.") from error
    root = link.resolve()
    if link.is_symlink():
        _refuse_copy(link, root)
    return Home(data_dir=data_dir, root=root, account=_account_of(owner, link))


def create(data_dir: pathlib.Path) -> Home:
    """Return the home of an installation's server, making it with an empty data directory if there is none.

    The caller holds the installation's lock. Raises LocalDatabaseError where that is impossible.
    """
    if home := find(data_dir):
        return home
    link = data_dir / LINK
    if os.geteuid() != 0:
        home = Home(data_dir=data_dir, root=environment.make_private(link).resolve(), account=None)
    else:
        if link.is_symlink():
            raise LocalDatabaseError(
                f"{link} leads to {link.readlink()}, which is gone. Remove the link to start empty."
            )
        home = Home(data_dir=data_dir, root=_new_root(link), account=_system_account())
    home.make_directory(home.data)
    if home.account:
        link.symlink_to(home.root)
    return home


def remove(home: Home) -> None:
    """Delete a stopped server's files and its link. Nothing else of the installation is touched."""
    link = home.data_dir / LINK
    shutil.rmtree(home.root)
    if home.socket_dir.parent != home.root:
        shutil.rmtree(home.socket_dir, ignore_errors=True)
    if link.is_symlink():
        link.unlink()


def abandoned() -> list[Home]:
    """Return the homes under /var/lib whose checkout has gone: nothing points at them any more."""
    found = []
    for owner_file in sorted(SHELF.glob(f"*/{OWNER_FILE}")):
        link, root = pathlib.Path(owner_file.read_text()), owner_file.parent
        if not (link.is_symlink() and link.readlink() == root):
            data = root / "data"
            account = _account_of(data.stat().st_uid, root) if data.is_dir() else None
            found.append(Home(data_dir=root, root=root, account=account))
    return found


def _new_root(link: pathlib.Path) -> pathlib.Path:
    try:
        SHELF.mkdir(mode=0o755, parents=True, exist_ok=True)
        root = SHELF / secrets.token_hex(6)
        root.mkdir(mode=0o755)
        root.chmod(0o755)
        (root / OWNER_FILE).write_text(str(link))
    except OSError as error:
        raise LocalDatabaseError(f"root's embedded database needs a place under {SHELF}: {error}. {INSTEAD}") from error
    return root


def _refuse_copy(link: pathlib.Path, root: pathlib.Path) -> None:
    """Two checkouts must not share a database, which a copied link would do. A checkout that was moved is fine."""
    owner_file = root / OWNER_FILE
    original = pathlib.Path(owner_file.read_text()) if owner_file.is_file() else link
    if original == link:
        return
    if original.is_symlink() and original.resolve() == root and not original.parent.samefile(link.parent):
        raise LocalDatabaseError(
            f"{link} was copied from {original} and leads to that installation's database. Remove it to start empty."
        )
    if os.access(owner_file, os.W_OK):
        owner_file.write_text(str(link))


def _account_of(owner: int, place: pathlib.Path) -> pwd.struct_passwd | None:
    if owner == os.geteuid() != 0:
        return None
    if os.geteuid() != 0:
        raise LocalDatabaseError(f"{place} belongs to another user: use the user who created it.")
    if owner == 0:
        raise LocalDatabaseError(f"{place} belongs to root, and PostgreSQL refuses to run as root. Remove it.")
    try:
        return pwd.getpwuid(owner)
    except KeyError as error:
        raise LocalDatabaseError(f"{place} belongs to user {owner}, who does not exist here. Remove it.") from error


def _system_account() -> pwd.struct_passwd:
    """Return the system user of the server, creating it where that is possible; it has no password and no shell."""
    if shutil.which("useradd") and not _known(SYSTEM_USER):
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=False, capture_output=True)
    for name in (SYSTEM_USER, *OTHER_USERS):
        if (account := _known(name)) and _can_become(account):
            return account
    raise LocalDatabaseError(f"PostgreSQL refuses to run as root, and no other user can be used here. {INSTEAD}")


def _known(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _can_become(account: pwd.struct_passwd) -> bool:
    """Say whether a process can change to this user: a container may map only some users."""
    try:
        subprocess.run(
            ["/bin/true"],
            check=True,
            cwd=tempfile.gettempdir(),
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True
