"""The command line's grammar, its refusals and its codes, in the real program where that is what counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mdm_tui.cli import codes, connect, terminal
from mdm_tui.cli.codes import CliError
from mdm_tui.cli.devices import fields_of, sorting
from mdm_tui.cli.main import code_of, main, sentence_of
from mdm_tui.cli.options import parse
from mdm_tui.cli.version import wal_fixed
from mdm_tui.config.errors import ConfigError
from mdm_tui.config.settings import Settings, load
from mdm_tui.fleet.errors import FleetError, Kind

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """\
default = "acme"
[connections.acme]
provider = "applivery"
url = "https://api.example.com/v1"
organization = "acme"
token_file = "t"
"""


def program(*words: str, home: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The real program without a terminal, its files below `home`."""
    whole = {**os.environ, "PYTHONPATH": str(ROOT), "MDM_TUI_HOME": str(home), **(env or {})}
    for name in ("MDM_TUI_CONNECTION", "MDM_TUI_TOKEN", "MDM_TUI_API_KEY", "MDM_TUI_PASSWORD"):
        if name not in (env or {}):
            whole.pop(name, None)
    command = [sys.executable, "-m", "mdm_tui", *words]
    return subprocess.run(
        command, env=whole, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )


def settings(tmp_path: Path, text: str = CONFIG) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load(path, {})


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["frobnicate"], 2, "invalid choice"),
        (["devices", "--format", "xml"], 2, "'table', 'json', 'jsonl', 'csv', 'md'"),
        (["devices", "--sort", "-sen"], 2, "did you mean 'seen'"),
        (["devices", "--columns", "name,batery"], 2, "did you mean 'battery'"),
        (["devices", "--refr"], 2, "unrecognized"),
        (["devices"], 2, "No connection is set up"),
        (["-c", "acme", "devices"], 2, "there is no connection 'acme'"),
        (["device"], 2, "ID-or-SERIAL"),
        (["groups"], 2, "No connection is set up"),
        (["connection"], 2, "action"),
        (["connection", "list", "x"], 2, "list takes no name"),
        (["-c", "acme", "connection", "test", "x"], 2, "name two"),
        (["devices", "--csv", "list.csv"], 2, "devices register --csv FILE"),
        (["devices", "van", "--confirm", "3"], 2, "--confirm goes with devices register --csv FILE"),
        (["devices", "register", "--csv", "-", "--sort", "name"], 2, "--sort does not go with register"),
        (["devices", "register", "--csv", "-", "--dry-run", "--confirm", "3"], 2, "nothing to confirm"),
        (["devices", "register", "--csv", "-", "--confirm-reset", "3"], 2, "goes with --reset"),
        (["devices", "--differs"], 2, "--differs goes with --both"),
        (["-c", "acme", "devices", "--both"], 2, "--connections or the configuration"),
        (["devices", "--both"], 2, "there is none"),
        (["apps", "--page", "2"], 2, "--page goes with --find"),
        (["apps", "--find", "package"], 2, "'package' is not FIELD=VALUE"),
        (["images", "word", "--find", "product=x"], 2, "words or --find"),
        (["images", "--columns", "buildt"], 2, "did you mean 'built'?"),
        (["groups", "--devices", "x", "word"], 2, "words or --devices"),
        (["rollouts", "x", "--format", "csv"], 2, "table, json or md"),
        (["demo", "--devices", "0"], 2, "1 to 1,000,000"),
        (["demo", "--scenario", "wild"], 2, "'calm', 'flaky', 'hostile'"),
        (["--url", "http://far.example/v1", "--organization", "acme", "devices"], 2, "--url: http:// to far.example"),
        (["--url", "https://far.example/v1", "devices"], 2, "--organization is missing"),
        (["devices", "--url", "https://x.example", "--organization", "a b"], 2, "--organization: is 'a b'"),
        (["--provider", "aplivery", "--url", "https://x.example", "--organization", "acme", "devices"], 2, "applivery"),
        (["--token-env", "T", "devices"], 2, "needs a connection"),
        ([], 2, "mdm-tui devices"),
        (["demo"], 2, "mdm-tui devices"),
    ],
)
def test_refused_in_one_sentence(tmp_path: Path, words: list[str], code: int, says: str) -> None:
    done = program(*words, home=tmp_path)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_broken_configuration_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("[console]\npoll_seconds = 0\n")
    done = program("devices", home=tmp_path)
    assert done.returncode == 2
    assert "config.toml, line 2: console.poll_seconds: is 0. Allowed: a number from 5 to 3600." in done.stderr


