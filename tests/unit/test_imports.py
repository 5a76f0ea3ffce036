"""What is imported when: asking for help must not wait for a screen, the first frame not for the network."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mdm_tui.config.paths import Paths
from mdm_tui.fleet.devices import Device
from mdm_tui.store.mirror import Mirror

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("textual", "rich", "httpx", "pydantic", "starlette", "uvicorn", "tree_sitter", "platformdirs")
ASK = """
import json, sys
from mdm_tui.cli.main import main
code = main(json.loads(sys.argv[1]))
heavy = [name for name in json.loads(sys.argv[2]) if name in sys.modules]
print(json.dumps({"code": code, "heavy": heavy}), file=open(sys.argv[3], "w"))
"""


def ptyrun() -> ModuleType:
    """The pseudo-terminal of the benchmarks."""
    spec = importlib.util.spec_from_file_location("ptyrun", ROOT / "tests" / "benchmarks" / "ptyrun.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--version"], 0),
        (["--help"], 0),
        (["devices", "--help"], 0),
        (["demo", "--devices", "many"], 2),
        (["frobnicate"], 2),
        (["devices", "--sort", "nothing"], 2),
        (["devices", "--columns", "list"], 0),
        (["images", "--columns", "list"], 0),
        (["rollouts", "--help"], 0),
        (["devices", "register", "--csv", "/nowhere/list.csv"], 1),
        (["-c", "nobody", "devices"], 2),
        (["--url", "https://x.example", "devices"], 2),
    ],
)
def test_words_alone_import_nothing_heavy(tmp_path: Path, words: list[str], code: int) -> None:
    answer = tmp_path / "answer.json"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "MDM_TUI_HOME": str(tmp_path)}
    command = [sys.executable, "-c", ASK, json.dumps(words), json.dumps(HEAVY), str(answer)]
    subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60)
    assert json.loads(answer.read_text()) == {"code": code, "heavy": []}


NETWORK = ("pydantic", "httpx", "starlette", "uvicorn", "tree_sitter", "structlog", "tomlkit", "jsonschema")
FIRST_FRAME = """
import json, sys
from mdm_tui.tui import app
answer, names, words = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
def first_frame(self):
    self.call_later(done, self)
def done(self):
    found = {"heavy": [name for name in names if name in sys.modules]}
    found["shown"] = "Gate tablet 2" in "".join(
        segment.text for line in self.screen._compositor.render_strips() for segment in line
    )
    print(json.dumps(found), file=open(answer, "w"))
    self.exit(0)
app.MdmApp._first_frame = first_frame
from mdm_tui.cli.main import main
sys.exit(main(words))
"""


async def test_the_first_frame_shows_the_last_known_fleet_without_the_network(tmp_path: Path) -> None:
    home = tmp_path / "home"
    mirror = Mirror.open(Paths.default({"MDM_TUI_HOME": str(home)}).mirror, clock=lambda: 1e9)
    seen = Device("0" * 24, {"id": "0" * 24, "name": "Gate tablet 2", "serial": "HT8820019"}, "{}")
    await mirror.apply("applivery:acme", [seen], at=1e9, walk=None)
    mirror.close()
    answer = tmp_path / "answer.json"
    words = ["--url", "http://127.0.0.1:9/v1", "--organization", "acme"]
    command = [sys.executable, "-c", FIRST_FRAME, str(answer), json.dumps(NETWORK), *words]
    with ptyrun().PtyRun(command, env={"PYTHONPATH": str(ROOT), "MDM_TUI_HOME": str(home)}) as run:
        while not run.ended():
            run.read(quiet=0.1)
        assert run.status == 0, run.text()
    assert json.loads(answer.read_text()) == {"heavy": [], "shown": True}
