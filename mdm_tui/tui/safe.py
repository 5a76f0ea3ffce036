"""The only place that makes something to draw out of data, and the wall behind it.

Device names, error texts and certificate subjects are written by strangers. Textual parses markup in plain
strings (`[@click=…]` runs), dies on `[/]`, and passes escape sequences on to the terminal. So data becomes
`Content`, segments and toasts here alone (a test walks the source and fails on any other place), and `guard`
replaces whatever control character still reaches a rendered line of any widget.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any, Final, Literal

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from mdm_tui.fleet.text import clean

_TOASTS: Final = 3
Severity = Literal["information", "warning", "error"]

REPLACEMENT: Final = "\ufffd"
# Control, format (bidi, joiners), surrogates, private use, line and paragraph separators.
_FORBIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def tidy(text: str) -> str:
    """One line of text that can do no harm, by the same rules that clean data where it enters."""
    return clean(text, limit=len(text) + 1)


def tidy_lines(text: str) -> str:
    """The same for text of several lines: line ends stay."""
    return "\n".join(tidy(line) for line in text.splitlines())


def plain(text: object, role: str = "", *, bold: bool = False) -> Content:
    """Content that shows `text` as it is, in the colour of a theme role. Markup in it is only text."""
    return Content.styled(tidy_lines(str(text)), _style(role, bold))


def join(*parts: Content | tuple[object, str] | str, sep: str = "") -> Content:
    """Content out of parts: strings, (text, role) pairs, and content made here."""
    made = [
        part if isinstance(part, Content) else plain(*part) if isinstance(part, tuple) else plain(part)
        for part in parts
    ]
    return Content(sep if sep.isspace() else tidy(sep)).join(made)


def template(markup: str, **data: object) -> Content:
    """Content from markup **written in our source**, with `$name` filled from data that stays text.

    `template("[$bad]$device[/] is silent for $age", device=name, age="9h")`. Never pass data as `markup`.
    """
    return Content.from_markup(markup, **{key: _value(value) for key, value in data.items()})


def segment(text: str, style: Style | None = None) -> Segment:
    """One run of a painted line. Cheap where the text is printable already, as cleaned data is."""
    return Segment(text if text.isprintable() else tidy(text), style)


def toast(
    app: App[Any], title: str, message: str, severity: Severity = "information", *, timeout: float | None = None
) -> None:
    """A short notice at the edge of the screen; both texts are shown as they are."""
    app.notify(tidy_lines(message), title=tidy(title), severity=severity, timeout=timeout, markup=False)


def fewer(app: App[Any]) -> None:
    """Only the last few notices, each once: they lie over what a person reads."""
    held = {notice.message: notice for notice in app._notifications}
    keep = list(held.values())[-_TOASTS:]
    for notice in list(app._notifications):
        if notice not in keep:
            app._unnotify(notice, refresh=False)


def _value(value: object) -> object:
    return value if isinstance(value, Content) else tidy_lines(str(value))


def _style(role: str, bold: bool) -> str:
    return " ".join(part for part in ("bold" if bold else "", f"${role}" if role else "") if part)


# --- the second wall ---------------------------------------------------------------------------------------


@lru_cache(4096)
def _guarded(character: str) -> str:
    if unicodedata.category(character) not in _FORBIDDEN:
        return character
    # As wide as the layout believed the character to be, so that nothing behind it drifts.
    return REPLACEMENT if cell_len(character) else ""


class Guard(LineFilter):
    """Replaces control, format and bidi characters in every line that is rendered, and drops hyperlinks.

    Give it to the app: `get_line_filters` answers `[*super().get_line_filters(), guard]`.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        for text, style, control in segments:
            if not control and (not text.isprintable() or (style is not None and style.link)):
                return [self._clean(segment) for segment in segments]
        return segments

    @staticmethod
    def _clean(segment: Segment) -> Segment:
        text, style, control = segment
        if control:
            return segment
        if not text.isprintable():
            text = "".join(_guarded(character) for character in text)
        if style is not None and style.link:
            style = style.update_link(None)
        return Segment(text, style)


guard: Final = Guard()
