"""The first frame loads nothing that it does not need; proved in a process of its own, on `sys.modules`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("pydantic", "httpx", "starlette", "uvicorn", "tree_sitter", "structlog", "tomlkit", "typer", "humanize")

PROGRAM = """
import json, sys
from pathlib import Path
from mdm_tui.config.connections import Connection
from mdm_tui.config.paths import Paths
from mdm_tui.config.settings import Settings
from mdm_tui.services.session import Session
from mdm_tui.tui.app import MdmApp

folder = Path(sys.argv[1])
paths = Paths(*[folder / name for name in ("config", "state", "cache", "data")])
session = Session(Connection("acme", "applivery", "http://127.0.0.1:9/v1", "a" * 24), paths, env={})
session.open_store()
app = MdmApp({"acme": session}, "acme", Settings(), paths, {})
seen = {}

def first_frame():
    seen["loaded"] = sorted(name for name in sys.modules)
    seen["rows"] = app.screen.source.count()
    app.exit(0)

app._first_frame = first_frame
app.run(headless=True, size=(120, 40))
print(json.dumps(seen))
"""


def test_no_network_or_model_library_before_the_first_frame(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1])["loaded"])
    assert "textual.app" in loaded
    assert not [name for name in HEAVY if name in loaded]
    ours = {name for name in loaded if name.startswith("mdm_tui.")}
    late = ("screens.device", "screens.policies", "screens.queue", "screens.help", "palette", "widgets.command_bar")
    assert not ours & {f"mdm_tui.tui.{name}" for name in late}, "a screen is loaded when it is first shown"
    assert "mdm_tui.fleet.registration" not in ours, "lists of devices are read when some are registered"
    assert not {name for name in ours if name.startswith("mdm_tui.server")}
