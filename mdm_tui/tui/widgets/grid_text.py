"""Glyphs with their ASCII twins, and text made to fit a number of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, split_graphemes

from mdm_tui.tui.safe import tidy


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of single-cell signs."""

    cursor: str
    mark: str
    ellipsis: str
    pending: str
    descending: str
    ascending: str
    active: str
    provisioning: str
    disabled: str
    leaving: str
    gone: str
    fault: str
    destructive: str
    unknown: str
    both: str
    more_left: str
    more_right: str
    opened: str
    closed: str


UNICODE: Final = Glyphs("▸", "✓", "…", "·", "↓", "↑", "●", "◌", "○", "◐", "×", "▲", "!", "≈", "⇄", "‹", "›", "▾", "▹")
ASCII: Final = Glyphs(">", "+", "~", ".", "v", "^", "*", ":", "o", "-", "x", "^", "!", "?", "=", "<", ">", "-", "+")

_chosen: Glyphs = UNICODE


def glyphs() -> Glyphs:
    """The set in use."""
    return _chosen


def suited(env: Mapping[str, str], encoding: str | None) -> Glyphs:
    """The set for a terminal: the console of a Linux machine itself and terminals without UTF-8 draw ASCII only.

    encoding: of standard output, None when it is not known.
    """
    plain = env.get("TERM", "").strip().lower() in ("linux", "vt100", "vt102", "vt220", "ansi")
    return ASCII if plain or (encoding or "utf-8").lower().replace("_", "-") not in ("utf-8", "utf8") else UNICODE


def set_glyphs(chosen: Glyphs) -> None:
    """Choose the set; to be called once, before the first frame."""
    global _chosen
    _chosen = chosen
    fit.cache_clear()


@lru_cache(16384)
def fit(text: str, width: int, right: bool = False, middle: bool = False) -> str:
    """`text` on exactly `width` cells: cut with an ellipsis or padded, wide characters never halved."""
    if width <= 0:
        return ""
    text = tidy(text)
    size = len(text) if text.isascii() else cell_len(text)
    if size > width:
        text = _cut_middle(text, width) if middle else _cut_end(text, width)
        size = cell_len(text)
    gap = " " * (width - size)
    return gap + text if right else text + gap


def _cut_end(text: str, width: int) -> str:
    return _head(text, width - 1).rstrip() + _chosen.ellipsis


def _cut_middle(text: str, width: int) -> str:
    head = width // 2
    return _head(text, head) + _chosen.ellipsis + _tail(text, width - 1 - head)


def _head(text: str, width: int) -> str:
    """As much of the start as fits, whole graphemes only."""
    if text.isascii():
        return text[:width]
    size = 0
    for start, _end, cells in split_graphemes(text)[0]:
        if size + cells > width:
            return text[:start]
        size += cells
    return text


def _tail(text: str, width: int) -> str:
    """As much of the end as fits, whole graphemes only."""
    if text.isascii():
        return text[len(text) - width :]
    size = 0
    for _start, end, cells in reversed(split_graphemes(text)[0]):
        if size + cells > width:
            return text[end:]
        size += cells
    return text
