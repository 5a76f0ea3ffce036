"""The real program on a real pseudo-terminal, on a fleet whose names and reports attack whoever prints them.

It walks every screen. Whatever reaches the terminal must be text that can do no harm, or a sequence that the console
itself makes: nothing may come from a device's name.
"""

from __future__ import annotations

import base64
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

# What Textual's driver and our painting send, and nothing else.
_SGR = re.compile(rb"\x1b\[(?:0|(?:[1-9];)*(?:38;2;\d+;\d+;\d+)?(?:;?48;2;\d+;\d+;\d+)?|[1-9])?m")
_MOVE = re.compile(rb"\x1b\[\d+;\d+H")
_MODE = re.compile(
    rb"\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]|\x1b\[\?\d+\$p|\x1b\[[<>=?]\d*u|\x1b\[>1u"
)
_POINTER = re.compile(rb"\x1b\]22;[a-z-]*\x07")
_CLIPBOARD = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")
_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})

SECTIONS = 12


class Walk:
    """One run of the program."""

    def __init__(self, terminal: Any) -> None:
        self.terminal = terminal

    def press(self, *keys: str) -> str:
        """Press keys one by one, slower than a scanner; the screen after the last."""
        for key in keys:
            # An escape that something follows too soon is the beginning of another key.
            self.terminal.press(key, quiet=0.4 if key == "esc" else 0.12)
            assert not self.terminal.ended(), f"it ended after {key}: {bytes(self.terminal.output[-1500:])!r}"
        return self.terminal.text()

    def until(self, words: str) -> str:
        """Until the words are on the screen."""
        return self.terminal.wait_shown(words)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bytes, list[str], int | None]]:
    """Everything sent during the walk, the screens met, and the exit code."""
    sys.path.insert(0, str(ROOT / "tests/benchmarks"))
    try:
        from ptyrun import PtyRun
    finally:
        sys.path.pop(0)
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "mdm_tui", "demo", "--scenario", "hostile", "--devices", "60", "--seed", "5"]
    # Without COLUMNS and LINES the size is the terminal's, also after it changed.
    env = {"PYTHONPATH": str(ROOT), "MDM_TUI_HOME": str(home), "COLUMNS": "", "LINES": ""}
    with PtyRun(command, env=env, cwd=str(home)) as terminal:
        terminal.wait_for("Problems", most=60)
        walk = Walk(terminal)
        screens = list(_walk(walk))
        terminal.press("ctrl+q")
        terminal.wait_end()
        screens.append(terminal.text())
        yield bytes(terminal.output), screens, terminal.status


def _walk(walk: Walk) -> Iterator[str]:
    walk.until("1-")
    yield walk.press("pagedown", "pagedown", "home")
    yield walk.press("w", *["right"] * 8, "pagedown", "home", "w")
    yield walk.press("f", "n", "n", "N", "esc")
    yield walk.press("s", "down", "enter", "space", "space", "m", "u", "m", "home")
    yield walk.press("/", "d", "r", "o", "p", "enter", "y", "esc")
    yield walk.press("?", "esc")
    for _ in range(2):
        yield walk.press("enter")
        walk.until("Overview")
        for _ in range(SECTIONS):
            yield walk.press(">", "pagedown", "end")
        yield walk.press("y", "esc", "down", "down", "down")
    yield walk.press("home", "down", "c")
    # The first command's question; esc gives it up, and nothing is sent.
    yield walk.press("enter")
    yield walk.until("to send:")
    yield walk.press("esc", "esc", "1")
    yield walk.press("e")
    walk.until("Push provider")
    # Lists to choose from have names of strangers in them too.
    for question in ("Which policy?", "Which user?", "Which segment?"):
        yield walk.press("tab", "tab", "enter")
        yield walk.until(question)
        # A dialog that has just appeared hears nothing.
        walk.terminal.read(quiet=0.4, most=2)
        yield walk.press("down", "down", "esc")
    yield walk.press("esc", "esc", "1")
    yield walk.press("2")
    walk.until("Version")
    for _ in range(3):
        yield walk.press("enter")
        yield walk.press("\x1bOR", "pagedown")  # F3
        yield walk.press("esc", "2", "down")
    yield walk.press("3")
    walk.until("Command")
    yield walk.press("1", ":", "g", "n", "p", "enter")
    yield walk.press("esc", "1", "\x10", "f", "r", "esc", "esc")  # ctrl+p
    walk.terminal.resize(80, 24)
    yield walk.press("pagedown", "enter")
    yield walk.press(">", ">", "esc")


def test_the_walk_ends_in_peace_and_met_the_hostile_fleet(output: tuple[bytes, list[str], int | None]) -> None:
    sent, screens, status = output
    assert status == 0, screens[-1]
    everything = "\n".join(screens)
    assert "DROP TABLE" in everything and "漢漢" in everything, "the fleet was the hostile one"
    assert "stopped because of a mistake" not in sent.decode(errors="replace")


def test_only_the_consoles_own_sequences_reach_the_terminal(output: tuple[bytes, list[str], int | None]) -> None:
    rest = output[0]
    for known in (_SGR, _MOVE, _MODE, _POINTER, _CLIPBOARD):
        rest = known.sub(b"", rest)
    assert not re.findall(rb"\x1b.{0,24}", rest, re.DOTALL)


def test_no_control_format_or_bidi_character_reaches_the_terminal(
    output: tuple[bytes, list[str], int | None],
) -> None:
    rest = output[0]
    for known in (_SGR, _MOVE, _MODE, _POINTER, _CLIPBOARD):
        rest = known.sub(b"", rest)
    text = rest.decode("utf-8")
    bad = {f"U+{ord(char):04X}" for char in text if unicodedata.category(char) in _FORBIDDEN and char not in "\r\n"}
    assert not bad


def test_the_clipboard_gets_clean_text_and_only_when_asked(output: tuple[bytes, list[str], int | None]) -> None:
    copied = [base64.b64decode(match).decode() for match in _CLIPBOARD.findall(output[0])]
    assert 1 <= len(copied) <= 5
    for text in copied:
        assert all(unicodedata.category(char) not in _FORBIDDEN or char == "\n" for char in text), text
