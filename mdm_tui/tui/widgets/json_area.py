"""A text field for JSON: highlighted where that is cheap, with what is wrong written at its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rich.style import Style
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Location, TextAreaTheme

from mdm_tui.tui import safe
from mdm_tui.tui.theme import palette
from mdm_tui.tui.widgets.grid_text import fit, glyphs

__all__ = ["HIGHLIGHT_MOST", "JsonArea"]

HIGHLIGHT_MOST = 50_000
"""Characters beyond which nothing is highlighted: Textual parses the whole text at each key."""
_THEME = "fleet"


class JsonArea(TextArea):
    """Edits JSON. `notes`: line (from 0) → (message, role), shown after the line's text."""

    DEFAULT_CSS: ClassVar[str] = """
    JsonArea { border: none; padding: 0; background: $ground; color: $text; height: 1fr; width: 1fr;
        scrollbar-size: 0 0; }
    JsonArea:focus { border: none; }
    JsonArea .text-area--cursor { background: $accent; color: $ground; }
    JsonArea .text-area--gutter { color: $muted; background: $ground; }
    JsonArea .text-area--cursor-gutter { color: $accent; background: $ground; }
    JsonArea .text-area--cursor-line { background: $ground; }
    JsonArea .text-area--selection { background: $line; }
    JsonArea .text-area--matching-bracket { background: $line; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", soft_wrap=False, show_line_numbers=True, tab_behavior="focus", id=id)
        self.indent_width = 2
        self.notes: dict[int, tuple[str, str]] = {}

    def load(self, text: str) -> None:
        """Show another text, highlighted if it is short enough and the parser is installed."""
        self.language = None
        self.text = text
        self.highlight()

    def highlight(self) -> None:
        """Turn highlighting on or off as the size of the text asks for."""
        wanted = "json" if len(self.text) <= HIGHLIGHT_MOST and _has_parser() else None
        if wanted == self.language:
            return
        if wanted and _THEME not in self.available_themes:
            self.register_theme(_theme(self.app))
        if wanted:
            self.theme = _THEME
        self.language = wanted

    def find_matching_bracket(self, bracket: str, search_from: Location) -> Location | None:
        """As Textual does, but not in long texts: it looks at each character up to the match, at each move."""
        return super().find_matching_bracket(bracket, search_from) if self._short() else None

    def _short(self) -> bool:
        size = 0
        for number in range(self.document.line_count):
            size += len(self.document.get_line(number)) + 1
            if size > HIGHLIGHT_MOST:
                return False
        return True

    def tell(self, notes: Mapping[int, tuple[str, str]]) -> None:
        """Show these notes at their lines."""
        if self.notes != dict(notes):
            self.notes = dict(notes)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        line = y + self.scroll_offset.y
        note = self.notes.get(line)
        if note is None or line >= self.document.line_count:
            return strip
        message, role = note
        width = self.scrollable_content_region.width
        used = self.gutter_width + max(0, self.document.get_line(line).__len__() - self.scroll_offset.x) + 2
        room = width - used
        if room < 12:
            # No room behind the text: the sign in the gutter says that the list below has it.
            used, room, message = max(0, self.gutter_width - 1), 1, glyphs().fault
        else:
            message = f"{glyphs().fault} {message}"
        style = palette(self.app).style(role)
        text = fit(message, room).rstrip()
        end = used + len(text)
        return Strip([*strip.crop(0, used), safe.segment(text, style), *strip.crop(end, width)], width)


def _has_parser() -> bool:
    try:
        import tree_sitter  # noqa: F401
        import tree_sitter_json  # noqa: F401
    except ImportError:
        return False
    return True


def _theme(app: Any) -> TextAreaTheme:
    roles = palette(app)

    def colour(role: str) -> Style:
        return Style(color=roles.style(role).color)

    return TextAreaTheme(
        name=_THEME,
        syntax_styles={
            "json.label": colour("info"),
            "json.key": colour("info"),
            "string": colour("text"),
            "string.documentation": colour("text"),
            "number": colour("accent"),
            "json.null": colour("accent"),
            "json.error": colour("text"),
            "boolean": colour("accent"),
            "constant.builtin": colour("accent"),
            "punctuation.bracket": colour("muted"),
            "punctuation.delimiter": colour("muted"),
        },
    )
