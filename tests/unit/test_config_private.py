"""Folders, tokens, addresses: what must stay private does."""

from __future__ import annotations

import os
import pickle
import stat
from pathlib import Path

import pytest

from mdm_tui.config.connections import Connection
from mdm_tui.config.credentials import Secret, source, token
from mdm_tui.config.errors import ConfigError
from mdm_tui.config.paths import Paths

URL = "https://api.example.com/v1"


def make(**values: object) -> Connection:
    return Connection(**({"name": "acme", "provider": "applivery", "url": URL, "organization": "acme"} | values))  # type: ignore[arg-type]


def private(path: Path, text: str = "tok-123\n", mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "[::1]"])
def test_http_only_to_this_machine(host: str) -> None:
    assert make(url=f"http://{host}:8080/v1").url == f"http://{host}:8080/v1"


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.0.4/v1",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "ftp://api.example.com",
        "https://",
        "https://a b/",
        "https://a\nb/",
        "https://api.example.com\\@evil.example",
        "https://token@api.example.com",
        "https://api.example.com:99999/",
        "https://api.example.com/#x",
        "https://[::1/",
        "",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(url=url)
    assert caught.value.key == "url"


def test_scope_is_neither_port_nor_name() -> None:
    one = make(url="http://127.0.0.1:1/v1", name="one")
    two = make(url="http://127.0.0.1:2/v1", name="two")
    assert one.scope == two.scope == "applivery:acme"


def test_token_env_wins_then_the_general_one_then_the_file(tmp_path: Path) -> None:
    path = private(tmp_path / "token")
    by_env, by_file = make(token_env="ACME"), make(token_file=str(path))
    assert token(by_env, {"ACME": "a", "MDM_TUI_TOKEN": "b"}).reveal() == "a"
    assert token(by_env, {"MDM_TUI_TOKEN": "b"}).reveal() == "b"
    assert token(by_file, {"MDM_TUI_TOKEN": "b"}).reveal() == "b"
    assert token(by_file, {}).reveal() == "tok-123"
    assert source(by_file, {}) == f"file {path}"
    assert source(by_env, {"ACME": "a"}) == "environment variable ACME"
    assert source(by_env, {}) == ""


def test_both_sources_on_one_connection_are_refused() -> None:
    with pytest.raises(ConfigError, match="one of them"):
        make(token_env="A", token_file="b")


def test_no_token_names_what_was_looked_at() -> None:
    with pytest.raises(ConfigError, match="ACME and MDM_TUI_TOKEN are not set"):
        token(make(token_env="ACME"), {})


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "tök", "\x1b[31m"])
def test_what_is_no_token_is_refused_and_not_printed(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        token(make(token_env="ACME"), {"ACME": value})
    assert value not in caught.value.sentence()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620])
def test_a_token_file_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="chmod 600"):
        token(make(token_file=str(private(tmp_path / "token", mode=mode))), {})


def test_a_token_file_must_be_a_plain_file(tmp_path: Path) -> None:
    private(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="symbolic link"):
        token(make(token_file=str(tmp_path / "link")), {})
    with pytest.raises(ConfigError, match="not a plain file"):
        token(make(token_file=str(tmp_path)), {})
    with pytest.raises(ConfigError, match="does not exist"):
        token(make(token_file=str(tmp_path / "gone")), {})
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="not a plain file"):
        token(make(token_file=str(tmp_path / "pipe")), {})
    with pytest.raises(ConfigError, match="is empty"):
        token(make(token_file=str(private(tmp_path / "empty", ""))), {})
    with pytest.raises(ConfigError, match="larger than a token"):
        token(make(token_file=str(private(tmp_path / "big", "x" * 20_000))), {})


def test_another_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = private(tmp_path / "token")
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(ConfigError, match="another user"):
        token(make(token_file=str(path)), {})
    with pytest.raises(ConfigError, match="another user"):
        Paths.ensure(tmp_path)


def test_a_secret_never_prints() -> None:
    secret = Secret("tok-123")
    for text in (str(secret), repr(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", "%s" % secret, repr([secret])):  # noqa: UP031
        assert "tok" not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret == Secret("tok-123")
    assert secret != Secret("tok-124")
    assert secret != "tok-123"
    assert not Secret("")


def test_home_holds_all_four(tmp_path: Path) -> None:
    paths = Paths.default({"MDM_TUI_HOME": str(tmp_path)})
    assert {path.parent for path in (paths.config, paths.state, paths.cache, paths.data)} == {tmp_path}
    assert paths.journal == tmp_path / "state" / "journal.db"
    assert paths.mirror == tmp_path / "cache" / "mirror.db"
    assert paths.config_file == tmp_path / "config" / "config.toml"
    assert Paths.default({"MDM_TUI_HOME": "~/x"}).config.is_absolute()
    assert Paths.default({"MDM_TUI_HOME": "here"}).config.is_absolute()


def test_platform_folders_are_apart_from_each_other() -> None:
    paths = Paths.default({})
    assert len({paths.config, paths.state, paths.cache, paths.data}) >= 3
    assert "mdm-tui" in str(paths.state)


def test_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = Paths.ensure(tmp_path / "a" / "b")
    finally:
        os.umask(old)
    assert stat.S_IMODE(made.stat().st_mode) == stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    made.chmod(0o755)
    Paths.ensure(made)
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="MDM_TUI_HOME"):
        Paths.ensure(tmp_path / "file" / "below")
