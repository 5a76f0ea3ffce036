"""The rows of the Rollouts screen. Pure, so that it is tested alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mdm_tui.fleet.rollouts import APPLY_ORDER, REPEATS, STARTS, Rollout, said
from mdm_tui.fleet.text import clean, search_key
from mdm_tui.fleet.values import calm_age
from mdm_tui.tui.screens.held import HeldRows
from mdm_tui.tui.widgets.grid import Cell, Column
from mdm_tui.tui.widgets.grid_text import glyphs

__all__ = ["COLUMNS", "NAMELESS", "RolloutsSource", "counted", "progress_words", "reaches", "repeats", "starts"]

COLUMNS: Final = (
    Column("name", "Name", 26, priority=0, flex=3, most=44),
    Column("enabled", "On", 3, priority=2),
    Column("reaches", "Reaches", 16, priority=1, flex=1, most=26),
    Column("apps", "Apps", 4, "right", priority=3),
    Column("images", "Images", 6, "right", priority=4),
    Column("order", "First", 8, priority=8),
    Column("starts", "Starts", 10, priority=6),
    Column("repeats", "Repeats", 12, priority=9, flex=1, most=18),
    Column("progress", "Done", 11, "right", priority=5),
    Column("updated", "Updated", 7, "right", priority=2),
    Column("writer", "By", 14, priority=7, flex=1, most=24),
)


NAMELESS: Final = "(no name)"
"""What a rollout without a name is called in its neutral words."""


def counted(count: int, what: str) -> str:
    """`1 group`, `12 devices`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def reaches(rollout: Rollout) -> tuple[str, str]:
    """Whom a rollout is for, as it stands in its document, and the role that it is said in."""
    if rollout.everyone:
        return "EVERYONE", "bad"
    parts = []
    if rollout.groups:
        parts.append(counted(len(rollout.groups), "group"))
    if rollout.devices:
        parts.append(counted(len(rollout.devices), "device"))
    return (", ".join(parts), "") if parts else ("nobody", "warn")


def starts(rollout: Rollout) -> str:
    """When it starts, as the document says it."""
    return next((clean(value, 40) for key in STARTS if (value := said(rollout.options, key))), "")


def repeats(rollout: Rollout) -> str:
    """How it repeats, as the document says it."""
    return " ".join(clean(value, 40) for key in REPEATS if (value := said(rollout.options, key)))


def progress_words(followed: tuple[int, int] | None) -> str:
    """`12 of 40` where it was looked at."""
    return "-" if followed is None else f"{followed[0]:,} of {followed[1]:,}"


class RolloutsSource(HeldRows):
    """Rows for the grid; the id of a row is the rollout's. followed: how far those are that were looked at."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self.drafts: frozenset[str] = frozenset()
        self.followed: Mapping[str, tuple[int, int]] = {}
        self.words = ""
        self.sort: tuple[str, bool] = ("name", False)

    # --- what the grid asks ---

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        rollout = self._held.get(row_id)
        return None if rollout is None else [self._cell(rollout, column.key) for column in columns]

    def glyph(self, row_id: str) -> Cell:
        rollout = self._held.get(row_id)
        if rollout is None or rollout.unreadable:
            return Cell(glyphs().fault, "bad")
        if row_id in self.drafts:
            return Cell("~", "warn")
        if rollout.enabled is False:
            return Cell(glyphs().disabled, "muted")
        return Cell(glyphs().active, "good" if rollout.enabled else "muted")

    # --- what the screen asks ---

    def put(self, rollouts: Sequence[Rollout]) -> tuple[set[str], bool]:
        """Take what is held now. Answers which differ and whether order or membership do."""
        old, self._held = self._held, {rollout.id: rollout for rollout in rollouts}
        changed = {key for key, rollout in self._held.items() if old.get(key) != rollout}
        return changed, self.arrange()

    def arrange(self) -> bool:
        """Filter and sort again; whether the rows or their order changed."""
        key, down = self.sort
        words = search_key(self.words).split()
        shown = [one for one in self._held.values() if all(word in self._text(one) for word in words)]
        shown.sort(key=lambda one: self._rank(one, key), reverse=down)
        return self._show([one.id for one in shown])

    def sort_by(self, key: str) -> None:
        """Sort by a column; the same one again turns it round."""
        self.sort = (key, not self.sort[1] if self.sort[0] == key else key in ("updated", "progress"))

    # --- inside ---

    @staticmethod
    def _text(rollout: Rollout) -> str:
        on = "disabled" if rollout.enabled is False else "enabled" if rollout.enabled else ""
        words = (rollout.name, rollout.id, rollout.writer, on, reaches(rollout)[0], *rollout.devices)
        return search_key(" ".join(words))

    def _rank(self, rollout: Rollout, key: str) -> Any:
        name = search_key(rollout.name)
        if key == "updated":
            return (rollout.updated_at or 0.0, rollout.id)
        if key == "reaches":
            return (rollout.everyone, len(rollout.groups), len(rollout.devices), name, rollout.id)
        if key in ("apps", "images"):
            return (len(rollout.apps if key == "apps" else rollout.images), name, rollout.id)
        if key == "progress":
            done, total = self.followed.get(rollout.id, (0, 0))
            return (done / total if total else -1.0, name, rollout.id)
        if key == "name":
            return (name, rollout.id)
        return (search_key(self._cell(rollout, key).text), name, rollout.id)

    def _cell(self, rollout: Rollout, key: str) -> Cell:
        if key == "name":
            return Cell(clean(rollout.name) or "(no name)", "" if rollout.enabled is not False else "muted")
        if rollout.unreadable:
            return Cell(clean(rollout.unreadable), "bad") if key == "reaches" else Cell("-", "muted")
        if key == "enabled":
            return Cell("-" if rollout.enabled is None else "yes" if rollout.enabled else "no", "muted")
        if key == "reaches":
            return Cell(*reaches(rollout))
        if key in ("apps", "images"):
            count = len(rollout.apps if key == "apps" else rollout.images)
            return Cell(f"{count:,}" if count else "-", "muted")
        if key == "order":
            return Cell(clean(said(rollout.options, APPLY_ORDER) or "-", 40), "muted")
        if key == "progress":
            followed = self.followed.get(rollout.id)
            done = followed is not None and followed[1] > 0 and followed[0] == followed[1]
            return Cell(progress_words(followed), "good" if done else "muted" if followed is None else "")
        if key == "updated":
            return Cell(calm_age(self._now() - rollout.updated_at) if rollout.updated_at is not None else "-", "muted")
        words = {"starts": starts(rollout), "repeats": repeats(rollout)}.get(key, clean(rollout.writer, 60))
        return Cell(words or "-", "muted")
