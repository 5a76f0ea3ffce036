"""A connection that signs in: its keys, its three secrets, its tables of options and paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from mdm_tui.config.credentials import find, secrets, source
from mdm_tui.config.settings import ConfigError, Settings, example, load

SITE = "0c7a9c55-0f6d-4f0e-9a34-1d2f6a8b7c10"
GOOD = f"""\
default = "acme"

[console]
open = ["depot", "acme", "depot"]

[connections.acme]
provider = "applivery"
url = "https://api.example.com/v1/"
organization = "acme-logistics"

[connections.depot]
provider = "midm"
url = "https://midm.example.com"
organization = "{SITE}"
email = "ops@example.com"
password_file = "depot.password"
api_key_env = "DEPOT_KEY"

[connections.depot.options]
bearer = false
api_key_header = "x-key"
tries = 3

[connections.depot.paths]
"app/all" = "/ota/api/apps/all"
"""


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load(path, {})


def test_a_whole_connection(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)
    depot = settings.connections["depot"]
    assert settings.open == ("depot", "acme")
    assert (depot.scope, depot.email, depot.api_key_env) == (f"midm:{SITE}", "ops@example.com", "DEPOT_KEY")
    assert depot.password_file == str(tmp_path / "depot.password"), "relative to the configuration"
    assert depot.options == {"bearer": False, "api_key_header": "x-key", "tries": 3}
    assert depot.paths == {"app/all": "/ota/api/apps/all"}
    assert settings.connections["acme"].options == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('email = "ops@example.com"', 'email = "ops"', 15, "e-mail address"),
        ('email = "ops@example.com"', "email = 3", 15, "text in quotes"),
        ('api_key_env = "DEPOT_KEY"', 'api_key_env = "s3cr3t value"', 17, "not the API key itself"),
        ('api_key_env = "DEPOT_KEY"', 'password_env = "P"', 16, "one of them"),
        ('api_key_env = "DEPOT_KEY"', 'api_keyenv = "P"', 17, "did you mean 'api_key_env'"),
        ("bearer = false", "bearer = 1.5", 20, "true, false or a whole number"),
        ("[connections.depot.options]", "[connections.depot.option]", 19, "did you mean 'options'"),
        ('"app/all" = "/ota/api/apps/all"', '"app/all" = 3', 25, "a path in quotes"),
        ('open = ["depot", "acme", "depot"]', 'open = ["depto"]', 4, "did you mean 'depot'"),
        ('open = ["depot", "acme", "depot"]', "open = [3]", 4, "there is no connection 3"),
        ('open = ["depot", "acme", "depot"]', 'open = "depot"', 4, "a list of names"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert caught.value.line == line, caught.value.sentence()
    assert says in caught.value.sentence()
    assert "s3cr3t" not in caught.value.sentence()


def test_each_secret_is_found_where_it_may_be(tmp_path: Path) -> None:
    depot = read(tmp_path, GOOD).connections["depot"]
    file = tmp_path / "depot.password"
    file.write_text(" päss word \n")
    file.chmod(0o600)
    found = secrets(depot, ("api_key", "password"), {"DEPOT_KEY": "key-1"})
    assert (found["api_key"].reveal(), found["password"].reveal()) == ("key-1", " päss word ")
    env = {"MDM_TUI_API_KEY": "key-2", "MDM_TUI_PASSWORD": "from the environment"}
    assert find(depot, "api_key", env).reveal() == "key-2"
    assert find(depot, "password", env).reveal() == "from the environment"
    assert source(depot, env, "api_key") == "environment variable MDM_TUI_API_KEY"
    assert source(depot, {}, "password") == f"file {file}"
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="others may read the password file") as caught:
        find(depot, "password", {})
    assert caught.value.key == "password_file"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    depot = read(tmp_path, GOOD).connections["depot"]
    with pytest.raises(ConfigError, match=r"no API key: DEPOT_KEY and MDM_TUI_API_KEY are not set.*api_key_file"):
        find(depot, "api_key", {})
    with pytest.raises(ConfigError, match="does not hold an API key") as caught:
        find(depot, "api_key", {"DEPOT_KEY": "two words"})
    assert "two words" not in str(caught.value)
    with pytest.raises(ConfigError, match="does not hold a password") as caught:
        find(depot, "password", {"MDM_TUI_PASSWORD": "a\x1bb"})
    with pytest.raises(ConfigError, match="wants a secret 'ticket'"):
        find(depot, "ticket", {})


def test_what_the_example_shows_of_it_is_read(tmp_path: Path) -> None:
    lines = example().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("# [connections.depot]"))
    shown = [line.removeprefix("#").removeprefix(" ") for line in lines[start:-1]]
    settings = read(tmp_path, "\n".join(shown).replace("the site's uuid", SITE))
    depot = settings.connections["depot"]
    assert (depot.email, depot.options["scope_devices"]) == ("ops@example.com", "serial")
    assert list(depot.paths) == ["app/all"]
