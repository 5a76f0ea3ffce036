"""The README tells the truth where a program can check it."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

from mdm_tui.cli.options import parse
from mdm_tui.config.settings import _CONNECTION, _CONSOLE, load
from mdm_tui.providers.midm import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def _script(name: str):  # type: ignore[no-untyped-def]
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_keys_is_the_registry() -> None:
    made = _script("readme_keys")
    assert made.filled(README) == README, "run: .venv/bin/python scripts/readme_keys.py --write"


def test_the_tables_of_the_services_are_those_of_the_providers() -> None:
    made = _script("readme_services")
    assert made.filled(README) == README, "run: .venv/bin/python scripts/readme_services.py --write"


def test_the_configurations_are_accepted_and_name_every_key(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    blocks = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 3
    for block, default in zip(blocks, ("acme", "depot", "acme"), strict=True):
        block = block.replace('organization = "…"', 'organization = "acme"')
        path.write_text(block.replace('url = "https://…"', 'url = "https://midm.example.com"'))
        assert load(path, {}).default == default
    whole = tomllib.loads(path.read_text())
    assert set(whole["console"]) == set(_CONSOLE)
    # One of the two ways to give a secret stands in a comment.
    files = {"token_file", "api_key_file", "password_file"}
    assert set(whole["connections"]["acme"]) | set(whole["connections"]["depot"]) | files == set(_CONNECTION)
    assert whole["connections"]["depot"]["options"] == OPTIONS, "its defaults"


def test_every_command_and_flag_of_the_table_is_taken() -> None:
    for words in (
        ["demo", "--devices", "500", "--seed", "1", "--scenario", "hostile", "--speed", "1"],
        ["serve", "--port", "0", "--data-dir", "d", "--documented-only", "--devices", "3"],
        ["devices", "van", "--columns", "name,os", "--sort", "-seen,name", "--format", "csv", "--refresh"],
        ["device", "M02", "--format", "md", "--refresh"],
        ["devices", "--both", "--connections", "a,b", "--differs"],
        ["devices", "register", "--csv", "-", "--group", "g", "--license", "l", "--auto-renew", "yes", "--dry-run"],
        ["devices", "register", "--csv", "-", "--confirm", "1", "--reset", "s", "--confirm-reset", "1", "--arm", "n"],
        ["groups", "--devices", "g", "--columns", "name", "--format", "md", "--refresh"],
        ["apps", "--find", "package=com.x", "--page", "1", "--limit", "9"],
        ["images", "--find", "product=x"],
        ["connection", "test", "depot", "--format", "json"],
        ["rollouts", "Spring", "--format", "json", "--refresh"],
    ):
        assert parse(words).command == words[0]
        assert all(word in README for word in words if word.startswith("--"))


def test_every_picture_and_page_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target
