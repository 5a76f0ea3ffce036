"""The rows of the Policies screen: held policies, filtered by words and sorted. Pure, so that it is tested alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from mdm_tui.fleet.text import clean, search_key
from mdm_tui.fleet.values import calm_age
from mdm_tui.tui.screens.held import HeldRows
from mdm_tui.tui.widgets.grid import Cell, Column
from mdm_tui.tui.widgets.grid_text import glyphs

__all__ = ["COLUMNS", "SORTS", "PoliciesSource"]

COLUMNS: Final = (
    Column("name", "Name", 20, priority=0, flex=3, most=40),
    Column("version", "Version", 7, "right", priority=2),
    Column("apps", "Apps", 4, "right", priority=3),
    Column("assets", "Assets", 6, "right", priority=5),
    Column("segment", "Segment", 10, priority=4, flex=1, most=20),
    Column("private", "Private", 7, priority=6),
    Column("updated", "Updated", 7, "right", priority=1),
    Column("description", "Description", 20, priority=7, flex=4),
)

# What the service is asked to sort by, in its own names (seed: "List non-GMS Android policies", parameter sort).
SORTS: Final[dict[str, str]] = {
    "name": "name",
    "version": "version",
    "segment": "segmentId",
    "private": "private",
    "updated": "updatedAt",
    "description": "description",
}


class PoliciesSource(HeldRows):
    """Rows for the grid; the id of a row is the policy's."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self.drafts: frozenset[str] = frozenset()
        self.segments: dict[int, str] = {}
        self.words = ""
        self.sort: tuple[str, bool] = ("name", False)

    # --- what the grid asks ---

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        policy = self._held.get(row_id)
        return None if policy is None else [self._cell(policy, column.key) for column in columns]

    def glyph(self, row_id: str) -> Cell:
        policy = self._held.get(row_id)
        if policy is not None and policy.unreadable:
            return Cell(glyphs().fault, "bad")
        return Cell("~", "warn") if row_id in self.drafts else Cell(" ")

    # --- what the screen asks ---

    policy = HeldRows.row

    def put(self, policies: Sequence[Any]) -> tuple[set[str], bool]:
        """Take what is held now. Answers which differ and whether order or membership do."""
        old, self._held = self._held, {policy.id: policy for policy in policies}
        changed = {key for key, policy in self._held.items() if old.get(key) != policy}
        return changed, self.arrange()

    def arrange(self) -> bool:
        """Filter and sort again; whether the rows or their order changed.

        served: ids as the service listed them for a segment, in its order; None: all that is held, sorted here.
        """
        if self.served is not None:
            shown = [self._held[key] for key in self.served if key in self._held]
        else:
            shown = list(self._held.values())
            key, down = self.sort
            shown.sort(key=lambda policy: self._rank(policy, key), reverse=down)
        words = search_key(self.words).split()
        if words:
            shown = [policy for policy in shown if all(word in self._text(policy) for word in words)]
        return self._show([policy.id for policy in shown])

    def sort_by(self, key: str) -> None:
        """Sort by a column; the same one again turns it round."""
        self.sort = (key, not self.sort[1] if self.sort[0] == key else key in ("updated", "version"))

    # --- inside ---

    @staticmethod
    def _text(policy: Any) -> str:
        return search_key(f"{policy.name} {policy.id} {policy.description}")

    @staticmethod
    def _rank(policy: Any, key: str) -> Any:
        if key == "version":
            return (policy.version is None, policy.version or 0, policy.id)
        if key == "updated":
            return (policy.updated_at or 0.0, policy.id)
        if key in ("apps", "assets"):
            return (policy.applications if key == "apps" else policy.assets, policy.id)
        if key == "segment":
            return (policy.segment_id is None, policy.segment_id or 0, policy.id)
        if key == "private":
            return (not policy.private, search_key(policy.name), policy.id)
        return (search_key(policy.description if key == "description" else policy.name), policy.id)

    def _cell(self, policy: Any, key: str) -> Cell:
        if policy.unreadable and key == "description":
            return Cell(clean(policy.unreadable), "bad")
        if key == "name":
            return Cell(clean(policy.name) or "(no name)", "" if policy.name else "muted")
        if key == "version":
            return Cell(f"v{policy.version}" if policy.version is not None else "-", "muted")
        if key in ("apps", "assets"):
            count = policy.applications if key == "apps" else policy.assets
            return Cell(str(count) if count else "-", "muted")
        if key == "segment":
            if policy.segment_id is None:
                return Cell("-", "muted")
            return Cell(clean(self.segments.get(policy.segment_id, policy.segment_id)), "muted")
        if key == "private":
            return Cell("-" if policy.private is None else "yes" if policy.private else "no", "muted")
        if key == "updated":
            return Cell(calm_age(self._now() - policy.updated_at) if policy.updated_at is not None else "-", "muted")
        draft = "draft kept" if policy.id in self.drafts else ""
        words = "  ".join(part for part in (draft, clean(policy.description)) if part)
        return Cell(words, "warn" if draft else "muted")
