"""The demo's server as a child: its address at once, its end with ours, its failures as a sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from mdm_tui.cli.child import Child
from mdm_tui.cli.codes import CliError
from mdm_tui.cli.demo import _beside, _connections, _folder, _known, _remember
from mdm_tui.config.paths import Paths


def child(tmp_path: Path, *flags: str) -> Child:
    return Child(["--devices=3", f"--data-dir={tmp_path / 'fleet'}", *flags], tmp_path / "server.log", devices=3)


def get(url: str, token: str) -> dict[str, object]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"}), timeout=60) as answer:
        return json.load(answer)


def devices_url(base: str, organization: str) -> str:
    return f"{base}/organizations/{organization}/mdm/aosp/enterprise/devices"


def test_ready_served_and_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # However busy the machine is: here it is to end by itself.
    monkeypatch.setattr("mdm_tui.cli.child._ENDING", 60.0)
    with child(tmp_path) as server:
        ready = server.wait()
        assert (ready.url, ready.token) == (server.url, server.token)
        assert get(devices_url(ready.url, ready.organization), ready.token)["status"] is True
        process = server._process
        assert process is not None
        commands = Path(f"/proc/{process.pid}/cmdline")
        if commands.exists():
            assert ready.token.encode() not in commands.read_bytes(), "the token is in no list of processes"
    assert process.returncode == 0, "it ended by itself when the pipe closed"
    with pytest.raises(urllib.error.URLError):
        get(devices_url(ready.url, ready.organization), ready.token)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert ready.token.encode() not in written, "nor in any file"
    assert ready.token not in repr(ready) + capsys.readouterr().err


def test_a_call_before_it_is_ready_waits(tmp_path: Path) -> None:
    with child(tmp_path) as server:
        organization = server.wait().organization
    with child(tmp_path) as server:
        # Nobody has waited for the ready line: the socket was there before the server.
        answer = get(devices_url(server.url, organization), server.token)
    assert answer["status"] is True, "the same fleet as last time"


def test_a_server_that_does_not_start_is_a_sentence_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "fleet").write_text("in the way")
    with (
        pytest.raises(CliError, match=r"ended with code 1\. Its log is .*server\.log: .+") as caught,
        child(tmp_path) as server,
    ):
        server.wait()
    assert "Traceback" not in str(caught.value)


def test_a_wrong_flag_is_a_sentence_too(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"demo.s server ended with code 2"), child(tmp_path, "--no-such-flag") as server:
        server.wait()


def test_a_server_that_ends_early_is_told_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with child(tmp_path, "--no-such-flag") as server:
        assert server._process is not None
        server._process.wait(60)
    assert "ended by itself (2)" in capsys.readouterr().err


def test_demos_side_by_side_have_their_own_fleets(tmp_path: Path) -> None:
    paths = Paths.default({"MDM_TUI_HOME": str(tmp_path)})
    one, first = _folder(paths, "calm-5-1")
    two, second = _folder(paths, "calm-5-1")
    assert (one.name, two.name) == ("calm-5-1", "calm-5-1-2")
    os.close(first)
    again, third = _folder(paths, "calm-5-1")
    assert again == one, "the same fleet next time"
    os.close(second)
    os.close(third)


def test_a_fleet_of_its_own_is_said(tmp_path: Path) -> None:
    assert _beside(tmp_path / "calm-5-1", "calm-5-1") == ""
    said = _beside(tmp_path / "calm-5-1-2", "calm-5-1")
    assert "Another demo has fleet calm-5-1" in said and "calm-5-1-2" in said


def test_a_server_that_hangs_holds_nobody_up_and_its_fleet_is_free(tmp_path: Path) -> None:
    waits: list[float | None] = []
    with child(tmp_path) as server:
        server.wait()
        process = server._process
        assert process is not None
        wait = process.wait

        def counted(timeout: float | None = None) -> int:
            waits.append(timeout)
            return wait(timeout)

        process.wait = counted  # type: ignore[method-assign]
        os.kill(process.pid, signal.SIGSTOP)
    assert process.returncode == -signal.SIGKILL
    assert waits == [1.0, None], "a second, then the end of what was killed"
    with child(tmp_path) as again:
        assert again.wait().organization, "its lock went with it"


def test_a_server_whose_loop_hangs_ends_without_its_parent(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    code = (
        "import sys, threading\n"
        "from mdm_tui.server import run\n"
        "run._HANGING = 0.01\n"
        "run._Pipe(int(sys.argv[1])).then(lambda: None)\n"
        "print('ready', flush=True)\n"
        "threading.Event().wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(ours)], pass_fds=(ours,), stdout=subprocess.PIPE) as process:
        os.close(ours)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        os.close(theirs)
        assert process.wait(60) == 1


def test_the_fleet_is_known_again(tmp_path: Path) -> None:
    with child(tmp_path) as server:
        assert _known(tmp_path, server) is None
        ready = server.wait()
        _remember(tmp_path, ready)
        assert _known(tmp_path, server) == ready, "all of what the server says, before it says it"
        kept = (tmp_path / "fleet.json").read_text()
        assert not [secret for secret in (server.token, server.api_key, server.password) if secret in kept]
        (tmp_path / "fleet.json").write_text(f'{{"organization": "{ready.organization}"}}')
        assert _known(tmp_path, server) is None, "a fleet from before it had a second system"
        (tmp_path / "fleet.json").write_text("[]")
        assert _known(tmp_path, server) is None


def test_the_demo_has_two_systems_on_one_server(tmp_path: Path) -> None:
    with child(tmp_path) as server:
        ready = server.wait()
        found = _connections(ready, 10_000)
    assert list(found) == ["demo", "demo-midm"]
    assert {one.url for one in found.values()} == {server.url, server.root}
    assert found["demo-midm"].email == ready.email == "demo@example.com"
    assert found["demo"].scope != found["demo-midm"].scope