def test_version_and_help_go_to_stdout(tmp_path: Path) -> None:
    version, usage = program("--version", home=tmp_path), program("--help", home=tmp_path)
    assert (version.returncode, version.stderr, usage.returncode, usage.stderr) == (0, "", 0, "")
    for word in ("mdm-tui ", "Python ", "textual ", "httpx ", "SQLite "):
        assert word in version.stdout
    for word in ("demo", "serve", "devices", "device", "--connection", "Exit codes"):
        assert word in usage.stdout
    assert list(tmp_path.iterdir()) == [], "asking for help writes nothing"


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ("devices", "battery"),
        ("groups", "path"),
        ("apps", "package"),
        ("images", "frombuild"),
        ("rollouts", "everyone"),
    ],
)
def test_columns_list_needs_no_connection(
    tmp_path: Path, command: str, field: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDM_TUI_HOME", str(tmp_path))
    assert main([command, "--columns", "list"]) == codes.DONE
    assert any(line.startswith(f"{field} ") for line in capsys.readouterr().out.splitlines())


def test_register_is_a_word_until_a_list_is_given() -> None:
    word, command = parse(["devices", "register"]), parse(["devices", "register", "--csv", "-", "--reset", "A", "B"])
    assert (word.words, word.csv) == (["register"], None)
    assert (command.csv, command.reset, command.confirm) == ("-", ["A", "B"], None)


def test_flags_before_and_after_the_command_mean_the_same() -> None:
    before = parse(["-c", "x", "--read-only", "devices", "van"])
    after = parse(["devices", "-c", "x", "--read-only", "van"])
    assert vars(before) == vars(after)
    assert (before.connection, before.read_only, before.words) == ("x", True, ["van"])
    assert parse(["devices", "van"]).read_only is False


@pytest.mark.parametrize("words", [["--low-bandwidth"], ["--low-bandwidth", "demo"], ["demo", "--low-bandwidth"]])
def test_a_slow_link_can_be_said_on_the_command_line(words: list[str]) -> None:
    assert connect.link(parse(words), Settings()).low_bandwidth
    assert not connect.link(parse([word for word in words if word == "demo"]), Settings()).low_bandwidth
    assert connect.link(parse([]), Settings(low_bandwidth=True)).low_bandwidth, "a flag only adds"


def test_sort_takes_a_leading_dash_and_aliases() -> None:
    assert sorting(parse(["devices", "--sort", "-seen,name"]).sort) == (("seen", True), ("name", False))
    assert sorting("-batt") == (("battery", True),)
    assert [field.key for field in fields_of("sn, os")] == ["serial", "os"]


def test_named_connection_with_changes_on_the_spot(tmp_path: Path) -> None:
    found = connect.choose(parse(["-c", "acme", "--token-env", "T", "--read-only"]), settings(tmp_path))
    assert found is not None
    assert (found.name, found.token_env, found.token_file, found.read_only) == ("acme", "T", "", True)


def test_on_the_spot_needs_no_configuration(tmp_path: Path) -> None:
    words = ["--url", "https://x.example/v1", "--organization", "acme", "--token-env", "T"]
    found = connect.choose(parse(words), settings(tmp_path, ""))
    assert found is not None
    assert (found.name, found.scope, found.token_env, found.read_only) == ("acme", "applivery:acme", "T", False)
    assert connect.choose(parse([]), settings(tmp_path, "")) is None


def test_on_the_spot_with_a_sign_in(tmp_path: Path) -> None:
    words = ["--url", "https://x.example", "--organization", "depot-1", "--email", "ops@example.com"]
    words += ["--api-key-env", "KEY", "--password-env", "WORD"]
    found = connect.choose(parse(words), settings(tmp_path, ""))
    assert found is not None
    assert (found.email, found.api_key_env, found.password_env) == ("ops@example.com", "KEY", "WORD")
    with pytest.raises(ConfigError, match="--email"):
        connect.choose(parse([*words[:4], "--email", "nobody"]), settings(tmp_path, ""))
    with pytest.raises(CliError, match="--password-env needs a connection"):
        connect.choose(parse(["--password-env", "WORD"]), settings(tmp_path, ""))


def test_a_connection_named_and_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="give one of them"):
        connect.choose(parse(["-c", "acme", "--url", "https://x.example"]), settings(tmp_path))


def test_unknown_provider_of_a_configured_connection(tmp_path: Path) -> None:
    text = CONFIG.replace('"applivery"', '"aplivery"')
    with pytest.raises(ConfigError, match="did you mean 'applivery'"):
        connect.choose(parse([]), settings(tmp_path, text))


def test_dumb_terminals_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, Terminal())
    terminal.require({"TERM": "xterm"})
    for name in ("dumb", "", "unknown"):
        with pytest.raises(CliError, match="mdm-tui devices"):
            terminal.require({"TERM": name})


@pytest.mark.parametrize(
    ("kind", "code"), [(Kind.SIGNED_OUT, 3), (Kind.FORBIDDEN, 3), (Kind.CONFIG, 2), (Kind.SERVER, 1), (Kind.TIMEOUT, 1)]
)
def test_codes_of_failures(kind: Kind, code: int) -> None:
    error = FleetError(kind, "it happened")
    assert code_of(error) == code
    said = sentence_of(error)
    assert said.startswith("it happened. ")
    assert "console tries" not in said
    assert "press" not in said


@pytest.mark.parametrize(
    ("numbers", "fixed"),
    [
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((3, 51, 2), False),
        ((3, 50, 7), True),
        ((3, 50, 6), False),
        ((3, 49, 9), False),
        ((3, 44, 6), True),
        ((3, 40, 1), False),
    ],
)
def test_which_sqlite_has_the_fix(numbers: tuple[int, ...], fixed: bool) -> None:
    assert wal_fixed(numbers) is fixed


@pytest.mark.parametrize("words", [["--columns", ""], ["--columns", " , "], ["--sort", ""], ["--sort", ","]])
def test_no_field_at_all_is_a_mistake(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", *words]) == codes.USAGE
    said = capsys.readouterr().err
    assert f"{words[0]}: no field is named" in said and said.count("\n") == 1
