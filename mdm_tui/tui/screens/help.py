"""The keys that work here, read from the registry of actions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from mdm_tui.fleet.provider import Capability
from mdm_tui.tui import safe
from mdm_tui.tui.actions import GROUP_TITLES, for_groups, help_lines
from mdm_tui.tui.screens.base import FleetModal

__all__ = ["HelpScreen"]

_KEY_CELLS = 13
_FRAME = 3  # lines of the frame and the last line


class HelpScreen(FleetModal):
    """An overlay: one block for each group of actions that works where `?` was pressed."""

    place = ""

    DEFAULT_CSS: ClassVar[str] = """
    HelpScreen > Vertical { width: 100%; max-width: 118; height: auto; max-height: 100%; background: $raised;
        border: round $line; padding: 0 1; }
    HelpScreen VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; background: $raised;
        scrollbar-background: $raised; }
    HelpScreen Horizontal { height: auto; }
    HelpScreen .column { width: 1fr; height: auto; padding-right: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    HelpScreen .foot { height: 1; }
    """

    def __init__(self, groups: Iterable[str], capabilities: Collection[Capability] | None = None) -> None:
        """capabilities: of the service that is looked at; what it cannot do is left out."""
        super().__init__()
        wanted = [*groups, "everywhere"]
        self._blocks = [
            (title, for_groups((group,), capabilities)) for group, title in GROUP_TITLES.items() if group in wanted
        ]

    def compose(self) -> ComposeResult:
        columns = 3 if self.app.size.width >= 116 else 2 if self.app.size.width >= 70 else 1
        with Vertical():
            with VerticalScroll(), Horizontal():
                for blocks in self._columns(columns):
                    yield Static(safe.join(*blocks, sep="\n\n"), classes="column")
            yield Static(
                safe.join(("esc", "accent"), (" closes   ", "muted"), (": ", "accent"), ("goes anywhere   ", "muted"),
                          ("ctrl+p", "accent"), (" searches all of this", "muted")), classes="foot")  # fmt: skip

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self._leave_room()

    def on_resize(self) -> None:
        self._leave_room()

    def _leave_room(self) -> None:
        """For the last line and the frame: what does not fit is scrolled to, and they are always seen."""
        self.query_one(VerticalScroll).styles.max_height = max(1, self.app.size.height - _FRAME)

    def _columns(self, count: int) -> list[list[Content]]:
        """The blocks in reading order, cut so that the columns are about equally long."""
        keys_of = {action.id: self.app.keys_of(action.id) for _title, actions in self._blocks for action in actions}
        lines: list[tuple[int, Content]] = []
        for number, (title, actions) in enumerate(self._blocks):
            lines.append((number, safe.plain(title, "text", bold=True)))
            lines.extend(
                (number, safe.join((f"{keys:<{_KEY_CELLS}} ", "accent"), (words, "muted")))
                for keys, words in help_lines(actions, keys_of)
            )
        size = -(-(len(lines) + len(self._blocks)) // count)
        columns: list[list[Content]] = []
        start = 0
        for column in range(1, count + 1):
            end = start + size if column < count else len(lines)
            # A title goes with what it is the title of.
            if end < len(lines) and (end < 2 or lines[end - 2][0] != lines[end - 1][0]):
                end -= 1
            some, start = lines[start:end], end
            numbers = dict.fromkeys(number for number, _line in some)
            columns.append([safe.join(*[line for of, line in some if of == number], sep="\n") for number in numbers])
        return columns
