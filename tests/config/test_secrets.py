"""The generated secret key: made once, private, the same for everybody."""

import pathlib
import threading

from config import secrets


def test_the_key_is_generated_once_and_private(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "secret_key"
    first = secrets.secret_key(path)
    assert len(first) >= 50
    assert secrets.secret_key(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret_key"]


def test_all_who_come_at_once_get_the_same_key(tmp_path: pathlib.Path) -> None:
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(secrets.secret_key(tmp_path / "key"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == len(threads)
    assert len(set(keys)) == 1
