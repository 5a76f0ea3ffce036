"""The configuration file: what it gives, and what it says when it is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mdm_tui.config.errors import nearest
from mdm_tui.config.lines import find_line
from mdm_tui.config.settings import ConfigError, Settings, example, load

GOOD = """\
default = "acme"

[console]
theme = "day"
poll_seconds = 30
budget = 500

[connections.acme]
provider = "applivery"
url = "https://api.example.com/v1/"
organization = "acme-logistics"
token_env = "ACME_TOKEN"
production = true

[connections.lab]
provider = "applivery"
url = "http://127.0.0.1:8080/v1"
organization = "0123456789abcdef01234567"
token_file = "lab.token"
read_only = true
timeout = 5
budget = 9000
"""


def read(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load(path, env or {})


def refused(tmp_path: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    error = caught.value
    assert error.file == tmp_path / "config.toml"
    assert str(error.file) in error.sentence()
    return error


def test_missing_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path / "none.toml", {})
    assert settings.connections == {}
    assert (settings.theme, settings.poll_seconds, settings.page_size, settings.default) == ("night", 15.0, 100, "")


def test_a_whole_file(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)
    acme, lab = settings.connections["acme"], settings.connections["lab"]
    assert (settings.theme, settings.poll_seconds, settings.default) == ("day", 30.0, "acme")
    assert (acme.scope, acme.production, acme.read_only) == ("applivery:acme-logistics", True, False)
    assert (acme.budget, lab.budget) == (500, 9000), "a connection's own limit wins over the console's"
    assert (lab.timeout, lab.read_only) == (5.0, True)
    assert lab.token_file == str(tmp_path / "lab.token"), "relative to the configuration"


def test_keys_with_and_without_quotes(tmp_path: Path) -> None:
    settings = read(tmp_path, '[keys]\nquit = "ctrl+x"\nfilter.open = "f"\n"sort.by" = "o"\n')
    assert settings.keys == {"quit": "ctrl+x", "filter.open": "f", "sort.by": "o"}
    error = refused(tmp_path, "[keys]\nfilter.open = 3\n")
    assert (error.line, error.key) == (2, "keys.filter.open")


def test_environment_names_the_connection(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD, {"MDM_TUI_CONNECTION": "lab"}).default == "lab"


def test_the_only_connection_is_the_default(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD.split("[connections.lab]")[0].replace('default = "acme"', "")).default == "acme"


def test_the_example_is_read(tmp_path: Path) -> None:
    settings = read(tmp_path, example())
    assert settings.connections["acme"].read_only
    assert settings.default == "acme"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('theme = "day"', 'thme = "day"', 4, "did you mean 'theme'"),
        ("poll_seconds = 30", "poll_seconds = 1", 5, "a number from 5 to 3600"),
        ("poll_seconds = 30", 'poll_seconds = "30"', 5, "a number from 5 to 3600"),
        ("budget = 500", "budget = true", 6, "a whole number"),
        ("production = true", "production = 1", 13, "true or false"),
        ("production = true", "prodction = true", 13, "did you mean 'production'"),
        ('provider = "applivery"\nurl = "https', 'url = "https', 8, "provider: is missing"),
        ('url = "https://api.example.com/v1/"', 'url = "http://api.example.com/v1"', 10, "unprotected"),
        ('url = "https://api.example.com/v1/"', 'url = "https://u:pw@api.example.com"', 10, "user name"),
        ('url = "https://api.example.com/v1/"', 'url = "https://api.example.com/?a=1"', 10, "query"),
        ('url = "https://api.example.com/v1/"', 'url = "api.example.com"', 10, "https://host"),
        ('organization = "acme-logistics"', 'organization = "a/../b"', 11, "organisation's id"),
        ('token_env = "ACME_TOKEN"', 'token_env = "not a name"', 12, "environment variable"),
        ('default = "acme"', 'default = "acne"', 1, "did you mean 'acme'"),
        ('default = "acme"', "default = 3", 1, "in quotes"),
        ('default = "acme"', 'theme = "day"', 1, "belongs in [console]"),
        ("budget = 500", 'default = "acme"', 6, "top of the file"),
        ("[connections.acme]", "[acme]", 8, "[connections.acme]"),
        ("[connections.acme]", '[connections."a b"]', 8, "letters, digits"),
        ("budget = 500", "budget = ", 6, "column"),
        ("budget = 500", "theme = 'x'", 6, "TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    error = refused(tmp_path, GOOD.replace(old, new, 1))
    assert error.line == line, error.sentence()
    assert says in error.sentence()


def test_a_secret_in_the_wrong_place_is_not_printed(tmp_path: Path) -> None:
    text = GOOD.replace('"ACME_TOKEN"', '"s3cr3t-value!"').replace("https://api", "https://me:hunter2@api")
    assert "s3cr3t" not in refused(tmp_path, text).sentence()
    assert "hunter2" not in refused(tmp_path, GOOD.replace("https://api", "https://me:hunter2@api")).sentence()


def test_what_is_no_file_is_said_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/null")):
        with pytest.raises(ConfigError, match="is not a plain file") as caught:
            load(path, {})
        assert str(path) in caught.value.sentence()
    (tmp_path / "real.toml").write_text('default = ""\n')
    (tmp_path / "link.toml").symlink_to(tmp_path / "real.toml")
    assert load(tmp_path / "link.toml", {}).default == "", "as people keep their settings"


def test_not_text(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"default = 'x'\n\xff")
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert caught.value.line == 2


def test_unknown_connection_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'acme'.*Allowed: acme, lab"):
        read(tmp_path, GOOD).connection("acmee")


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a = 1\n[t]\nb = 2\n", "t.b", 3),
        ("[t]\nx.y = 1\n", "t.x.y", 2),
        ('[t."q r"]\nz = 1\n', "t.q r.z", 2),
        ("t = { b = 1 }\n", "t.b", 1),
        ('[t]\na = """\nb = 3\n"""\nb = 4\n', "t.b", 5),
        ("[t]\n# b = 1\n", "t.b", 1),
        ("a = 1\n", "nowhere", None),
        ("a = 1\n", "", None),
    ],
)
def test_find_line(text: str, key: str, line: int | None) -> None:
    assert find_line(text, key) == line


def test_nearest() -> None:
    assert nearest("Tokn_env", ["token_env", "url"]) == "token_env"
    assert nearest("zzz", ["token_env", "url"]) == ""


def test_endless_nesting_is_a_mistake_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("a = " + "[" * 5_000)
    with pytest.raises(ConfigError, match="nested too deep") as caught:
        load(path, {})
    assert str(path) in str(caught.value)
