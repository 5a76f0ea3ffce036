"""A list of options on which a page is turned only where there is room for one."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.widgets import OptionList

__all__ = ["Options", "paged"]


def paged(turn: Any) -> None:
    """Turn a page of an option list. In a terminal too small for one line of it Textual looks for lines in vain."""
    try:
        turn()
    except (KeyError, IndexError, ValueError):
        return


class Options(OptionList):
    """As Textual's, on a terminal of any size."""

    # Narrower than its frame a line has no width at all, and Textual cannot wrap it.
    DEFAULT_CSS: ClassVar[str] = "Options { min-width: 8; }"

    def action_page_up(self) -> None:
        paged(super().action_page_up)

    def action_page_down(self) -> None:
        paged(super().action_page_down)
