"""The embedded server's configuration follows the machine, within bounds."""

import pathlib

import pytest

from config.localdb import tuning


@pytest.mark.parametrize(
    ("memory", "shared_buffers", "work_mem"),
    [
        (256, "64MB", "4MB"),  # 256 / 8 = 32, at least 64; 256 / 512 < 1, at least 4
        (4096, "512MB", "8MB"),  # 4096 / 8; 4096 / 512
        (65536, "1024MB", "32MB"),  # 8192 and 128, cut to 1024 and 32
    ],
)
def test_memory_is_shared_out_within_bounds(memory: int, shared_buffers: str, work_mem: str) -> None:
    text = tuning.configuration(socket_dir=pathlib.Path("/run/x"), memory=memory, shared_memory="posix")
    lines = text.splitlines()
    assert f"shared_buffers = {shared_buffers}" in lines
    assert f"work_mem = {work_mem}" in lines
    assert "listen_addresses = ''" in lines
    assert "unix_socket_directories = '/run/x'" in lines


def test_own_settings_come_last_and_win() -> None:
    text = tuning.configuration(socket_dir=pathlib.Path("/run/x"), memory=1024, shared_memory="posix")
    assert text.rstrip().splitlines()[-1] == "include_if_exists = '../local.conf'"


def test_this_machine_has_memory_to_share_out() -> None:
    assert tuning.memory_megabytes() > 0


def test_no_shared_memory_filesystem_means_system_v(tmp_path: pathlib.Path) -> None:
    assert tuning.shared_memory_type(tmp_path / "absent") == "sysv"
