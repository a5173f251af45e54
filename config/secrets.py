"""The installation's generated secret key. Owns how long it is; how it is kept is the kernel's, and a configured key
never comes here.
"""

import pathlib
import secrets

from config.kernel import keyfiles

KEY_BYTES = 48


def secret_key(path: pathlib.Path) -> str:
    """Return the key kept in `path`, generating it on first use, readable by the owner only.

    Several processes may call it at once on a fresh installation. Raises OSError where the directory cannot be written.
    """
    return keyfiles.kept(path, lambda: secrets.token_urlsafe(KEY_BYTES))
