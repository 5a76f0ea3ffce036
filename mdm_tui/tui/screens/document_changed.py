"""What to do about somebody else's change to a document that one is about to save."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mdm_tui.fleet.text import clean
from mdm_tui.tui import safe
from mdm_tui.tui.screens.dialogs import Guarded, keys_line
from mdm_tui.tui.screens.editor_lines import difference_lines
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["ChangedMeanwhile"]


class ChangedMeanwhile(Guarded):
    """The service's copy is another one by now: shows how, and answers keep, theirs, merge or overwrite."""

    DEFAULT_CSS: ClassVar[str] = """
    ChangedMeanwhile LinesView { height: auto; max-height: 14; background: $raised; margin: 1 0; }
    ChangedMeanwhile OptionList { height: auto; border: none; background: $raised; padding: 0; }
    ChangedMeanwhile OptionList:focus { border: none; }
    """

    def __init__(self, changed: Any, noun: str) -> None:
        super().__init__()
        self.changed = changed
        self._noun = noun

    def compose(self) -> ComposeResult:
        conflicts = len(self.changed.conflicts)
        both = "nothing collides" if not conflicts else f"yours wins in {conflicts} place{'s' if conflicts > 1 else ''}"
        options = (
            ("keep", "Keep editing", "nothing is sent"),
            ("merge", "Take both", both),
            ("theirs", "Load theirs", "your text is dropped"),
            ("overwrite", "Overwrite theirs with mine", "has to be typed"),
        )
        with Vertical():
            yield Static(
                safe.plain(f"Somebody changed this {self._noun} meanwhile. Nothing was sent.", "warn", bold=True)
            )
            view = LinesView(id="theirs", on="raised")
            view.can_focus = False
            yield view
            yield OptionList(
                *[Option(safe.join((title, "text"), (f"  {note}", "muted")), id=key) for key, title, note in options]
            )
            yield Static(keys_line(("enter", "choose"), ("esc", "keep editing")), classes="foot")

    def on_mount(self) -> None:
        self._show()
        self.query_one(OptionList).focus()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self._show()

    def _show(self) -> None:
        view = self.query_one("#theirs", LinesView)
        width = view.size.width or 80
        lines = difference_lines("What they changed", self.changed.theirs_changes, width)
        if self.changed.conflicts:
            where = ", ".join(clean(item.pointer, 60) for item in self.changed.conflicts[:6])
            lines += difference_lines(f"Changed by both: {where}", (), width)[:1]
        view.styles.height = max(2, min(14, len(lines)))
        view.set_lines(lines)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
