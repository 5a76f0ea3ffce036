"""Nothing from outside reaches the terminal as anything but text."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.widgets import Static

from mdm_tui.tui import safe

TUI = Path(safe.__file__).parent
BLACK = Color(0, 0, 0)
HOSTILE = [
    "[@click=app.pwn]ZZZ[/]",
    "[/]",
    "Mac [prod]",
    "\x1b]52;c;aGk=\x07name",
    "\x1b[31mred\x1b[0m",
    "\x9b31m",
    "a\u202egnp.exe",
    "x\u2066y\u2069",
    "tab\there",
    "two\nlines",
    "\ud800",
    "$name ${name}",
    "e" + "\u0301" * 40,
]
BAD = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def is_clean(text: str) -> bool:
    return all(unicodedata.category(character) not in BAD for character in text)


class Pwnable(App[None]):
    """An app in which a click on live markup would show."""

    CSS = ".bad { color: red; }"

    def __init__(self, content: object) -> None:
        super().__init__()
        self.content, self.pwned = content, False

    def compose(self) -> ComposeResult:
        yield Static(self.content)

    def action_pwn(self) -> None:
        self.pwned = True


@pytest.mark.parametrize("text", HOSTILE)
async def test_content_shows_what_it_was_given_and_nothing_acts(text):
    for content in (safe.plain(text), safe.template("$device is silent", device=text), safe.join(text, (text, ""))):
        app = Pwnable(content)
        async with app.run_test() as pilot:
            await pilot.click(offset=(2, 0))
            await pilot.pause()
            assert not app.pwned
        assert is_clean(content.plain.replace("\n", ""))
    assert safe.plain("Mac [prod]").plain == "Mac [prod]"


def test_values_of_a_template_are_neither_markup_nor_templates():
    made = safe.template("[bold]$one[/] and $two", one="$two [red]", two="[/]")
    assert made.plain == "$two [red] and [/]"
    assert safe.template("$inner!", inner=safe.plain("[x]")).plain == "[x]!"


@given(st.text())
def test_segments_never_carry_control_characters(text):
    assert is_clean(safe.segment(text).text)


@given(st.lists(st.text(), max_size=4))
def test_the_guard_leaves_no_control_character_and_keeps_widths(texts):
    segments = [Segment(text) for text in texts]
    guarded = safe.guard.apply(segments, BLACK)
    assert all(is_clean(segment.text) for segment in guarded)
    if not any("\u200d" in text or "\ufe0f" in text for text in texts):
        # A joiner or selector changes what stands before it: only there may a width differ.
        assert [cell_len(segment.text) for segment in guarded] == [cell_len(text) for text in texts]


def test_the_guard_leaves_good_lines_and_our_own_controls_alone():
    good = [Segment("Dock 4 仓库 Zoë", Style(bold=True)), Segment("e\u0301")]
    assert safe.guard.apply(good, BLACK) is good
    control = Segment("\x1b[2J", None, [(2,)])
    assert safe.guard.apply([control, Segment("\x1b")], BLACK)[0] is control


def test_the_guard_drops_links():
    linked = Segment("click", Style(link="https://example.com", bold=True))
    (plain,) = safe.guard.apply([linked], BLACK)
    assert plain.style is not None and plain.style.link is None and plain.style.bold


async def test_the_guard_stands_behind_every_widget():
    class Guarded(Pwnable):
        def get_line_filters(self):
            return [*super().get_line_filters(), safe.guard]

    from textual.content import Content

    app = Guarded(Content("name\x1b]0;title\x1b\\ \u202eabc", strip_control_codes=False))
    async with app.run_test():
        for strip in app.screen._compositor.render_strips():
            assert is_clean(strip.text)


async def test_a_toast_shows_both_texts_as_they_are():
    class Toasting(App[None]):
        pass

    app = Toasting()
    async with app.run_test(notifications=True) as pilot:
        safe.toast(app, "Gate [b]2[/]", "refused: [/] \x1b[31m", "error")
        await pilot.pause()
        (notice,) = app._notifications
        assert notice.markup is False
        assert notice.title == "Gate [b]2[/]"
        assert is_clean(notice.message)


# --- the source itself ---

_MAKERS = {"Content", "Text", "Segment"}
_CLASS_METHODS = {"from_markup", "from_text", "from_rich_text", "from_ansi", "styled", "assemble"}
_SINKS = {"update", "notify", "write", "Static", "Label", "Button", "Option", "ListItem", "Checkbox", "add_row"}
_TITLES = {"border_title", "border_subtitle", "tooltip"}


def breaches(source: str, name: str = "x.py") -> list[str]:
    """Places where text could become something to draw without passing through safe.py."""
    found: list[str] = []

    def is_built(node: ast.expr) -> bool:
        """Text put together while running: an f-string with values, %, +, format or join."""
        if isinstance(node, ast.JoinedStr):
            return any(isinstance(part, ast.FormattedValue) for part in node.values)
        if isinstance(node, ast.BinOp):
            sides = (node.left, node.right)
            return any(isinstance(side, (ast.JoinedStr, ast.Constant)) or is_built(side) for side in sides)
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("format", "join")
            and isinstance(node.func.value, ast.Constant)
        )

    tree = ast.parse(source)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    # Files have a write() as well: it draws only where a log widget is about.
    sinks = _SINKS if imported & {"Log", "RichLog"} else _SINKS - {"write"}
    for node in ast.walk(tree):
        where = f"{name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Assign):
            targets = [target.attr for target in node.targets if isinstance(target, ast.Attribute)]
            if _TITLES & set(targets) and is_built(node.value):
                found.append(f"{where}: a title built from data")
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        owner_name = getattr(owner, "id", "")
        if called in _MAKERS and owner_name != "safe":
            found.append(f"{where}: {called}(…)")
        if called in _CLASS_METHODS and owner_name in _MAKERS:
            found.append(f"{where}: {owner_name}.{called}(…)")
        if called == "notify":
            found.append(f"{where}: notify(…); use safe.toast")
        if called in sinks:
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(is_built(argument) for argument in arguments):
                found.append(f"{where}: text built inside {called}(…)")
    return found


def test_only_safe_makes_something_to_draw_from_data():
    paths = [path for path in sorted(TUI.rglob("*.py")) if path.name != "safe.py"]
    assert paths
    found = [line for path in paths for line in breaches(path.read_text("utf-8"), str(path.relative_to(TUI)))]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "Content(name)",
        "x = Text(name)",
        "Content.from_markup(name)",
        "Segment(name, style)",
        "self.app.notify('done')",
        "label.update(f'{name} is gone')",
        "Static(f'{name}')",
        "Label('Hello ' + name)",
        "Label('Hello %s' % name)",
        "Static('{}'.format(name))",
        "Static(', '.join(names))",
        "box.border_title = f'{name}'",
        "from textual.widgets import RichLog\nlog.write(f'{name}')",
    ],
)
def test_the_walk_finds_each_way_round(line):
    assert breaches(line)


@pytest.mark.parametrize(
    "line",
    [
        "label.update(safe.plain(name))",
        "Static('Loading')",
        "Static(safe.template('$n', n=name))",
        "rows.update(more)",
        "file.write(body + 'x')",
    ],
)
def test_the_walk_lets_the_right_way_pass(line):
    assert breaches(line) == []
