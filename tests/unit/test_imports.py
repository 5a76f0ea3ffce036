"""What is imported when: asking for help must not wait for a screen, the first frame not for the network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("textual", "rich", "httpx", "pydantic", "starlette", "uvicorn", "tree_sitter", "platformdirs")
ASK = """
import json, sys
from mdm_tui.cli.main import main
code = main(json.loads(sys.argv[1]))
heavy = [name for name in json.loads(sys.argv[2]) if name in sys.modules]
print(json.dumps({"code": code, "heavy": heavy}), file=open(sys.argv[3], "w"))
"""


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
