"""The import rules of pyproject.toml hold, and each app is covered by them."""

import pathlib
import subprocess
import sys
import tomllib

from tests.architecture import sources

APPS = ("catalog", "customers", "invoicing", "billing")


def test_import_contracts_are_kept() -> None:
    program = pathlib.Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program, "--no-cache"], check=False, cwd=sources.ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[result.stdout.find("Contracts") :] + result.stderr
    assert "0 broken" in result.stdout


def test_every_app_is_under_contract() -> None:
    configuration = tomllib.loads((sources.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contracts = {contract["id"]: contract for contract in configuration["contracts"]}
    assert set(configuration["root_packages"]) == {*APPS, "config"}
    assert set(contracts["layers"]["containers"]) == set(APPS)
    assert contracts["layers"]["exhaustive"] is True
    assert {f"{app}.domain" for app in APPS} <= set(contracts["pure"]["source_modules"])


def test_the_installation_is_imported_by_nothing() -> None:
    """Apps, platform and kernel know the kernel and the platform of `config`, and nothing that composes them."""
    own = (sources.ROOT / "config" / "kernel", sources.ROOT / "config" / "platform")
    below = [*sources.files(*APPS), *(path for folder in own for path in sources.files(str(folder)))]
    found = [
        f"{sources.name(path)}:{node.lineno} imports {module}"
        for path in below
        for node, module in sources.imports(path)
        if module.split(".")[0] == "config" and not module.startswith(("config.kernel", "config.platform"))
    ]
    assert found == []
    assert len(below) > len(APPS)
